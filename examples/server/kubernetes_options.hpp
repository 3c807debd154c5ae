// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_KUBERNETES_OPTIONS_HPP
#define SPARKHOST_EXAMPLES_SERVER_KUBERNETES_OPTIONS_HPP

#include <sparkhost/backends/kubernetes.hpp>

#include <string>

namespace server {

/// One --kubernetes: "KEY=VALUE,KEY=VALUE…"; a comma in a value is written twice. Throws
/// ConfigError, which names the key. `work_dir` is left empty.
sparkhost::KubernetesBackendOptions parse_kubernetes(const std::string& text);

/// What is wrong with one; empty: nothing.
std::string kubernetes_rule(const std::string& text);

}  // namespace server

#endif
