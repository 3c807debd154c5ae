// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_TICKET_DATA_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_TICKET_DATA_HPP

#include "backends/standalone/driver_request.hpp"

#include <sparkhost/backend.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail::standalone {

/// Ticket::data.
struct TicketData {
    std::string store{};  ///< the store's uuid
    std::string nonce{};  ///< random for each reserve
    DriverRequest request{};
    std::vector<DriverFile> files{};
};

std::string encode_ticket_data(const TicketData& data);

/// Errors: backend_failed – this is no ticket of ours.
Result<TicketData> decode_ticket_data(const Ticket& ticket);

}  // namespace sparkhost::detail::standalone

#endif
