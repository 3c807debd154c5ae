// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_ADMISSION_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_ADMISSION_HPP

// What the real server checks and fills in before it stores an object.

#include "support/fake_kubernetes/object.hpp"

#include <string>

namespace sparkhost::test::k8s {

/// Throws Refusal (422) for what the real server would not take.
void check_new(const ResourceType& type, const std::string& name, const json::object& data);
/// Throws Refusal (422) for changes that are not allowed.
void check_change(const Object& before, const json::object& after);
/// Defaults of the kind, and `managedFields` for `manager`.
void fill_in(const ResourceType& type, json::object& data, const std::string& manager);

}  // namespace sparkhost::test::k8s

#endif
