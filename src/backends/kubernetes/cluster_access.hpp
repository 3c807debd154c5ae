// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_CLUSTER_ACCESS_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_CLUSTER_ACCESS_HPP

#include "http/client.hpp"

#include <sparkhost/backends/kubernetes.hpp>
#include <sparkhost/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// How to reach an API server, and as whom.
struct ClusterAccess {
    http::ClientOptions http{};       ///< url, TLS, credentials
    std::string default_namespace{};  ///< of the context, or of the pod the host runs in; may be ""
};

/// Of the options: api_server, else kubeconfig, else the service account of the pod the host runs
/// in (`environment_host` and `environment_port` are KUBERNETES_SERVICE_HOST and _PORT there).
/// Blocking. Errors: backend_failed – it cannot be read; `detail` names file and option.
Result<ClusterAccess> find_cluster(const KubernetesBackendOptions& options,
                                   const std::string& environment_host,
                                   const std::string& environment_port);

struct KubeconfigText {
    std::string path{};  ///< relative paths in it are beside it
    std::string text{};
};

/// A `context` (empty: the current-context) of kubeconfigs, as kubectl merges them: the first file
/// that has an entry of a name has all of it, and the first that names a current-context names it.
/// (kubeconfig.cpp) Errors: backend_failed – `detail` says what is wrong with which entry of which
/// file; also for what is not supported (exec, auth-provider).
Result<ClusterAccess> read_kubeconfigs(const std::vector<KubeconfigText>& files,
                                       const std::string& context);

/// The paths of a list such as $KUBECONFIG: separated by ':', empty ones left out.
std::vector<std::string> kubeconfig_paths(std::string_view list);

}  // namespace sparkhost::detail::kubernetes

#endif
