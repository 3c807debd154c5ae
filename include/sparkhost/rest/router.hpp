// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_REST_ROUTER_HPP
#define SPARKHOST_REST_ROUTER_HPP

#include <sparkhost/host.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::rest {

using Request = boost::beast::http::request<boost::beast::http::string_body>;
using Response = boost::beast::http::response<boost::beast::http::string_body>;

struct RouterOptions {
    /// Path prefix under which the routes live, without a trailing slash; "/spark" makes them
    /// /spark/batches …; a request outside it is not answered. Empty: the root. Default: empty.
    std::string prefix{};

    /// Longest `?wait=`; longer ones are cut to it. Must be greater than zero. Default: 300 s.
    std::chrono::seconds max_wait{300};

    /// Accepted Host headers besides loopback names and addresses, without port
    /// ("spark.example.org").
    /// "*" accepts any. A request with another Host, or with an Origin whose host is not one of
    /// these, is refused with 403: a web page must not drive a server on loopback.
    std::vector<std::string> allowed_hosts{};

    /// Largest request body the routes accept; more is 413. Default: 1 MiB.
    std::size_t max_body{1u << 20};

    /// Most batches in one answer of GET /batches; a greater `size` is cut to it. Must be greater
    /// than zero. Default: 10 000.
    std::size_t max_page{10'000};

    /// Most bytes of log lines in one answer of GET /batches/{id}/log; what is longer is cut, and
    /// `from` and the number of lines say where to go on. Must be greater than zero.
    /// Default: 16 MiB.
    std::size_t max_log_bytes{16u << 20};

    /// Is told of requests that failed inside the server (500).
    LogSink log{};
};

/// Answers HTTP requests about a host; has no sockets. Mount it in your own server, or use serve().
///
/// Routes: Livy's GET /version, and under /batches: POST, GET, GET /{id}, GET /{id}/state,
/// GET /{id}/log, DELETE /{id}; the native GET /api/v1/batches/{id}; GET /healthz, /readyz,
/// /metrics; GET / with a short page.
/// See docs/rest_api.md.
///
/// Thread safety: safe; holds no mutable state. Lifetimes: the Host must outlive the router.
class Router {
public:
    /// Throws std::invalid_argument when an option breaks its rule.
    Router(Host& host, RouterOptions options = {});

    /// Answers a request; nothing when its path is outside the prefix or no route's, so that a
    /// host application can try its own routes. Never throws for what a request contains.
    /// Cancellation: ends a long-poll wait early; the answer is then that of the moment.
    boost::asio::awaitable<std::optional<Response>> handle(Request request) const;

    /// The answer for a path nobody knows, in the shape of the dialect that `handle` speaks.
    Response not_found(const Request& request) const;

private:
    std::shared_ptr<const struct RouterState> state_;
};

}  // namespace sparkhost::rest

#endif
