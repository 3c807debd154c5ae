// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_REST_ROUTER_HPP
#define SPARKHOST_REST_ROUTER_HPP

#include <sparkhost/host.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::rest {

using Request = boost::beast::http::request<boost::beast::http::string_body>;
using Response = boost::beast::http::response<boost::beast::http::string_body>;

/// Makes a body while it is sent: gives the next piece; an empty one means that the body is
/// complete. Ask again only when the last piece has been sent, so that a slow client is not
/// written for; one call at a time.
/// Throws: the body cannot be completed; close the connection, so that the client notices.
/// Cancellation: terminal; the body ends early, with an empty piece.
/// Lifetimes: the router's host must outlive it.
using BodySource = std::function<boost::asio::awaitable<std::string>()>;

/// A response, or the beginning of one.
struct Answer {
    Answer() = default;
    Answer(Response whole) : response(std::move(whole)) {}  // NOLINT: converting

    /// With a `body` it has no Content-Length; the sender says how the body is framed
    /// (Transfer-Encoding: chunked, or for HTTP/1.0 the end of the connection).
    Response response{};
    BodySource body{};  ///< empty: response.body() is all
};

/// Versions of Livy whose objects clients can be shown. The strict Java clients of a version know
/// its fields and break on others.
enum class LivyLevel {
    v0_5,  ///< sessions have 8 fields, no name; batches 5; what is not found is a bare string
    v0_6,  ///< sessions have 9 fields
    v0_7,
    v0_8,  ///< all fields but idleTimeout
    v0_9   ///< all 23 fields
};

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

    /// The same for requests that bring a file, a job or code. Default: 101 MiB.
    std::size_t max_upload{101u << 20};

    /// Most objects in one answer of GET /batches and GET /sessions; a greater `size` is cut to it.
    /// Must be greater than zero. Default: 10 000.
    std::size_t max_page{10'000};

    /// Most bytes of log lines in one answer of GET /batches/{id}/log or /sessions/{id}/log; what
    /// is longer is cut, and `from` and the number of lines say where to go on. Must be greater
    /// than zero. Default: 16 MiB.
    std::size_t max_log_bytes{16u << 20};

    /// A stream without news sends a comment after so long, so that nobody on the way takes it for
    /// dead. Must be greater than zero. Default: 15 s.
    std::chrono::milliseconds keep_alive{std::chrono::seconds{15}};

    /// Livy's objects, its errors and GET /version are those of this version. Default: 0.9.
    LivyLevel livy_level{LivyLevel::v0_9};

    /// Requests that can change something (not GET, HEAD or OPTIONS) need a header X-Requested-By,
    /// whatever it says; without it they are refused with 400, as Livy does with
    /// livy.server.csrf-protection.enabled. Web pages of other origins cannot send it. Many clients
    /// of Livy do not send it either. Default: false.
    bool require_requested_by{false};

    /// Is told of requests that failed inside the server (500).
    LogSink log{};
};

/// Answers HTTP requests about a host; has no sockets. Mount it in your own server, or use serve().
///
/// Routes: Livy's GET /version, and under /batches and /sessions: POST, GET, GET /{id},
/// GET /{id}/state, GET /{id}/log, DELETE /{id}; under /sessions/{id}: POST stop, interrupt,
/// connect, completion; under /sessions/{id}/statements: POST, GET, GET /{sid},
/// POST /{sid}/cancel; the native GET /api/v1/batches/{id}; GET /healthz, /readyz,
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
    /// What can only be streamed is answered 501; see answer().
    boost::asio::awaitable<std::optional<Response>> handle(Request request) const;

    /// The same for senders that can stream: the body of the answer may still have to be made.
    boost::asio::awaitable<std::optional<Answer>> answer(Request request) const;

    /// The answer for a path nobody knows, in the shape of the dialect that `handle` speaks.
    Response not_found(const Request& request) const;

    /// The answer to a request that has come too late, in the shape of its dialect: 503 with
    /// Retry-After; GET /healthz is 200 all the same. Looks at method and target only.
    Response shutting_down(const Request& request) const;

private:
    std::shared_ptr<const struct RouterState> state_;
};

}  // namespace sparkhost::rest

#endif
