// SPDX-License-Identifier: Apache-2.0
#include "http/client_impl.hpp"

#include <algorithm>
#include <cctype>

namespace sparkhost::detail::http {

namespace {

bool is_token_text(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char letter) {
        return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
               marks.find(letter) != std::string_view::npos;
    });
}

bool is_target_text(std::string_view text) {
    return text.starts_with('/') && std::all_of(text.begin(), text.end(), [](char letter) {
               const auto code = static_cast<unsigned char>(letter);
               return code > 0x20 && code < 0x7f;
           });
}

bool has_same_letters(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
    });
}

}  // namespace

std::string_view Response::header(std::string_view name) const {
    for (const Header& header : headers) {
        if (has_same_letters(header.name, name)) {
            return header.value;
        }
    }
    return {};
}

Result<void> check_request(const Request& request) {
    if (!is_token_text(request.method)) {
        return Error(Errc::invalid_argument, "is no HTTP method", "method");
    }
    if (!is_target_text(request.target)) {
        return Error(Errc::invalid_argument, "must begin with '/' and be percent-encoded",
                     "target");
    }
    for (const Header& header : request.headers) {
        if (!is_token_text(header.name) || !is_header_text(header.value)) {
            return Error(Errc::invalid_argument, "is no HTTP header", "headers." + header.name);
        }
    }
    return ok();
}

/// The request as it is sent.
std::string ClientImpl::wire(const Course& course) const {
    const Request& request = course.request;
    const ServerUrl& url = connector_->url();
    std::string text = request.method + " " + url.base + request.target + " HTTP/1.1\r\n";
    const auto add = [&text](std::string_view name, std::string_view value) {
        text.append(name).append(": ").append(value).append("\r\n");
    };
    add("Host", url.authority);
    if (!course.authorization.empty()) {
        add("Authorization", course.authorization);
    }
    bool named = false;
    for (const Header& header : request.headers) {
        named = named || has_same_letters(header.name, "User-Agent");
        add(header.name, header.value);
    }
    if (!named) {
        add("User-Agent", "sparkhost");
    }
    const bool may_have_body = request.method != "GET" && request.method != "HEAD";
    const std::uint64_t size = request.source ? request.source->size : request.body.size();
    if (size > 0 || may_have_body) {
        add("Content-Length", std::to_string(size));
    }
    text.append("\r\n");
    return request.source ? text : text.append(request.body);
}

}  // namespace sparkhost::detail::http
