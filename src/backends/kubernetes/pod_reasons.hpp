// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_POD_REASONS_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_POD_REASONS_HPP

// What a driver pod's object says, in words that a person can act on (docs/kubernetes_states.md).

#include "backends/kubernetes/api_objects.hpp"

#include <sparkhost/batch.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// What keeps a driver from starting.
struct Hindrance {
    enum class Kind {
        none,
        scheduling,     ///< no node takes it
        image,          ///< cannot be pulled; may heal
        image_name,     ///< can never be pulled
        configuration,  ///< a Secret or ConfigMap, or a key of one, is missing
        creation,       ///< the container cannot be created or started
        volume,         ///< cannot be mounted
        progress        ///< nothing is wrong, but it takes time
    };
    Kind kind{Kind::none};
    std::string text{};
    std::optional<Timestamp> since{};  ///< where the cluster says it
};

/// What the pod's own status says; kind `none` where nothing hinders it.
Hindrance find_hindrance(const PodView& pod);
/// What the latest of a pod's events says; they are in the order of time.
Hindrance find_hindrance(const std::vector<PodEvent>& events);
/// When the last image was there.
std::optional<Timestamp> image_pulled_at(const std::vector<PodEvent>& events);

/// How a driver that is over has ended, but for whose wish it was.
struct PodEnd {
    Outcome outcome{Outcome::failed};
    std::optional<int> exit_code{};
    std::string reason{};
    std::optional<Timestamp> at{};
    bool deleted_by_wish{false};  ///< nothing else ended it: somebody has deleted the pod
};

/// Nothing: it is not over, as far as the pod's object says.
std::optional<PodEnd> find_end(const PodView& pod);
/// Of a pod that is no more. The last that was seen of it says little.
PodEnd end_of_vanished();

}  // namespace sparkhost::detail::kubernetes

#endif
