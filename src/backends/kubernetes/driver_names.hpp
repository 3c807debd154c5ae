// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_NAMES_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_NAMES_HPP

#include "backends/common/ticket_names.hpp"

#include <string>
#include <string_view>

namespace sparkhost::detail::kubernetes {

// Labels of each object, and the finalizer of the driver pod (docs/kubernetes.md).
inline constexpr std::string_view store_label = "sparkhost.io/store";
inline constexpr std::string_view ticket_label = "sparkhost.io/ticket";
inline constexpr std::string_view nonce_label = "sparkhost.io/nonce";
/// "true" on the empty ConfigMap that takes the place of a killed application's.
inline constexpr std::string_view killed_label = "sparkhost.io/killed";
/// "true" on the one that takes the place of an application the API server would not have.
inline constexpr std::string_view refused_label = "sparkhost.io/refused";
/// Why it was refused; an annotation.
inline constexpr std::string_view reason_annotation = "sparkhost.io/reason";
inline constexpr std::string_view end_recorded_finalizer = "sparkhost.io/end-recorded";

/// Whose an object is. All three must match: a store put back to a backup gives tickets again.
struct Identity {
    std::string store{};   ///< the store's uuid
    std::string ticket{};  ///< Ticket::id
    std::string nonce{};   ///< 16 hex digits, random for each reserve
    bool operator==(const Identity&) const = default;
};

std::string pod_name(std::string_view ticket);         ///< "<ticket>-driver"
std::string config_map_name(std::string_view ticket);  ///< "<ticket>-conf"
std::string secret_name(std::string_view ticket);      ///< "<ticket>-secret"
std::string service_name(std::string_view ticket);     ///< "<ticket>-svc"

}  // namespace sparkhost::detail::kubernetes

#endif
