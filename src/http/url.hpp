// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_URL_HPP
#define SPARKHOST_SRC_HTTP_URL_HPP

#include <sparkhost/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sparkhost::detail::http {

/// Where a client's requests go.
struct ServerUrl {
    bool tls{false};
    std::string host{};  ///< name or address, an IPv6 address without its brackets
    bool is_address{false};
    std::uint16_t port{0};
    std::string
        authority{};     ///< as the Host header has it: "[::1]:6443"; the scheme's port is left out
    std::string base{};  ///< path before each target, without a '/' at its end

    /// "host:port", for messages.
    std::string peer() const;
};

/// Reads "http[s]://host[:port][/base]". Errors: invalid_argument – `detail` says which rule.
Result<ServerUrl> parse_server_url(std::string_view text);

/// `text` as a part of a path or query can carry it; what is in `kept` stays as it is, too.
std::string percent_encoded(std::string_view text, std::string_view kept = {});

}  // namespace sparkhost::detail::http

#endif
