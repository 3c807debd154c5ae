// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_ROUTE_HPP
#define SPARKHOST_SRC_REST_ROUTE_HPP

#include "rest/responses.hpp"
#include "rest/target.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/verb.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::rest {
struct RouterState;
}

namespace sparkhost::detail::rest {

namespace asio = boost::asio;
using StatePtr = std::shared_ptr<const sparkhost::rest::RouterState>;

/// A request on its way to its handler.
struct Call {
    StatePtr state{};
    Request request{};
    Target target{};       ///< without the router's prefix
    std::string id{};      ///< what stands for the first "{}" of the pattern
    std::string sub_id{};  ///< for the second one
    Dialect dialect{Dialect::plain};
};

/// Handlers have no sockets; they may throw, the router answers 500 then.
using Handler = asio::awaitable<Answer> (*)(Call call);

struct Route {
    http::verb method{http::verb::get};
    std::string_view pattern{};  ///< "batches/{}/log"; "{}" stands for one segment
    Handler handler{nullptr};
    Dialect dialect{Dialect::plain};
};

struct RouteMatch {
    const Route* route{nullptr};  ///< null: none, or none for this method
    std::string id{};
    std::string sub_id{};
    std::string allow{};  ///< the methods there are, where only the method is wrong
    Dialect dialect{Dialect::plain};
};

/// A trailing slash is ignored behind one segment ("/batches/"), and nowhere else, as in Livy.
RouteMatch match_route(std::span<const Route> routes, http::verb method, const Target& target);

// The tables of the dialects.
std::span<const Route> livy_routes();
std::span<const Route> livy_control_routes();
std::span<const Route> livy_job_routes();
std::span<const Route> livy_file_routes();
std::span<const Route> livy_statement_routes();
std::span<const Route> native_routes();
std::span<const Route> plain_routes();

}  // namespace sparkhost::detail::rest

#endif
