// SPDX-License-Identifier: Apache-2.0
#include "rest/route.hpp"

#include <algorithm>
#include <optional>

namespace sparkhost::detail::rest {

namespace route_matching {

struct Ids {
    std::string first{};
    std::string second{};
};

/// The segments that stand for "{}" (empty without one), or nothing when the path is another.
std::optional<Ids> match(std::string_view pattern, const Target& target) {
    Ids ids;
    std::size_t places = 0;
    std::size_t used = 0;
    while (!pattern.empty()) {
        const auto end = std::min(pattern.find('/'), pattern.size());
        const std::string_view part = pattern.substr(0, end);
        pattern.remove_prefix(std::min(end + 1, pattern.size()));
        if (used == target.segments.size()) {
            return std::nullopt;
        }
        const std::string& segment = target.segments[used++];
        if (part == "{}") {
            (places++ == 0 ? ids.first : ids.second) = segment;
        } else if (part != segment) {
            return std::nullopt;
        }
    }
    const bool too_long = used != target.segments.size() || (target.trailing_slash && used > 1);
    return too_long ? std::nullopt : std::optional<Ids>(std::move(ids));
}

}  // namespace route_matching

RouteMatch match_route(std::span<const Route> routes, http::verb method, const Target& target) {
    RouteMatch result;
    const http::verb wanted = method == http::verb::head ? http::verb::get : method;
    for (const Route& route : routes) {
        auto ids = route_matching::match(route.pattern, target);
        if (!ids) {
            continue;
        }
        result.dialect = route.dialect;
        if (route.method == wanted) {
            result.route = &route;
            result.id = std::move(ids->first);
            result.sub_id = std::move(ids->second);
            return result;
        }
        result.allow += result.allow.empty() ? "" : ", ";
        result.allow += http::to_string(route.method);
        result.allow += route.method == http::verb::get ? ", HEAD" : "";
    }
    return result;
}

}  // namespace sparkhost::detail::rest
