// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_PATCH_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_PATCH_HPP

// RFC 7396 and RFC 6902, and of strategic merge patches what concerns metadata.

#include "support/fake_kubernetes/object.hpp"

#include <string>

namespace sparkhost::test::k8s {

/// `data` patched. Throws Refusal (415, 422) if the type is unknown or the patch does not apply.
json::object patched(const json::object& data, const std::string& content_type,
                     const json::value& patch);

}  // namespace sparkhost::test::k8s

#endif
