// SPDX-License-Identifier: Apache-2.0
#include "kubernetes_options.hpp"

#include "backend_keys.hpp"

namespace server {

using sparkhost::KubernetesBackendOptions;

namespace {

using Key = BackendKey<KubernetesBackendOptions>;

constexpr const char* kubernetes_option = "--kubernetes";

Key of_server(std::string_view name, std::string sparkhost::KubernetesApiServer::*member) {
    return {name, [member](KubernetesBackendOptions& options, const std::string& value) {
                options.api_server.*member = value;
                return std::string();
            }};
}

Key driver_address() {
    return {"driver-address", [](KubernetesBackendOptions& options, const std::string& value) {
                options.driver_address = value == "pod-ip" ? sparkhost::DriverAddress::pod_ip
                                                           : sparkhost::DriverAddress::service;
                const bool known = value == "pod-ip" || value == "service";
                return std::string(known ? "" : "expected service or pod-ip");
            }};
}

const std::vector<Key>& kubernetes_keys() {
    using K = KubernetesBackendOptions;
    using S = sparkhost::KubernetesApiServer;
    static const std::vector<Key> table{
        text_key("name", &K::name),
        path_key("kubeconfig", &K::kubeconfig),
        text_key("context", &K::context),
        of_server("server", &S::url),
        of_server("ca-file", &S::ca_file),
        of_server("token-file", &S::token_file),
        of_server("client-certificate-file", &S::client_certificate_file),
        of_server("client-key-file", &S::client_key_file),
        of_server("server-name", &S::server_name),
        text_key("namespace", &K::default_namespace),
        list_key("allowed-namespace", &K::allowed_namespaces),
        flag_key("watch-all-namespaces", &K::watch_all_namespaces),
        text_key("image", &K::image),
        text_key("image-pull-policy", &K::image_pull_policy),
        list_key("image-pull-secret", &K::image_pull_secrets),
        text_key("service-account", &K::service_account),
        text_key("spark-version", &K::spark_version),
        path_key("pod-template", &K::pod_template),
        text_key("pod-template-container", &K::pod_template_container),
        properties_key("label", &K::labels),
        properties_key("annotation", &K::annotations),
        properties_key("conf", &K::conf),
        list_key("refused-conf", &K::refused_conf),
        list_key("allowed-kubernetes-conf", &K::allowed_kubernetes_conf),
        driver_address(),
        time_key("kill-grace", &K::kill_grace),
        flag_key("wait-for-quota", &K::wait_for_quota),
        time_key("stuck-limit", &K::stuck_limit),
        time_key("unschedulable-limit", &K::unschedulable_limit),
        count_key("max-requests", &K::max_requests),
        time_key("request-deadline", &K::request_deadline),
        count_key("max-followed-logs", &K::max_followed_logs)};
    return table;
}

}  // namespace

KubernetesBackendOptions parse_kubernetes(const std::string& text) {
    return parse_backend(kubernetes_option, kubernetes_keys(), text);
}

std::string kubernetes_rule(const std::string& text) {
    return backend_rule(kubernetes_option, parse_kubernetes, text);
}

}  // namespace server
