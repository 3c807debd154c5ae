// SPDX-License-Identifier: Apache-2.0
#include "rest/target.hpp"

#include "rest/text.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/pct_string_view.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <ranges>

namespace sparkhost::detail::rest {

namespace target_parsing {

namespace urls = boost::urls;

Error bad_target(std::string why) {
    return Error(Errc::invalid_argument, "The request target is not valid: " + std::move(why));
}

/// Percent-decodes a part; nothing when the result cannot be text.
std::optional<std::string> decoded(std::string_view encoded, bool plus_is_space) {
    const auto view = urls::make_pct_string_view(encoded);
    if (!view) {
        return std::nullopt;
    }
    const urls::encoding_opts options(plus_is_space);
    std::string text = view->decode(options);
    const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (!is_utf8(text) || std::ranges::any_of(text, control)) {
        return std::nullopt;
    }
    return text;
}

Result<void> read_path(std::string_view path, Target& target) {
    target.trailing_slash = path.size() > 1 && path.back() == '/';
    while (!path.empty()) {
        const auto end = std::min(path.find('/'), path.size());
        std::string_view raw = path.substr(0, end);
        path.remove_prefix(std::min(end + 1, path.size()));
        raw = raw.substr(0, raw.find(';'));
        auto segment = decoded(raw, false);
        if (!segment) {
            return bad_target("a path segment is not UTF-8 text, or has control characters.");
        }
        if (*segment == "..") {
            return bad_target("'..' is not allowed in a path.");
        }
        if (!segment->empty() && *segment != ".") {
            target.segments.push_back(std::move(*segment));
        }
    }
    target.trailing_slash = target.trailing_slash && !target.segments.empty();
    return ok();
}

Result<void> read_query(std::string_view query, Target& target) {
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) {
            continue;
        }
        const auto equals = std::min(pair.find('='), pair.size());
        auto name = decoded(pair.substr(0, equals), true);
        auto value = decoded(pair.substr(std::min(equals + 1, pair.size())), true);
        if (!name || !value) {
            return bad_target("a query parameter is not UTF-8 text, or has control characters.");
        }
        target.params.emplace_back(std::move(*name), std::move(*value));
    }
    return ok();
}

}  // namespace target_parsing

const std::string* Target::param(std::string_view name) const noexcept {
    const auto found = std::ranges::find(params, name, &std::pair<std::string, std::string>::first);
    return found == params.end() ? nullptr : &found->second;
}

Result<Target> parse_target(std::string_view text) {
    using namespace target_parsing;
    const bool origin_form = text.starts_with('/');
    const auto url = origin_form ? urls::parse_origin_form(text) : urls::parse_absolute_uri(text);
    if (!url || (!origin_form && !url->has_authority())) {
        return bad_target(
            "write a path that begins with '/', with other characters percent-encoded.");
    }
    Target target;
    if (!origin_form) {
        target.authority = std::string(url->encoded_host_and_port());
    }
    // Cut by hand: what Boost.URL calls the path of "//batches" is not what HTTP means by it.
    std::string_view path = text;
    if (!origin_form) {
        const std::string_view rest = text.substr(text.find("//") + 2);
        path = rest.substr(std::min(rest.find_first_of("/?"), rest.size()));
    }
    const auto query = std::min(path.find('?'), path.size());
    if (auto read = read_path(path.substr(0, query), target); !read) {
        return read.error();
    }
    if (auto read = read_query(path.substr(std::min(query + 1, path.size())), target); !read) {
        return read.error();
    }
    return target;
}

Result<std::int64_t> parse_java_int(std::string_view text) {
    std::string_view digits = text;
    if (digits.starts_with('+') && digits.size() > 1 && digits[1] != '-') {
        digits.remove_prefix(1);
    }
    std::int32_t value = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
        return Error(Errc::invalid_argument, "For input string: \"" + std::string(text) + "\"");
    }
    return std::int64_t{value};
}

Result<std::int64_t> int_param(const Target& target, std::string_view name, std::int64_t fallback) {
    const std::string* text = target.param(name);
    return text == nullptr ? Result<std::int64_t>(fallback) : parse_java_int(*text);
}

}  // namespace sparkhost::detail::rest
