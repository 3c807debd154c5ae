// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/kubelet.hpp"

#include <sstream>

// What the kubelet reads from a pod, and writes into it.

namespace sparkhost::test::k8s {

namespace kubelet_pods_detail {

bool is_optional(const json::object& source) {
    const auto* optional = source.if_contains("optional");
    return optional && optional->is_bool() && optional->as_bool();
}

json::object condition(const char* type, bool holds) {
    return {{"type", type},
            {"status", holds ? "True" : "False"},
            {"lastProbeTime", nullptr},
            {"lastTransitionTime", timestamp(std::chrono::system_clock::now())}};
}

}  // namespace kubelet_pods_detail

/// A volume whose source, or one of whose keys, is missing cannot be mounted.
std::string Kubelet::source_fault(const std::string& ns, const char* plural,
                                  const std::string& name, const json::object& source) const {
    const bool is_secret = std::string_view(plural) == "secrets";
    if (name == "kube-root-ca.crt" || kubelet_pods_detail::is_optional(source)) {
        return {};
    }
    const auto object = store_.find(*find_resource(plural), ns, name);
    if (!object) {
        return std::string(is_secret ? "secret" : "configmap") + " \"" + name + "\" not found";
    }
    const auto* items = array_at(source, {"items"});
    for (std::size_t i = 0; items && i < items->size(); ++i) {
        const auto key = text_at((*items)[i].as_object(), {"key"});
        bool found = false;
        for (const auto* part : {"data", "binaryData", "stringData"}) {
            const auto* entries = object_at(object->data, {part});
            found = found || (entries && entries->contains(key));
        }
        if (!found) {
            return "references non-existent " + std::string(is_secret ? "secret" : "config") +
                   " key: " + key;
        }
    }
    return {};
}

std::string Kubelet::mount_fault(const Object& pod) const {
    const auto* volumes = array_at(pod.data, {"spec", "volumes"});
    for (std::size_t i = 0; volumes && i < volumes->size(); ++i) {
        const auto& volume = (*volumes)[i].as_object();
        std::string fault;
        auto check = [&](const json::object& source_of) {
            const auto* map = object_at(source_of, {"configMap"});
            const auto* secret = object_at(source_of, {"secret"});
            if (map && fault.empty()) {
                fault = source_fault(pod.ns, "configmaps", text_at(*map, {"name"}), *map);
            }
            if (secret && fault.empty()) {
                const auto direct = text_at(*secret, {"secretName"});
                fault = source_fault(pod.ns, "secrets",
                                     direct.empty() ? text_at(*secret, {"name"}) : direct, *secret);
            }
        };
        check(volume);
        const auto* sources = array_at(volume, {"projected", "sources"});
        for (std::size_t s = 0; sources && s < sources->size(); ++s) {
            check((*sources)[s].as_object());
        }
        if (!fault.empty()) {
            return "MountVolume.SetUp failed for volume \"" + text_at(volume, {"name"}) +
                   "\" : " + fault;
        }
    }
    return {};
}

/// The driver's spark.properties, out of the ConfigMap it mounts.
std::string Kubelet::properties_of(const Object& pod) const {
    const auto* volumes = array_at(pod.data, {"spec", "volumes"});
    for (std::size_t i = 0; volumes && i < volumes->size(); ++i) {
        const auto name = text_at((*volumes)[i].as_object(), {"configMap", "name"});
        const auto map = store_.find(*find_resource("configmaps"), pod.ns, name);
        const auto text = map ? text_at(map->data, {"data", "spark.properties"}) : "";
        if (!text.empty()) {
            return text;
        }
    }
    return {};
}

void Kubelet::make_executor(const Object& driver) {
    json::object labels{{"spark-role", "executor"},
                        {"spark-app-selector", driver.label("spark-app-selector")},
                        {"spark-exec-id", "1"}};
    const std::string prefix = "spark.kubernetes.executor.label.";
    std::istringstream lines(properties_of(driver));
    for (std::string line; std::getline(lines, line);) {
        const auto sign = line.find_first_of("= ");
        if (line.starts_with(prefix) && sign != std::string::npos) {
            labels[line.substr(prefix.size(), sign - prefix.size())] =
                line.substr(line.find_first_not_of("= ", sign));
        }
    }
    json::object owner{{"apiVersion", "v1"},
                       {"kind", "Pod"},
                       {"name", driver.name},
                       {"uid", driver.uid},
                       {"controller", true}};
    json::object container{{"name", "spark-kubernetes-executor"},
                           {"image", "x:1"},
                           {"args", json::array{"program=endless"}}};
    json::object data{
        {"metadata", json::object{{"labels", std::move(labels)},
                                  {"ownerReferences", json::array{std::move(owner)}}}},
        {"spec", json::object{{"containers", json::array{std::move(container)}}}},
        {"status", json::object{{"phase", "Pending"}, {"qosClass", "BestEffort"}}}};
    store_.create(*driver.type, driver.ns, driver.name + "-exec-1", std::move(data));
}

/// A driver takes its executors with it when it ends.
void Kubelet::remove_executor(const Object& driver) {
    const auto executor = store_.find(*driver.type, driver.ns, driver.name + "-exec-1");
    if (executor && !executor->is_deleting()) {
        delete_object(store_, executor, {});
    }
}

json::object Kubelet::status(const Run& run, const Object& pod, const std::string& phase,
                             json::object state) const {
    using kubelet_pods_detail::condition;
    const bool runs = state.contains("running");
    json::object made{{"phase", phase}};
    made["conditions"] =
        json::array{condition("PodScheduled", true), condition("Initialized", true),
                    condition("Ready", runs), condition("ContainersReady", runs)};
    made["hostIP"] = "127.0.0.1";
    made["podIP"] = run.ip;
    made["podIPs"] = json::array{json::object{{"ip", run.ip}}};
    made["startTime"] = text_at(pod.data, {"metadata", "creationTimestamp"});
    json::array containers;
    for (const auto& each : *array_at(pod.data, {"spec", "containers"})) {
        const auto image = text_at(each.as_object(), {"image"});
        const auto name = text_at(each.as_object(), {"name"});
        containers.push_back(json::object{{"name", name},
                                          {"state", state},
                                          {"lastState", json::object()},
                                          {"ready", runs},
                                          {"restartCount", 0},
                                          {"image", image},
                                          {"imageID", "process://" + image},
                                          {"containerID", "process://" + pod.uid + "/" + name},
                                          {"started", runs}});
    }
    made["containerStatuses"] = std::move(containers);
    made["qosClass"] = text_at(pod.data, {"status", "qosClass"});
    return made;
}

void Kubelet::set_status(const ObjectPtr& pod, json::object status) {
    auto data = pod->data;
    data["status"] = std::move(status);
    store_.replace(pod, std::move(data));
}

void Kubelet::write_event(const Object& pod, const std::string& type, const std::string& reason,
                          const std::string& message, const std::string& component) {
    if (!writes_events) {
        return;
    }
    const auto now = timestamp(std::chrono::system_clock::now());
    json::object data{{"involvedObject", json::object{{"kind", "Pod"},
                                                      {"namespace", pod.ns},
                                                      {"name", pod.name},
                                                      {"uid", pod.uid},
                                                      {"apiVersion", "v1"}}},
                      {"reason", reason},
                      {"message", message},
                      {"source", json::object{{"component", component}}},
                      {"firstTimestamp", now},
                      {"lastTimestamp", now},
                      {"count", 1},
                      {"type", type},
                      {"eventTime", nullptr},
                      {"reportingComponent", component},
                      {"reportingInstance", "n1"}};
    store_.create(*find_resource("events"), pod.ns, pod.name + "." + random_uid().substr(0, 8),
                  std::move(data));
}

}  // namespace sparkhost::test::k8s
