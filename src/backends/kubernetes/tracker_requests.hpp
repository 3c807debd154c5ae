// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_TRACKER_REQUESTS_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_TRACKER_REQUESTS_HPP

#include "backends/kubernetes/api_answer.hpp"
#include "backends/kubernetes/application_table.hpp"
#include "backends/kubernetes/inquiry_machine.hpp"
#include "backends/kubernetes/watch_machine.hpp"
#include "http/client.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace sparkhost::detail::kubernetes {

// The requests of the tracker (https://kubernetes.io/docs/reference/using-api/api-concepts/).

/// Which pods are listed and watched.
struct PodSelection {
    enum class Role { driver, first_executor };
    Role role{Role::driver};
    std::string store_uuid{};
    std::string name_space{};  ///< empty: all
};

http::Request list_request(const PodSelection& pods, const WatchAction& action,
                           std::chrono::milliseconds deadline);
http::Request watch_request(const PodSelection& pods, const WatchAction& action,
                            std::chrono::milliseconds deadline);
/// The ConfigMaps that have taken the place of those of killed applications; names and labels only.
http::Request tombstones_request(const PodSelection& pods, const std::string& continue_token,
                                 std::chrono::milliseconds deadline);
http::Request events_request(const Inquiry& inquiry, std::chrono::milliseconds deadline);
http::Request config_map_request(const Inquiry& inquiry, std::chrono::milliseconds deadline);

http::Request pod_request(const PodRemoval& removal, std::chrono::milliseconds deadline);
/// Writes why the pod was given up on it.
http::Request given_up_request(const PodRemoval& removal, std::chrono::milliseconds deadline);
/// Takes our finalizer off the pod as it was read.
http::Request unprotect_request(const PodRemoval& removal, const ApiObject& pod,
                                std::chrono::milliseconds deadline);

}  // namespace sparkhost::detail::kubernetes

#endif
