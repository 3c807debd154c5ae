// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/driver_conf.hpp"

#include "backends/common/spark_conf.hpp"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr std::string_view kubernetes_prefix = "spark.kubernetes.";

/// What isolates tenants or is ours to say: no option opens these for requests.
const std::vector<std::string>& never_of_a_request() {
    static const std::vector<std::string> patterns{
        "spark.master",
        "spark.submit.*",
        "spark.app.id",
        "spark.app.submitTime",
        "spark.driver.host",
        "spark.driver.bindAddress",
        "spark.kerberos.*",
        "spark.security.credentials.*",
        "spark.hadoop.hadoop.security.credential.provider.path",
        "spark.hadoop.hadoop.token.files",
        "spark.hadoop.hadoop.tokens",
        "spark.kubernetes.authenticate.*",
        "spark.kubernetes.context",
        "spark.kubernetes.driver.master",
        "spark.kubernetes.driver.pod.*",
        "spark.kubernetes.driver.podTemplate*",
        "spark.kubernetes.executor.pod.*",
        "spark.kubernetes.executor.podTemplate*",
        "spark.kubernetes.executor.scheduler.*",
        "spark.kubernetes.file.upload.path",
        "spark.kubernetes.jars.*",
        "spark.kubernetes.kerberos.*",
        "spark.kubernetes.resource.type",
        "spark.kubernetes.submitInDriver",
        "spark.kubernetes.trust.certificates"};
    return patterns;
}

/// What below spark.kubernetes. only sizes or names things.
const std::vector<std::string>& open_to_requests() {
    static const std::vector<std::string> patterns{
        "spark.kubernetes.allocation.*",
        "spark.kubernetes.appKillPodDeletionGracePeriod",
        "spark.kubernetes.container.image",
        "spark.kubernetes.driver.container.image",
        "spark.kubernetes.driver.label.*",
        "spark.kubernetes.driver.limit.cores",
        "spark.kubernetes.driver.request.cores",
        "spark.kubernetes.driverEnv.*",
        "spark.kubernetes.dynamicAllocation.*",
        "spark.kubernetes.executor.apiPollingInterval",
        "spark.kubernetes.executor.checkAllContainers",
        "spark.kubernetes.executor.container.image",
        "spark.kubernetes.executor.deleteOnTermination",
        "spark.kubernetes.executor.enablePollingWithResourceVersion",
        "spark.kubernetes.executor.eventProcessingInterval",
        "spark.kubernetes.executor.label.*",
        "spark.kubernetes.executor.limit.cores",
        "spark.kubernetes.executor.minTasksPerExecutorBeforeRolling",
        "spark.kubernetes.executor.missingPodDetectDelta",
        "spark.kubernetes.executor.request.cores",
        "spark.kubernetes.executor.rollInterval",
        "spark.kubernetes.executor.rollPolicy",
        "spark.kubernetes.executor.useDriverPodIP",
        "spark.kubernetes.local.dirs.tmpfs",
        "spark.kubernetes.memoryOverheadFactor",
        "spark.kubernetes.namespace",
        "spark.kubernetes.pyspark.pythonVersion",
        "spark.kubernetes.report.interval",
        "spark.kubernetes.submission.*"};
    return patterns;
}

bool is_reserved_label(std::string_view name) {
    return name.starts_with("sparkhost.io/") || name == "spark-role" ||
           name == "spark-app-selector" || name == "spark-app-name" || name == "spark-version" ||
           name == "spark-exec-id" || name == "spark-exec-resourceprofile-id" ||
           name == "spark-exec-inactive";
}

std::string label_refusal(const KubernetesBackendOptions& options, std::string_view key) {
    for (std::string_view prefix :
         {"spark.kubernetes.driver.label.", "spark.kubernetes.executor.label."}) {
        if (!key.starts_with(prefix)) {
            continue;
        }
        const std::string name(key.substr(prefix.size()));
        if (is_reserved_label(name)) {
            return "this label is Spark's or this server's own";
        }
        if (options.labels.contains(name) || options.conf.contains(std::string(key))) {
            return "this label is set by this server's operator";
        }
    }
    return {};
}

/// The file as the driver sees it when it is one of those that are brought to it; else empty.
std::string brought_file(const DriverInput& input, const std::string& file) {
    for (const auto& each : input.files) {
        if (each.path == file || each.path == local_path(file)) {
            return std::string(driver_files_folder) + each.path.substr(each.path.rfind('/'));
        }
    }
    return {};
}

Error invisible_file(const std::string& file, std::string field) {
    return Error(Errc::invalid_argument,
                 "\"" + file +
                     "\" is a file of this server's machine, which the driver's pod does not see: "
                     "put it into the image and write local:///…, or where the driver can fetch it "
                     "(https://, s3a://, hdfs:// …)",
                 std::move(field));
}

/// One entry of a list of dependencies, or the application file itself.
Result<std::string> visible_file(const DriverInput& input, const std::string& file,
                                 std::string field) {
    if (const std::string copy = brought_file(input, file); !copy.empty()) {
        return "local://" + copy;
    }
    const std::string scheme = uri_scheme(file);
    if (scheme.empty() || scheme == "file") {
        return invisible_file(file, std::move(field));
    }
    return file;
}

/// Lists joined by merged_properties: the entries of the request's field are the last ones.
Result<void> check_dependencies(const DriverInput& input, Properties& properties) {
    struct Dependency {
        const char* key;
        const std::vector<std::string>& list;
        const char* field;
    };
    const BatchSpec& spec = input.spec;
    const Dependency dependencies[] = {{"spark.jars", spec.jars, "jars"},
                                       {"spark.submit.pyFiles", spec.py_files, "py_files"},
                                       {"spark.files", spec.files, "files"},
                                       {"spark.archives", spec.archives, "archives"}};
    for (const auto& [key, list, field] : dependencies) {
        const auto found = properties.find(key);
        if (found == properties.end() || found->second.empty()) {
            continue;
        }
        std::vector<std::string> entries;
        for (std::size_t begin = 0; begin <= found->second.size();) {
            const auto end = std::min(found->second.find(',', begin), found->second.size());
            entries.push_back(found->second.substr(begin, end - begin));
            begin = end + 1;
        }
        const std::size_t first_of_field = entries.size() - std::min(entries.size(), list.size());
        std::string joined;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            std::string where = i < first_of_field ? std::string("conf.") + key
                                                   : std::string(field) + "[" +
                                                         std::to_string(i - first_of_field) + "]";
            auto visible = visible_file(input, entries[i], std::move(where));
            if (!visible) {
                return visible.error();
            }
            joined += (joined.empty() ? "" : ",") + *visible;
        }
        found->second = joined;
    }
    return ok();
}

AppLanguage language_of(std::string_view file) {
    if (file.ends_with(".py")) {
        return AppLanguage::python;
    }
    return file.ends_with(".R") || file.ends_with(".r") ? AppLanguage::r : AppLanguage::java;
}

Result<void> decide_application(const DriverInput& input, DriverConf& conf) {
    auto resource = visible_file(input, input.spec.file, "file");
    if (!resource) {
        return resource.error();
    }
    conf.resource = std::move(*resource);
    conf.language = language_of(conf.resource);
    conf.main_class = input.spec.class_name;
    if (conf.language == AppLanguage::python) {
        conf.main_class = "org.apache.spark.deploy.PythonRunner";
    } else if (conf.language == AppLanguage::r) {
        conf.main_class = "org.apache.spark.deploy.RRunner";
    } else if (conf.main_class.empty()) {
        return Error(Errc::invalid_argument, "is required for a jar that only the driver can read",
                     "class_name");
    }
    for (const auto& arg : input.spec.args) {
        const std::string copy = brought_file(input, arg);
        conf.args.push_back(copy.empty() ? arg : copy);
    }
    return ok();
}

void add_list_property(Properties& properties, const char* key, const std::string& entry) {
    std::string& list = properties[key];
    const std::string framed = "," + list + ",";
    if (framed.find("," + entry + ",") == std::string::npos) {
        list += (list.empty() ? "" : ",") + entry;
    }
}

/// What Spark's submission adds by itself, and what the operator has said in options.
void add_operator_settings(const DriverInput& input, DriverConf& conf) {
    Properties& properties = conf.properties;
    const KubernetesBackendOptions& options = input.options;
    if (!options.image.empty()) {
        properties.try_emplace("spark.kubernetes.container.image", options.image);
    }
    if (options.image_pull_policy != "IfNotPresent") {
        properties.try_emplace("spark.kubernetes.container.image.pullPolicy",
                               options.image_pull_policy);
    }
    for (const auto& secret : options.image_pull_secrets) {
        add_list_property(properties, "spark.kubernetes.container.image.pullSecrets", secret);
    }
    if (!options.service_account.empty()) {
        properties["spark.kubernetes.authenticate.driver.serviceAccountName"] =
            options.service_account;
    }
    for (auto [label, value] : {std::pair{store_label, &input.identity.store},
                                {ticket_label, &input.identity.ticket},
                                {nonce_label, &input.identity.nonce}}) {
        properties["spark.kubernetes.executor.label." + std::string(label)] = *value;
    }
}

void add_own_settings(const DriverInput& input, DriverConf& conf) {
    Properties& properties = conf.properties;
    if (conf.language == AppLanguage::java) {
        add_list_property(properties, "spark.jars", conf.resource);
    }
    const auto slash = conf.resource.rfind('/');
    const std::string file_name =
        slash == std::string::npos ? conf.resource : conf.resource.substr(slash + 1);
    properties.try_emplace("spark.app.name",
                           input.spec.class_name.empty() ? file_name : input.spec.class_name);
    properties.try_emplace("spark.submit.pyFiles", "");
    properties["spark.master"] = "k8s://" + input.api_url;
    properties["spark.submit.deployMode"] = "cluster";
    properties["spark.app.id"] = input.application_id;
    properties["spark.app.submitTime"] = std::to_string(input.submit_time);
    properties["spark.kubernetes.namespace"] = conf.in_namespace;
    properties["spark.kubernetes.driver.pod.name"] = pod_name(input.identity.ticket);
    properties["spark.kubernetes.submitInDriver"] = "true";
    properties["spark.kubernetes.resource.type"] = conf.language == AppLanguage::python ? "python"
                                                   : conf.language == AppLanguage::r    ? "r"
                                                                                        : "java";
    properties.try_emplace("spark.driver.port", "7078");
    properties.try_emplace("spark.driver.blockManager.port", "7079");
    properties.erase("spark.driver.host");
    properties.erase("spark.driver.bindAddress");
    if (input.options.driver_address == DriverAddress::service) {
        properties["spark.driver.host"] =
            service_name(input.identity.ticket) + "." + conf.in_namespace + ".svc";
    }
}

}  // namespace

std::string conf_refusal(const KubernetesBackendOptions& options, std::string_view key) {
    if (key == "spark.submit.pyFiles") {
        return {};
    }
    if (matches_any(never_of_a_request(), key)) {
        return "this property is decided by this server: a request must not set it";
    }
    if (!key.starts_with(kubernetes_prefix)) {
        return {};
    }
    if (auto refusal = label_refusal(options, key); !refusal.empty()) {
        return refusal;
    }
    if (!matches_any(open_to_requests(), key) &&
        !matches_any(options.allowed_kubernetes_conf, key)) {
        return "requests must not set this property below spark.kubernetes. unless the server's "
               "operator allows it (KubernetesBackendOptions::allowed_kubernetes_conf)";
    }
    return {};
}

Result<std::string> driver_namespace(const DriverInput& input) {
    const auto asked = input.spec.conf.find("spark.kubernetes.namespace");
    if (asked == input.spec.conf.end()) {
        return input.default_namespace;
    }
    if (asked->second == input.default_namespace ||
        std::find(input.namespaces.begin(), input.namespaces.end(), asked->second) !=
            input.namespaces.end()) {
        return asked->second;
    }
    return Error(Errc::invalid_argument, "this namespace is not open to requests",
                 "conf.spark.kubernetes.namespace");
}

Result<DriverConf> make_driver_conf(const DriverInput& input) {
    if (auto checked = check_command_fields(input.spec); !checked) {
        return checked.error();
    }
    for (const auto& [key, value] : input.spec.conf) {
        if (auto refusal = conf_refusal(input.options, key); !refusal.empty()) {
            return Error(Errc::invalid_argument, refusal, "conf." + key);
        }
    }
    DriverConf conf;
    auto in_namespace = driver_namespace(input);
    if (!in_namespace) {
        return in_namespace.error();
    }
    conf.in_namespace = std::move(*in_namespace);
    ConfLayers layers;
    layers.conf = input.options.conf;
    layers.refused = input.options.refused_conf;
    auto properties = merged_properties(layers, input.spec);
    if (!properties) {
        return properties.error();
    }
    conf.properties = std::move(*properties);
    if (auto checked = check_dependencies(input, conf.properties); !checked) {
        return checked.error();
    }
    if (auto decided = decide_application(input, conf); !decided) {
        return decided.error();
    }
    add_operator_settings(input, conf);
    add_own_settings(input, conf);
    return conf;
}

bool looks_secret(std::string_view key, std::string_view value) {
    // these name Secrets and do not hold any
    for (std::string_view prefix :
         {"spark.kubernetes.driver.secrets.", "spark.kubernetes.executor.secrets.",
          "spark.kubernetes.driver.secretKeyRef.", "spark.kubernetes.executor.secretKeyRef.",
          "spark.kubernetes.container.image.pullSecrets", "spark.kubernetes.kerberos."}) {
        if (key.starts_with(prefix)) {
            return false;
        }
    }
    return matches_redaction(key) || matches_redaction(value);
}

bool has_secrets(const Properties& properties) {
    // a pattern of one's own cannot be tried here: what it hides is not known, so all is hidden
    return properties.contains("spark.redaction.regex") ||
           std::any_of(properties.begin(), properties.end(),
                       [](const auto& each) { return looks_secret(each.first, each.second); });
}

Properties below(const Properties& properties, std::string_view prefix) {
    Properties found;
    for (auto each = properties.lower_bound(std::string(prefix));
         each != properties.end() && each->first.starts_with(prefix); ++each) {
        found[each->first.substr(prefix.size())] = each->second;
    }
    return found;
}

}  // namespace sparkhost::detail::kubernetes
