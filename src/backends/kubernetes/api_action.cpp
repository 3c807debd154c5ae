// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/api_action.hpp"

#include <string_view>

namespace sparkhost::detail::kubernetes {

std::string_view to_string(ObjectKind kind) {
    switch (kind) {
        case ObjectKind::config_map:
            return "ConfigMap";
        case ObjectKind::secret:
            return "Secret";
        case ObjectKind::service:
            return "Service";
        case ObjectKind::claim:
            return "PersistentVolumeClaim";
        case ObjectKind::pod:
            return "pod";
    }
    return "object";
}

std::vector<ObjectPart> parts_of(const ObjectList& list) {
    std::vector<ObjectPart> parts;
    parts.push_back({ObjectKind::config_map, 0});
    if (list.has_secret) {
        parts.push_back({ObjectKind::secret, 0});
    }
    if (list.has_service) {
        parts.push_back({ObjectKind::service, 0});
    }
    for (std::size_t i = 0; i < list.claims; ++i) {
        parts.push_back({ObjectKind::claim, i});
    }
    parts.push_back({ObjectKind::pod, 0});
    return parts;
}

}  // namespace sparkhost::detail::kubernetes
