// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_STATUS_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_STATUS_HPP

// The Status objects of a refusal, word by word as kube-apiserver 1.36 writes them.

#include "support/fake_kubernetes/object.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sparkhost::test::k8s {

/// A refusal, thrown by whoever finds the fault.
struct Refusal {
    int code{500};
    std::string reason{};
    std::string message{};
    std::optional<json::object> details{};
    json::object to_json() const;
};

/// What of an object is wrong.
struct FieldFault {
    std::string reason;  ///< FieldValueRequired, FieldValueInvalid, FieldValueForbidden
    std::string message;
    std::string field;
};

Refusal unauthorized();
/// `what`: "pods", or "pods/log" for a sub-resource. `name` may be empty.
Refusal forbidden(const std::string& user, const std::string& verb, const std::string& what,
                  const std::string& ns, const std::string& name);
Refusal over_quota(const std::string& name, const std::string& quota, std::size_t used,
                   std::size_t limit);
Refusal not_found(const ResourceType& type, const std::string& name);
Refusal no_such_path();
Refusal already_exists(const Object& there);
/// An update that was made from an older version.
Refusal modified_meanwhile(const ResourceType& type, const std::string& name);
Refusal uid_of_update_differs(const Object& there, const std::string& wanted);
Refusal uid_differs(const Object& there, const std::string& wanted);
Refusal version_differs(const Object& there, const std::string& wanted);
Refusal expired(const std::string& what);  ///< "list" or "watch"
Refusal expired_continue();
Refusal invalid(const ResourceType& type, const std::string& name,
                const std::vector<FieldFault>& faults);
Refusal patch_does_not_apply();
Refusal bad_request(const std::string& message);
Refusal method_not_allowed();
Refusal unsupported_media_type();

}  // namespace sparkhost::test::k8s

#endif
