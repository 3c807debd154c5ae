// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_WIRE_HPP
#define SPARKHOST_SRC_REST_WIRE_HPP

#include "rest/responses.hpp"

#include <ctime>
#include <string>
#include <string_view>

namespace sparkhost::detail::rest {

/// "Thu, 01 Jan 2026 00:00:00 GMT" (RFC 9110, section 5.6.7).
std::string http_date(std::time_t seconds);

/// How a response is sent to this client.
struct Sending {
    unsigned request_version{11};
    bool keep_alive{true};
    std::string_view date{};
};

/// The status line and header fields, ready to be sent before the body.
std::string response_head(const Response& response, const Sending& sending);

/// A piece of a body as a chunk (RFC 9112, section 7.1); the empty one ends the body.
std::string chunk_of(std::string_view piece);

}  // namespace sparkhost::detail::rest

#endif
