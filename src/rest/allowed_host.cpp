// SPDX-License-Identifier: Apache-2.0
#include "rest/allowed_host.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <stdexcept>

namespace sparkhost::detail::rest {

namespace allowed_hosts {

/// The host of "host", "host:port" or "[v6]:port"; empty when it is none of these.
std::string_view host_of(std::string_view authority) {
    std::string_view host = authority;
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        if (end == std::string_view::npos) {
            return {};
        }
        const std::string_view rest = host.substr(end + 1);
        host = host.substr(1, end - 1);
        return rest.empty() || rest.starts_with(':') ? host : std::string_view();
    }
    const auto colon = host.find(':');
    if (colon != host.rfind(':')) {
        return {};
    }
    host = host.substr(0, colon);
    return host.find_first_of("@/?# ") == std::string_view::npos ? host : std::string_view();
}

bool is_loopback(std::string_view host) {
    if (boost::beast::iequals(host, "localhost")) {
        return true;
    }
    boost::system::error_code failure;
    const auto address = boost::asio::ip::make_address(host, failure);
    return !failure && address.is_loopback();
}

}  // namespace allowed_hosts

AllowedHosts::AllowedHosts(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        any_ = any_ || name == "*";
        const bool bare_v6 = std::ranges::count(name, ':') > 1 && !name.starts_with('[');
        const std::string_view host =
            bare_v6 ? std::string_view(name) : allowed_hosts::host_of(name);
        if (host.empty() || (!bare_v6 && name.find("]:") != std::string::npos) ||
            (!bare_v6 && !name.starts_with('[') && host.size() != name.size())) {
            throw std::invalid_argument("RouterOptions::allowed_hosts: '" + name +
                                        "' is not a host name or address without port");
        }
        std::string lower(host);
        std::ranges::transform(lower, lower.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
        names_.push_back(std::move(lower));
    }
}

bool AllowedHosts::allows(std::string_view host) const {
    if (host.empty()) {
        return false;
    }
    return any_ || allowed_hosts::is_loopback(host) ||
           std::ranges::any_of(names_, [host](const std::string& name) {
               return boost::beast::iequals(name, host);
           });
}

bool AllowedHosts::allows_authority(std::string_view authority) const {
    return any_ || allows(allowed_hosts::host_of(authority));
}

bool AllowedHosts::allows_origin(std::string_view origin) const {
    const auto scheme = origin.find("://");
    return any_ || (scheme != std::string_view::npos &&
                    allows(allowed_hosts::host_of(origin.substr(scheme + 3))));
}

}  // namespace sparkhost::detail::rest
