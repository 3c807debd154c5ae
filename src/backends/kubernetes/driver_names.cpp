// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/driver_names.hpp"

namespace sparkhost::detail::kubernetes {

std::string pod_name(std::string_view ticket) {
    return std::string(ticket) + "-driver";
}

std::string config_map_name(std::string_view ticket) {
    return std::string(ticket) + "-conf";
}

std::string secret_name(std::string_view ticket) {
    return std::string(ticket) + "-secret";
}

std::string service_name(std::string_view ticket) {
    return std::string(ticket) + "-svc";
}

}  // namespace sparkhost::detail::kubernetes
