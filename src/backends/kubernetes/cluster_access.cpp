// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/cluster_access.hpp"

#include "backends/common/posix_file.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr std::size_t max_kubeconfig = std::size_t{4} << 20;

ClusterAccess by_hand(const KubernetesApiServer& server) {
    ClusterAccess access;
    access.http.url = server.url;
    access.http.ca_file = server.ca_file;
    access.http.bearer_token_file = server.token_file;
    access.http.client_certificate_file = server.client_certificate_file;
    access.http.client_key_file = server.client_key_file;
    access.http.server_name = server.server_name;
    access.http.verify = server.verify;
    return access;
}

/// Of several, those that do not exist are passed over, as kubectl does.
Result<ClusterAccess> of_kubeconfig(const KubernetesBackendOptions& options) {
    const auto paths = kubeconfig_paths(options.kubeconfig);
    const auto exists = [](const std::string& path) { return file_exists(path); };
    const bool any = std::any_of(paths.begin(), paths.end(), exists);
    std::vector<KubeconfigText> files;
    for (const auto& path : paths) {
        if (any && !exists(path)) {
            continue;
        }
        auto text = read_whole_file(path, max_kubeconfig);
        if (!text) {
            return Error(Errc::backend_failed,
                         text.error().text() + " (KubernetesBackendOptions::kubeconfig)");
        }
        files.push_back({path, std::move(*text)});
    }
    return read_kubeconfigs(files, options.context);
}

std::string trimmed(std::string text) {
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') {
        text.pop_back();
    }
    return text;
}

Result<ClusterAccess> of_own_pod(const std::string& folder, const std::string& host,
                                 const std::string& port) {
    if (host.empty() || !file_exists(folder + "/token")) {
        return Error(Errc::backend_failed,
                     "no cluster is given, and this is no pod with a service account: set "
                     "KubernetesBackendOptions::kubeconfig or ::api_server");
    }
    ClusterAccess access;
    const bool is_ipv6 = host.find(':') != std::string::npos;
    access.http.url = "https://" + (is_ipv6 ? "[" + host + "]" : host);
    access.http.url += ":" + (port.empty() ? "443" : port);
    access.http.ca_file = folder + "/ca.crt";
    access.http.bearer_token_file = folder + "/token";
    if (auto own = read_whole_file(folder + "/namespace"); own) {
        access.default_namespace = trimmed(std::move(*own));
    }
    return access;
}

}  // namespace

Result<ClusterAccess> find_cluster(const KubernetesBackendOptions& options,
                                   const std::string& environment_host,
                                   const std::string& environment_port) {
    if (!options.api_server.url.empty()) {
        return by_hand(options.api_server);
    }
    if (!options.kubeconfig.empty()) {
        return of_kubeconfig(options);
    }
    return of_own_pod(options.service_account_folder, environment_host, environment_port);
}

}  // namespace sparkhost::detail::kubernetes
