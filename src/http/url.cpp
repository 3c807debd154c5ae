// SPDX-License-Identifier: Apache-2.0
#include "http/url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace sparkhost::detail::http {

std::string ServerUrl::peer() const {
    const bool bracketed = host.find(':') != std::string::npos;
    const std::string shown = bracketed ? "[" + host + "]" : host;
    return shown + ":" + std::to_string(port);
}

Result<ServerUrl> parse_server_url(std::string_view text) {
    namespace urls = boost::urls;
    const auto wrong = [](std::string rule) { return Error(Errc::invalid_argument, rule); };
    const auto parsed = urls::parse_uri(text);
    if (!parsed) {
        return wrong("must be a URL such as https://host:6443");
    }
    const urls::url_view& url = *parsed;
    ServerUrl server;
    if (url.scheme_id() != urls::scheme::http && url.scheme_id() != urls::scheme::https) {
        return wrong("must begin with http:// or https://");
    }
    server.tls = url.scheme_id() == urls::scheme::https;
    if (url.has_userinfo()) {
        return wrong("must not contain a user or password; there are options for them");
    }
    if (url.has_query() || url.has_fragment()) {
        return wrong("must not have a query or fragment");
    }
    server.host = url.host_address();
    if (server.host.empty()) {
        return wrong("names no host");
    }
    server.is_address =
        url.host_type() == urls::host_type::ipv4 || url.host_type() == urls::host_type::ipv6;
    const std::uint16_t usual = server.tls ? 443 : 80;
    const bool has_port = url.has_port() && !std::string_view(url.port()).empty();
    server.port = has_port ? url.port_number() : usual;
    if (server.port == 0) {
        return wrong("has an impossible port");
    }
    server.authority = std::string(std::string_view(url.encoded_host()));
    if (server.port != usual) {
        server.authority += ":" + std::to_string(server.port);
    }
    server.base = std::string(std::string_view(url.encoded_path()));
    while (server.base.ends_with('/')) {
        server.base.pop_back();
    }
    return server;
}

std::string percent_encoded(std::string_view text, std::string_view kept) {
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char each : text) {
        if (plain.find(each) != std::string_view::npos ||
            kept.find(each) != std::string_view::npos) {
            encoded += each;
        } else {
            const auto byte = static_cast<unsigned char>(each);
            encoded += '%';
            encoded += digits[byte >> 4];
            encoded += digits[byte & 15];
        }
    }
    return encoded;
}

}  // namespace sparkhost::detail::http
