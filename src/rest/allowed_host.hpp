// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_ALLOWED_HOST_HPP
#define SPARKHOST_SRC_REST_ALLOWED_HOST_HPP

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::rest {

/// Whose requests are answered: a web page somewhere on the internet must not be able to drive
/// a server on loopback, neither directly (Origin) nor by a DNS name of its own that points
/// there (Host).
class AllowedHosts {
public:
    /// Throws std::invalid_argument for an entry that is not a host name or address.
    explicit AllowedHosts(const std::vector<std::string>& names);

    /// For a Host header or the authority of a request target: "name", "name:port", "[::1]:port".
    bool allows_authority(std::string_view authority) const;

    /// For an Origin header: "http://name:port"; "null" is nobody.
    bool allows_origin(std::string_view origin) const;

private:
    bool allows(std::string_view host) const;

    bool any_{false};
    std::vector<std::string> names_{};  ///< lower case
};

}  // namespace sparkhost::detail::rest

#endif
