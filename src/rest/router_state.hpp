// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_ROUTER_STATE_HPP
#define SPARKHOST_SRC_REST_ROUTER_STATE_HPP

#include "rest/allowed_host.hpp"
#include "rest/route.hpp"

#include <sparkhost/host.hpp>
#include <sparkhost/rest/router.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sparkhost::rest {

/// What all requests share; never changes.
struct RouterState {
    RouterState(Host& served, RouterOptions chosen);

    Host* host;
    RouterOptions options;
    detail::rest::AllowedHosts hosts;
    std::vector<std::string> prefix{};  ///< segments of options.prefix
    std::vector<detail::rest::Route> routes{};
};

}  // namespace sparkhost::rest

namespace sparkhost::detail::rest {

/// Router::answer.
asio::awaitable<std::optional<Answer>> answer_request(StatePtr state, Request request);

}  // namespace sparkhost::detail::rest

#endif
