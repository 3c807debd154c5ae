// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_PERMISSIONS_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_PERMISSIONS_HPP

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// One thing the host's account must be allowed to do: a line of examples/kubernetes/rbac.yaml.
struct Permission {
    std::string_view verb{};
    std::string_view resource{};
    std::string_view subresource{};  ///< "log"; empty: none
};

/// All of them, in every namespace where drivers may run. (That many namespaces are watched at
/// once is a further one: list and watch of pods and configmaps in the whole cluster.)
const std::vector<Permission>& needed_permissions();

/// What list and watch need where one watch covers the whole cluster.
const std::vector<Permission>& cluster_wide_permissions();

/// Body of a SelfSubjectAccessReview; an empty namespace means all of them.
std::string access_review(const Permission& permission, std::string_view in_namespace);

/// What the answer says. Errors: backend_failed – it is no answer to a review.
Result<bool> read_access_review(std::string_view body);

/// "create pods, get pods/log (namespace jobs)"; for messages.
std::string describe_missing(const std::vector<Permission>& missing, std::string_view in_namespace);

}  // namespace sparkhost::detail::kubernetes

#endif
