// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/driver_pod.hpp"

#include "backends/kubernetes/driver_resources.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr std::size_t max_label = 63;

std::string text_or(const Properties& properties, const std::string& key, std::string otherwise) {
    const auto found = properties.find(key);
    return found == properties.end() ? std::move(otherwise) : found->second;
}

/// An application's name as a label's value, as Spark makes it.
std::string app_name_label(const std::string& name) {
    std::string label;
    for (char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = byte < 0x80 && std::isalnum(byte);
        if (plain) {
            label += static_cast<char>(std::tolower(byte));
        } else if (!label.ends_with('-')) {
            label += '-';
        }
    }
    label.erase(0, label.find_first_not_of('-'));
    label.resize(std::min(label.size(), max_label));
    while (label.ends_with('-')) {
        label.pop_back();
    }
    return label;
}

std::string with_application_id(std::string text, const std::string& application_id) {
    for (auto [word, value] : {std::pair{std::string_view("{{APP_ID}}"), application_id},
                               {std::string_view("{{EXECUTOR_ID}}"), std::string()}}) {
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
            text.replace(at, word.size(), value);
            at += value.size();
        }
    }
    return text;
}

Result<std::int64_t> port_property(const Properties& properties, const std::string& key,
                                   std::int64_t otherwise) {
    const auto found = properties.find(key);
    if (found == properties.end()) {
        return otherwise;
    }
    const std::string& text = found->second;
    std::int64_t port = -1;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (code != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535) {
        return Error(Errc::invalid_argument, "must be a port between 1 and 65535", "conf." + key);
    }
    return port;
}

boost::json::object variable(std::string_view name, std::string_view value) {
    return {{"name", name}, {"value", value}};
}

boost::json::object pod_ip_variable(std::string_view name) {
    boost::json::object field{{"apiVersion", "v1"}, {"fieldPath", "status.podIP"}};
    return {{"name", name}, {"valueFrom", boost::json::object{{"fieldRef", std::move(field)}}}};
}

boost::json::object secret_variable(std::string_view name, std::string_view secret,
                                    std::string_view key) {
    boost::json::object reference{{"key", key}, {"name", secret}};
    return {{"name", name},
            {"valueFrom", boost::json::object{{"secretKeyRef", std::move(reference)}}}};
}

/// Later ones win, as with Spark, which leaves the earlier ones in place.
void set_variable(PodDraft& draft, boost::json::object entry) {
    auto& list = list_in(draft.container, "env");
    const std::string name = text_in(entry, "name");
    if (auto* present = entry_named(list, name)) {
        *present = std::move(entry);
    } else {
        list.push_back(std::move(entry));
    }
}

bool is_variable_name(std::string_view name) {
    return !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
           std::all_of(name.begin(), name.end(), [](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return (byte < 0x80 && std::isalnum(byte)) || c == '_' || c == '.' || c == '-';
           });
}

Result<void> add_environment(const DriverInput& input, const DriverConf& conf, PodDraft& draft) {
    const BatchSpec& spec = input.spec;
    const std::string user = !spec.proxy_user.empty() ? spec.proxy_user
                             : !spec.owner.empty()    ? spec.owner
                                                      : "spark";
    set_variable(draft, variable("SPARK_USER", user));
    set_variable(draft, variable("SPARK_APPLICATION_ID", input.application_id));
    constexpr std::string_view prefix = "spark.kubernetes.driverEnv.";
    for (const auto& [name, value] : below(conf.properties, prefix)) {
        if (!is_variable_name(name)) {
            return Error(Errc::invalid_argument, "is no name of an environment variable",
                         "conf." + std::string(prefix) + name);
        }
        if (looks_secret(name, value)) {
            set_variable(draft, secret_variable(name, secret_name(input.identity.ticket),
                                                variable_key(name)));
        } else {
            set_variable(draft, variable(name, value));
        }
    }
    set_variable(draft, pod_ip_variable("SPARK_DRIVER_BIND_ADDRESS"));
    if (input.options.driver_address == DriverAddress::pod_ip) {
        set_variable(draft, pod_ip_variable("SPARK_LOCAL_HOSTNAME"));
    }
    if (conf.language != AppLanguage::python) {
        return ok();
    }
    for (auto [key, name] : {std::pair{"spark.pyspark.python", "PYSPARK_PYTHON"},
                             {"spark.pyspark.driver.python", "PYSPARK_DRIVER_PYTHON"}}) {
        if (conf.properties.contains(key)) {
            set_variable(draft, variable(name, conf.properties.at(key)));
        }
    }
    return ok();
}

/// Kubernetes replaces $(NAME) in arguments, and $$ by $: what a request gives arrives as it is.
std::string unexpanded(const std::string& argument) {
    std::string text;
    for (char c : argument) {
        text += c == '$' ? "$$" : std::string(1, c);
    }
    return text;
}

void add_arguments(const DriverInput& input, const DriverConf& conf, PodDraft& draft) {
    auto& args = list_in(draft.container, "args");
    args.push_back("driver");
    if (!input.spec.proxy_user.empty()) {
        args.push_back("--proxy-user");
        args.push_back(boost::json::string(unexpanded(input.spec.proxy_user)));
    }
    args.push_back("--properties-file");
    args.push_back(
        boost::json::string(std::string(spark_conf_folder) + "/" + std::string(properties_key)));
    args.push_back("--class");
    args.push_back(boost::json::string(unexpanded(conf.main_class)));
    args.push_back(boost::json::string(unexpanded(conf.resource)));
    for (const auto& each : conf.args) {
        args.push_back(boost::json::string(unexpanded(each)));
    }
}

Result<void> add_container(const DriverInput& input, DriverConf& conf, PodDraft& draft) {
    const Properties& properties = conf.properties;
    const std::string image = text_or(properties, "spark.kubernetes.driver.container.image",
                                      text_or(properties, "spark.kubernetes.container.image", ""));
    if (image.empty()) {
        return Error(Errc::invalid_argument,
                     "no image is given, neither by the request nor by this server",
                     "conf.spark.kubernetes.container.image");
    }
    draft.container["name"] = driver_container_name;
    draft.container["image"] = image;
    draft.container["imagePullPolicy"] =
        text_or(properties, "spark.kubernetes.container.image.pullPolicy", "IfNotPresent");
    if (spark_at_least(input.options.spark_version, 4, 3)) {
        member_in(draft.container, "securityContext")
            .insert(boost::json::object::value_type("allowPrivilegeEscalation", false));
    }
    auto ports = driver_ports(input, properties);
    if (!ports) {
        return ports.error();
    }
    for (const auto& port : *ports) {
        list_in(draft.container, "ports")
            .push_back(boost::json::object{
                {"name", port.name}, {"containerPort", port.in_pod}, {"protocol", "TCP"}});
    }
    ResourceInput resource_input;
    resource_input.non_jvm = conf.language != AppLanguage::java;
    resource_input.minimum_overhead =
        input.options.spark_version.empty() || spark_at_least(input.options.spark_version, 4, 0);
    auto resources = driver_resources(properties, resource_input);
    if (!resources) {
        return resources.error();
    }
    auto& in_container = member_in(draft.container, "resources");
    for (auto [key, amounts] :
         {std::pair{"requests", &resources->requests}, {"limits", &resources->limits}}) {
        for (auto& amount : *amounts) {
            member_in(in_container, key)[amount.key()] = std::move(amount.value());
        }
    }
    conf.properties["spark.kubernetes.memoryOverheadFactor"] = resources->overhead_factor;
    return ok();
}

void add_metadata(const DriverInput& input, const DriverConf& conf, PodDraft& draft) {
    auto& metadata = draft.metadata;
    for (const char* key : {"generateName", "uid", "resourceVersion", "creationTimestamp",
                            "ownerReferences", "managedFields"}) {
        metadata.erase(key);
    }
    metadata["name"] = pod_name(input.identity.ticket);
    metadata["namespace"] = conf.in_namespace;
    auto& labels = member_in(metadata, "labels");
    for (const auto& [key, value] : driver_labels(input, conf)) {
        labels[key] = value;
    }
    Properties annotations = below(conf.properties, "spark.kubernetes.driver.annotation.");
    for (const auto& [key, value] : input.options.annotations) {
        annotations[key] = value;
    }
    auto& in_metadata = member_in(metadata, "annotations");
    for (const auto& [key, value] : annotations) {
        in_metadata[key] = with_application_id(value, input.application_id);
    }
    list_in(metadata, "finalizers").push_back(boost::json::string(end_recorded_finalizer));
}

void add_pull_secrets(const Properties& properties, boost::json::object& spec) {
    const std::string names =
        text_or(properties, "spark.kubernetes.container.image.pullSecrets", "");
    auto& list = list_in(spec, "imagePullSecrets");
    for (std::size_t begin = 0; begin < names.size();) {
        const auto end = std::min(names.find(',', begin), names.size());
        std::string name = names.substr(begin, end - begin);
        name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
        if (!name.empty() && entry_named(list, name) == nullptr) {
            list.push_back(boost::json::object{{"name", name}});
        }
        begin = end + 1;
    }
}

void add_placement(const DriverConf& conf, PodDraft& draft) {
    const Properties& properties = conf.properties;
    boost::json::object& spec = draft.spec;
    spec["restartPolicy"] = "Never";
    auto& selector = member_in(spec, "nodeSelector");
    for (const char* prefix :
         {"spark.kubernetes.node.selector.", "spark.kubernetes.driver.node.selector."}) {
        for (const auto& [key, value] : below(properties, prefix)) {
            selector[key] = value;
        }
    }
    const std::string scheduler =
        text_or(properties, "spark.kubernetes.driver.scheduler.name",
                text_or(properties, "spark.kubernetes.scheduler.name", ""));
    if (!scheduler.empty()) {
        spec["schedulerName"] = scheduler;
    }
    add_pull_secrets(properties, spec);
    const std::string account =
        text_or(properties, "spark.kubernetes.authenticate.driver.serviceAccountName", "");
    if (!account.empty()) {
        spec["serviceAccount"] = account;
        spec["serviceAccountName"] = account;
    }
}

/// What nothing was put into need not be sent.
void drop_empty(boost::json::object& object, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
        const auto* value = object.if_contains(key);
        const bool is_empty =
            value != nullptr && ((value->is_array() && value->get_array().empty()) ||
                                 (value->is_object() && value->get_object().empty()));
        if (is_empty) {
            object.erase(key);
        }
    }
}

}  // namespace

Result<std::vector<DriverPort>> driver_ports(const DriverInput& input,
                                             const Properties& properties) {
    auto rpc = port_property(properties, "spark.driver.port", 7078);
    auto blocks = port_property(properties, "spark.driver.blockManager.port", 7079);
    auto ui = port_property(properties, "spark.ui.port", 4040);
    for (const auto* each : {&rpc, &blocks, &ui}) {
        if (!*each) {
            return each->error();
        }
    }
    std::vector<DriverPort> ports{{"driver-rpc-port", *rpc, *rpc, ""},
                                  {"blockmanager", *blocks, *blocks, ""},
                                  {"spark-ui", *ui, *ui, ""}};
    if (spark_at_least(input.options.spark_version, 4, 1)) {
        auto connect = port_property(properties, "spark.connect.grpc.binding.port", 15002);
        if (!connect) {
            return connect.error();
        }
        ports.push_back({"spark-connect", *connect, *connect, "grpc"});
    }
    return ports;
}

Properties driver_labels(const DriverInput& input, const DriverConf& conf) {
    Properties labels = below(conf.properties, "spark.kubernetes.driver.label.");
    for (const auto& [key, value] : input.options.labels) {
        labels[key] = value;
    }
    for (auto& [key, value] : labels) {
        value = with_application_id(value, input.application_id);
    }
    if (!input.options.spark_version.empty()) {
        labels["spark-version"] = input.options.spark_version;
    }
    labels["spark-app-selector"] = input.application_id;
    labels["spark-app-name"] = app_name_label(text_or(conf.properties, "spark.app.name", ""));
    labels["spark-role"] = "driver";
    labels[std::string(store_label)] = input.identity.store;
    labels[std::string(ticket_label)] = input.identity.ticket;
    labels[std::string(nonce_label)] = input.identity.nonce;
    return labels;
}

bool needs_secret(const DriverInput& input, const DriverConf& conf) {
    return has_secrets(conf.properties) ||
           std::any_of(input.files.begin(), input.files.end(),
                       [](const DriverFileName& file) { return file.secret; });
}

std::string file_key(const DriverFileName& file) {
    return "file." + file.path.substr(file.path.rfind('/') + 1);
}

std::string variable_key(std::string_view name) {
    return "env." + std::string(name);
}

Result<PodDraft> make_driver_pod(const DriverInput& input, DriverConf& conf) {
    PodDraft draft = draft_of_template(input.pod_template, input.options.pod_template_container);
    if (auto added = add_container(input, conf, draft); !added) {
        return added.error();
    }
    add_metadata(input, conf, draft);
    add_placement(conf, draft);
    if (auto added = add_environment(input, conf, draft); !added) {
        return added.error();
    }
    if (auto added = add_conf_volumes(input, conf, draft); !added) {
        return added.error();
    }
    add_arguments(input, conf, draft);
    if (auto added = add_local_dirs(input, conf, draft); !added) {
        return added.error();
    }
    set_variable(draft, variable("SPARK_CONF_DIR", spark_conf_folder));
    add_spark_conf(input, conf, draft);
    add_file_volume(input, draft);
    return draft;
}

boost::json::object finished_pod(PodDraft draft) {
    drop_empty(draft.metadata, {"annotations"});
    drop_empty(draft.spec, {"nodeSelector", "imagePullSecrets"});
    for (auto& each : list_in(draft.spec, "containers")) {
        drop_empty(each.get_object(), {"env", "resources"});
    }
    list_in(draft.spec, "containers").push_back(std::move(draft.container));
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", std::move(draft.metadata)},
            {"spec", std::move(draft.spec)}};
}

}  // namespace sparkhost::detail::kubernetes
