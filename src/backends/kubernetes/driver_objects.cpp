// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/driver_objects.hpp"

#include "backends/common/base64.hpp"
#include "backends/common/properties_file.hpp"
#include "backends/common/spark_conf.hpp"
#include "backends/common/utf8.hpp"
#include "backends/kubernetes/driver_conf.hpp"
#include "backends/kubernetes/driver_pod.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <exception>
#include <set>
#include <stdexcept>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

/// What a ConfigMap or Secret may hold, by Kubernetes' rule.
constexpr std::size_t max_map = std::size_t{1} << 20;

boost::json::object own_metadata(const DriverInput& input, const std::string& in_namespace,
                                 const std::string& name) {
    boost::json::object labels{{"spark-app-selector", input.application_id},
                               {store_label, input.identity.store},
                               {ticket_label, input.identity.ticket},
                               {nonce_label, input.identity.nonce}};
    return {{"name", name}, {"namespace", in_namespace}, {"labels", std::move(labels)}};
}

boost::json::object map_object(const DriverInput& input, const DriverConf& conf, const char* kind,
                               const std::string& name) {
    return {{"apiVersion", "v1"},
            {"kind", kind},
            {"metadata", own_metadata(input, conf.in_namespace, name)},
            {"immutable", true}};
}

boost::json::object config_map_object(const DriverInput& input, const DriverConf& conf) {
    auto object = map_object(input, conf, "ConfigMap", config_map_name(input.identity.ticket));
    boost::json::object data{{namespace_key, conf.in_namespace}};
    if (!has_secrets(conf.properties)) {
        data[properties_key] = write_properties(conf.properties);
    }
    object["data"] = std::move(data);
    return object;
}

boost::json::object secret_object(const DriverInput& input, const DriverConf& conf) {
    if (!needs_secret(input, conf)) {
        return {};
    }
    auto object = map_object(input, conf, "Secret", secret_name(input.identity.ticket));
    object["type"] = "Opaque";
    boost::json::object data;
    if (has_secrets(conf.properties)) {
        data[properties_key] = to_base64(write_properties(conf.properties));
    }
    for (const auto& [name, value] : below(conf.properties, "spark.kubernetes.driverEnv.")) {
        if (looks_secret(name, value)) {
            data[variable_key(name)] = to_base64(value);
        }
    }
    object["data"] = std::move(data);
    return object;
}

boost::json::object service_spec(const DriverInput& input, const DriverConf& conf,
                                 const std::vector<DriverPort>& ports) {
    const auto text = [&conf](const char* key, const char* otherwise) {
        const auto found = conf.properties.find(key);
        return found == conf.properties.end() ? std::string(otherwise) : found->second;
    };
    boost::json::object selector;
    for (const auto& [key, value] : driver_labels(input, conf)) {
        selector[key] = value;
    }
    boost::json::array families;
    std::string rest = text("spark.kubernetes.driver.service.ipFamilies", "IPv4");
    for (std::size_t begin = 0; begin <= rest.size();) {
        const auto end = std::min(rest.find(',', begin), rest.size());
        families.push_back(boost::json::string(rest.substr(begin, end - begin)));
        begin = end + 1;
    }
    boost::json::array list;
    for (const auto& port : ports) {
        boost::json::object entry{
            {"name", port.name}, {"port", port.in_service}, {"targetPort", port.in_service}};
        if (!port.protocol.empty()) {
            entry["appProtocol"] = port.protocol;
        }
        list.push_back(std::move(entry));
    }
    return {
        {"clusterIP", "None"},
        {"ipFamilyPolicy", text("spark.kubernetes.driver.service.ipFamilyPolicy", "SingleStack")},
        {"ipFamilies", std::move(families)},
        {"selector", std::move(selector)},
        {"ports", std::move(list)}};
}

Result<boost::json::object> service_object(const DriverInput& input, const DriverConf& conf) {
    if (input.options.driver_address != DriverAddress::service) {
        return boost::json::object{};
    }
    auto ports = driver_ports(input, conf.properties);
    if (!ports) {
        return ports.error();
    }
    auto metadata = own_metadata(input, conf.in_namespace, service_name(input.identity.ticket));
    auto& labels = member_in(metadata, "labels");
    for (const auto& [key, value] :
         below(conf.properties, "spark.kubernetes.driver.service.label.")) {
        labels.insert(boost::json::object::value_type(key, value));
    }
    boost::json::object annotations;
    for (const auto& [key, value] :
         below(conf.properties, "spark.kubernetes.driver.service.annotation.")) {
        annotations[key] = value;
    }
    if (!annotations.empty()) {
        metadata["annotations"] = std::move(annotations);
    }
    return boost::json::object{{"apiVersion", "v1"},
                               {"kind", "Service"},
                               {"metadata", std::move(metadata)},
                               {"spec", service_spec(input, conf, *ports)}};
}

/// A file's name becomes part of a key and of a path in the driver.
Result<void> check_file_names(const std::vector<DriverFileName>& files) {
    std::set<std::string> names;
    for (const auto& file : files) {
        const std::string name = file.path.substr(file.path.rfind('/') + 1);
        const bool plain = !name.empty() && name != "." && name != ".." && name.size() <= 200 &&
                           name.find_first_not_of(
                               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789-_.") == std::string::npos;
        if (!file.path.starts_with('/') || !plain || !names.insert(name).second) {
            return Error(Errc::invalid_argument,
                         "\"" + file.path +
                             "\" cannot be brought to the driver: names must differ and consist of "
                             "letters, digits, '-', '_' and '.'",
                         "driver_files");
        }
    }
    return ok();
}

std::size_t map_size(const boost::json::object& object) {
    std::size_t size = 0;
    for (const char* key : {"data", "binaryData"}) {
        if (const auto* data = object.if_contains(key); data != nullptr && data->is_object()) {
            for (const auto& member : data->get_object()) {
                size += member.key().size() + member.value().as_string().size();
            }
        }
    }
    return size;
}

Result<void> check_map_sizes(const DriverObjects& objects) {
    // a Secret's values count after decoding: four characters are three bytes
    if (map_size(objects.config_map) > max_map || map_size(objects.secret) / 4 * 3 > max_map) {
        return Error(Errc::invalid_argument,
                     "properties and files for the driver are larger than the 1 MiB that a "
                     "ConfigMap or Secret holds",
                     "conf");
    }
    return ok();
}

}  // namespace

void check_driver_options(const KubernetesBackendOptions& options) {
    check_operator_conf(options.conf, "KubernetesBackendOptions::conf");
    for (const auto& [key, value] : options.conf) {
        for (std::string_view own :
             {"spark.master", "spark.app.id", "spark.driver.host", "spark.driver.bindAddress",
              "spark.kubernetes.namespace", "spark.kubernetes.driver.pod.name",
              "spark.kubernetes.driver.podTemplateFile", "spark.submit.deployMode"}) {
            if (key == own) {
                throw std::invalid_argument("KubernetesBackendOptions::conf: " + key +
                                            ": is decided by the backend (see its options)");
            }
        }
        const bool credentials = key.starts_with("spark.kubernetes.authenticate.driver.") &&
                                 !key.ends_with("serviceAccountName") &&
                                 !key.starts_with("spark.kubernetes.authenticate.driver.mounted.");
        if (credentials || key == "spark.kerberos.keytab" || key == "spark.kerberos.principal") {
            throw std::invalid_argument(
                "KubernetesBackendOptions::conf: " + key +
                ": is not supported: give drivers a service account, or mount what they need "
                "from a Secret");
        }
    }
    for (const auto& [label, value] : options.labels) {
        if (label.starts_with("sparkhost.io/") || label.starts_with("spark-")) {
            throw std::invalid_argument("KubernetesBackendOptions::labels: " + label +
                                        ": is Spark's or this library's own");
        }
    }
    for (std::string_view policy : {"Always", "IfNotPresent", "Never"}) {
        if (options.image_pull_policy == policy) {
            return;
        }
    }
    throw std::invalid_argument(
        "KubernetesBackendOptions::image_pull_policy: must be Always, IfNotPresent or Never");
}

Result<DriverObjects> make_driver_objects(const DriverInput& input) {
    if (auto checked = check_file_names(input.files); !checked) {
        return checked.error();
    }
    auto conf = make_driver_conf(input);
    if (!conf) {
        return conf.error();
    }
    auto pod = make_driver_pod(input, *conf);
    if (!pod) {
        return pod.error();
    }
    auto service = service_object(input, *conf);
    if (!service) {
        return service.error();
    }
    if (conf->properties.contains("spark.kubernetes.hadoop.configMapName")) {
        conf->properties["spark.kubernetes.executor.hadoopConfigMapName"] =
            conf->properties.at("spark.kubernetes.hadoop.configMapName");
    }
    DriverObjects objects;
    objects.in_namespace = conf->in_namespace;
    objects.application_id = input.application_id;
    objects.config_map = config_map_object(input, *conf);
    objects.secret = secret_object(input, *conf);
    objects.service = std::move(*service);
    objects.claims = std::move(pod->claims);
    objects.pod = finished_pod(std::move(*pod));
    if (auto checked = check_map_sizes(objects); !checked) {
        return checked.error();
    }
    return objects;
}

Result<void> add_driver_files(DriverObjects& objects, const std::vector<DriverFileContent>& files) {
    for (const auto& each : files) {
        const std::string key = file_key(each.file);
        if (each.file.secret) {
            member_in(objects.secret, "data")[key] = to_base64(each.content);
        } else if (valid_utf8(each.content) == each.content) {
            member_in(objects.config_map, "data")[key] = each.content;
        } else {
            member_in(objects.config_map, "binaryData")[key] = to_base64(each.content);
        }
    }
    return check_map_sizes(objects);
}

void set_owner(boost::json::object& object, std::string_view config_map, std::string_view uid) {
    boost::json::array owners;
    owners.push_back(boost::json::object{
        {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", config_map}, {"uid", uid}});
    member_in(object, "metadata")["ownerReferences"] = std::move(owners);
}

boost::json::object write_driver_objects(const DriverObjects& objects) {
    boost::json::array claims;
    for (const auto& claim : objects.claims) {
        claims.push_back(claim);
    }
    return {{"namespace", objects.in_namespace},
            {"application_id", objects.application_id},
            {"config_map", objects.config_map},
            {"secret", objects.secret},
            {"pod", objects.pod},
            {"service", objects.service},
            {"claims", std::move(claims)}};
}

Result<DriverObjects> read_driver_objects(const boost::json::object& data) {
    try {
        DriverObjects objects;
        objects.in_namespace = std::string(data.at("namespace").as_string());
        objects.application_id = std::string(data.at("application_id").as_string());
        objects.config_map = data.at("config_map").as_object();
        objects.secret = data.at("secret").as_object();
        objects.pod = data.at("pod").as_object();
        objects.service = data.at("service").as_object();
        for (const auto& claim : data.at("claims").as_array()) {
            objects.claims.push_back(claim.as_object());
        }
        return objects;
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed,
                     std::string("the driver's description cannot be read: ") + failure.what());
    }
}

}  // namespace sparkhost::detail::kubernetes
