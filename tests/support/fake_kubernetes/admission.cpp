// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/admission.hpp"

#include "support/fake_kubernetes/status.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <regex>
#include <set>

namespace sparkhost::test::k8s {

namespace admission_detail {

using Faults = std::vector<FieldFault>;

/// "f:metadata" and so on: who manages which field, as server-side apply records it.
json::object fields_of(const json::value& value) {
    json::object fields;
    if (const auto* object = value.if_object()) {
        for (const auto& [key, inner] : *object) {
            fields["f:" + std::string(key)] = fields_of(inner);
        }
    } else if (const auto* array = value.if_array()) {
        for (const auto& each : *array) {
            const auto* item = each.if_object();
            const auto* name = item ? item->if_contains("name") : nullptr;
            if (name && name->is_string()) {
                auto inner = fields_of(each);
                inner["."] = json::object();
                fields["k:" + json::serialize(json::object{{"name", *name}})] = std::move(inner);
            }
        }
    }
    return fields;
}

void manage(json::object& data, const std::string& manager) {
    json::object owned;
    for (const auto& [key, value] : data) {
        if (key == "metadata") {
            json::object kept;
            for (const auto* part : {"labels", "annotations", "finalizers", "ownerReferences"}) {
                if (const auto* there = value.as_object().if_contains(part)) {
                    kept[part] = *there;
                }
            }
            if (!kept.empty()) {
                owned["metadata"] = std::move(kept);
            }
        } else if (key != "kind" && key != "apiVersion" && key != "status") {
            owned[key] = value;
        }
    }
    object_in(data, "metadata")["managedFields"] =
        json::array{json::object{{"manager", manager},
                                 {"operation", "Update"},
                                 {"apiVersion", "v1"},
                                 {"time", timestamp(std::chrono::system_clock::now())},
                                 {"fieldsType", "FieldsV1"},
                                 {"fieldsV1", fields_of(owned)}}};
}

void set_default(json::object& data, std::string_view key, json::value value) {
    data.emplace(key, std::move(value));
}

void fill_container(json::object& container, const json::object& token_mount) {
    set_default(container, "resources", json::object());
    auto& mounts = container["volumeMounts"];
    if (!mounts.is_array()) {
        mounts = json::array();
    }
    mounts.as_array().push_back(token_mount);
    set_default(container, "terminationMessagePath", "/dev/termination-log");
    set_default(container, "terminationMessagePolicy", "File");
    const auto image = text_at(container, {"image"});
    const auto tag = image.rfind(':');
    const bool latest = tag == std::string::npos || image.substr(tag) == ":latest";
    set_default(container, "imagePullPolicy", latest ? "Always" : "IfNotPresent");
    if (auto* ports = container.if_contains("ports"); ports && ports->is_array()) {
        for (auto& port : ports->as_array()) {
            set_default(port.as_object(), "protocol", "TCP");
        }
    }
}

bool asks_for_resources(const json::object& spec) {
    for (const auto& container : *array_at(spec, {"containers"})) {
        const auto* resources = object_at(container.as_object(), {"resources"});
        if (resources && !resources->empty()) {
            return true;
        }
    }
    return false;
}

json::value token_volume(const std::string& name) {
    return json::parse(R"({"name":")" + name + R"(","projected":{"sources":[
        {"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},
        {"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},
        {"downwardAPI":{"items":[{"path":"namespace",
            "fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"}}]}}],
        "defaultMode":420}})");
}

void fill_pod(json::object& data) {
    auto& spec = object_in(data, "spec");
    const std::string token = "kube-api-access-" + random_uid().substr(0, 5);
    auto& volumes = spec["volumes"];
    if (!volumes.is_array()) {
        volumes = json::array();
    }
    for (auto& volume : volumes.as_array()) {
        for (const auto* kind : {"configMap", "secret", "projected"}) {
            if (auto* source = volume.as_object().if_contains(kind); source) {
                set_default(source->as_object(), "defaultMode", 420);
            }
        }
    }
    volumes.as_array().push_back(token_volume(token));
    const json::object mount{{"name", token},
                             {"readOnly", true},
                             {"mountPath", "/var/run/secrets/kubernetes.io/serviceaccount"}};
    for (auto& container : spec["containers"].as_array()) {
        fill_container(container.as_object(), mount);
    }
    set_default(spec, "restartPolicy", "Always");
    set_default(spec, "terminationGracePeriodSeconds", 30);
    set_default(spec, "dnsPolicy", "ClusterFirst");
    set_default(spec, "serviceAccountName", "default");
    set_default(spec, "serviceAccount", spec["serviceAccountName"]);
    set_default(spec, "securityContext", json::object());
    set_default(spec, "schedulerName", "default-scheduler");
    static const auto tolerations = json::parse(
        R"([{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute",
             "tolerationSeconds":300},
            {"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute",
             "tolerationSeconds":300}])");
    set_default(spec, "tolerations", tolerations);
    set_default(spec, "priority", 0);
    set_default(spec, "enableServiceLinks", true);
    set_default(spec, "preemptionPolicy", "PreemptLowerPriority");
    data["status"] = json::object{
        {"phase", "Pending"}, {"qosClass", asks_for_resources(spec) ? "Burstable" : "BestEffort"}};
}

void fill_service(json::object& data) {
    auto& spec = object_in(data, "spec");
    set_default(spec, "clusterIP", "10.96.0.17");
    set_default(spec, "clusterIPs", json::array{spec["clusterIP"]});
    set_default(spec, "type", "ClusterIP");
    set_default(spec, "sessionAffinity", "None");
    set_default(spec, "ipFamilies", json::array{"IPv4"});
    set_default(spec, "ipFamilyPolicy", "SingleStack");
    set_default(spec, "internalTrafficPolicy", "Cluster");
    if (auto* ports = spec.if_contains("ports"); ports && ports->is_array()) {
        for (auto& port : ports->as_array()) {
            set_default(port.as_object(), "protocol", "TCP");
            const auto number = port.as_object().at("port");
            set_default(port.as_object(), "targetPort", number);
        }
    }
    data["status"] = json::object{{"loadBalancer", json::object()}};
}

void check_labels(const json::object& data, Faults& faults) {
    static const std::regex allowed("([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?");
    const auto* labels = object_at(data, {"metadata", "labels"});
    if (!labels) {
        return;
    }
    for (const auto& [key, value] : *labels) {
        const auto text = value.is_string() ? std::string(value.as_string()) : "";
        if (!value.is_string() || !std::regex_match(text, allowed)) {
            faults.push_back({"FieldValueInvalid",
                              "Invalid value: \"" + text +
                                  "\": a valid label must be an empty "
                                  "string or consist of alphanumeric characters, '-', '_' or '.'",
                              "metadata.labels"});
        }
    }
}

void check_containers(const json::object& data, Faults& faults) {
    const auto* containers = array_at(data, {"spec", "containers"});
    if (!containers || containers->empty()) {
        faults.push_back({"FieldValueRequired", "Required value", "spec.containers"});
        return;
    }
    std::set<std::string> volumes;
    if (const auto* list = array_at(data, {"spec", "volumes"})) {
        for (const auto& volume : *list) {
            volumes.insert(text_at(volume.as_object(), {"name"}));
        }
    }
    for (std::size_t i = 0; i < containers->size(); ++i) {
        const auto& container = (*containers)[i].as_object();
        const auto path = "spec.containers[" + std::to_string(i) + "]";
        for (const auto* needed : {"name", "image"}) {
            if (text_at(container, {needed}).empty()) {
                faults.push_back({"FieldValueRequired", "Required value", path + "." + needed});
            }
        }
        const auto* mounts = array_at(container, {"volumeMounts"});
        for (std::size_t m = 0; mounts && m < mounts->size(); ++m) {
            const auto name = text_at((*mounts)[m].as_object(), {"name"});
            if (!volumes.contains(name)) {
                faults.push_back({"FieldValueNotFound", "Not found: \"" + name + "\"",
                                  path + ".volumeMounts[" + std::to_string(m) + "].name"});
            }
        }
    }
}

void check_data_keys(const json::object& data, Faults& faults) {
    static const std::regex allowed("[-._a-zA-Z0-9]{1,253}");
    std::size_t size = 0;
    for (const auto* part : {"data", "stringData"}) {
        const auto* entries = object_at(data, {part});
        if (!entries) {
            continue;
        }
        for (const auto& [key, value] : *entries) {
            size += value.is_string() ? value.as_string().size() : 0;
            if (!std::regex_match(std::string(key), allowed)) {
                faults.push_back({"FieldValueInvalid",
                                  "Invalid value: \"" + std::string(key) +
                                      "\": a valid config key must consist of alphanumeric "
                                      "characters, '-', '_' or '.'",
                                  std::string(part) + "[" + std::string(key) + "]"});
            }
        }
    }
    if (size > 1024 * 1024) {
        faults.push_back({"FieldValueTooLong", "Too long: may not be more than 1048576 bytes", ""});
    }
}

}  // namespace admission_detail

void check_new(const ResourceType& type, const std::string& name, const json::object& data) {
    static const std::regex subdomain(
        "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
    static const std::regex label("[a-z]([-a-z0-9]*[a-z0-9])?");
    admission_detail::Faults faults;
    const bool is_service = type.kind == "Service";
    if (name.empty()) {
        faults.push_back({"FieldValueRequired", "Required value: name or generateName is required",
                          "metadata.name"});
    } else if (!std::regex_match(name, is_service ? label : subdomain) ||
               name.size() > (is_service ? 63u : 253u)) {
        faults.push_back({"FieldValueInvalid",
                          "Invalid value: \"" + name + "\": a " +
                              (is_service ? "DNS-1035 label" : "lowercase RFC 1123 subdomain") +
                              " must consist of lower case alphanumeric characters",
                          "metadata.name"});
    }
    admission_detail::check_labels(data, faults);
    if (type.kind == "Pod") {
        admission_detail::check_containers(data, faults);
    } else if (type.kind == "ConfigMap" || type.kind == "Secret") {
        admission_detail::check_data_keys(data, faults);
    }
    if (!faults.empty()) {
        throw invalid(type, name, faults);
    }
}

void check_change(const Object& before, const json::object& after) {
    admission_detail::Faults faults;
    auto changed = [&](std::string_view key) {
        const auto* a = before.data.if_contains(key);
        const auto* b = after.if_contains(key);
        return !((a && b) ? *a == *b : a == b);
    };
    if (before.type->kind == "Pod" && changed("spec")) {
        faults.push_back({"FieldValueForbidden",
                          "Forbidden: pod updates may not change fields other than "
                          "`spec.containers[*].image`,`spec.initContainers[*].image`,"
                          "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
                          "existing tolerations),`spec.terminationGracePeriodSeconds`",
                          "spec"});
    }
    const auto* immutable = before.data.if_contains("immutable");
    if (immutable && immutable->is_bool() && immutable->as_bool() && changed("data")) {
        faults.push_back({"FieldValueForbidden",
                          "Forbidden: field is immutable when `immutable` is set", "data"});
    }
    if (before.is_deleting()) {
        const auto* old_list = array_at(before.data, {"metadata", "finalizers"});
        const auto* list = array_at(after, {"metadata", "finalizers"});
        for (std::size_t i = 0; list && i < list->size(); ++i) {
            const auto& each = (*list)[i];
            if (!old_list ||
                std::find(old_list->begin(), old_list->end(), each) == old_list->end()) {
                faults.push_back({"FieldValueForbidden",
                                  "Forbidden: no new finalizers can be added if the object is "
                                  "being deleted",
                                  "metadata.finalizers"});
            }
        }
    }
    if (!faults.empty()) {
        throw invalid(*before.type, before.name, faults);
    }
}

void fill_in(const ResourceType& type, json::object& data, const std::string& manager) {
    if (type.kind == "Pod") {
        auto given = data;
        admission_detail::manage(given, manager);
        admission_detail::fill_pod(data);
        object_in(data, "metadata")["managedFields"] =
            given["metadata"].as_object()["managedFields"];
        return;
    }
    admission_detail::manage(data, manager);
    if (type.kind == "Service") {
        admission_detail::fill_service(data);
    } else if (type.kind == "Secret") {
        data.emplace("type", "Opaque");
    } else if (type.kind == "Namespace") {
        data["status"] = json::object{{"phase", "Active"}};
    }
}

}  // namespace sparkhost::test::k8s
