// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_TICKET_DATA_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_TICKET_DATA_HPP

#include "backends/kubernetes/api_action.hpp"
#include "backends/kubernetes/driver_objects.hpp"

#include <sparkhost/backend.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// What is decided when a ticket is reserved, so that a submit after a crash, an upgrade or a
/// change of options makes the same objects, and finds them.
struct TicketData {
    Identity identity{};
    DriverObjects objects{};
    std::vector<DriverFileName> files{};  ///< their contents are read when it is submitted

    ObjectList list() const;
};

std::string encode_ticket_data(const TicketData& data);

/// Errors: backend_failed – the ticket is not one that this backend has made.
Result<TicketData> decode_ticket_data(const Ticket& ticket);

}  // namespace sparkhost::detail::kubernetes

#endif
