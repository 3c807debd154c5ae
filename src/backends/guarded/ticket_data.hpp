// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_TICKET_DATA_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_TICKET_DATA_HPP

#include <sparkhost/backend.hpp>

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail::guarded {

/// Ticket::data.
struct TicketData {
    std::string store{};  ///< the store's uuid
    std::string nonce{};  ///< random for each reserve
    std::vector<DriverFile> files{};
    boost::json::object request{};  ///< the backend's own: what the driver is made of
};

/// The name of a driver file in the granted folder.
std::string granted_name(const DriverFile& file);

std::string encode_ticket_data(const TicketData& data);

/// Errors: backend_failed – this is no ticket of ours.
Result<TicketData> decode_ticket_data(const Ticket& ticket);

}  // namespace sparkhost::detail::guarded

#endif
