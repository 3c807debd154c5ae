// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_CLIENT_HPP
#define SPARKHOST_SRC_HTTP_CLIENT_HPP

// An HTTP/1.1 client for the backends: keep-alive connections to one server, TLS, credentials that
// rotate, deadlines, answers that never end (watches, logs).

#include <sparkhost/error.hpp>
#include <sparkhost/log.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::http {

struct Header {
    std::string name{};
    std::string value{};
};

/// A body that is not in memory as a whole.
struct BodySource {
    std::uint64_t size{0};
    /// Some bytes from `offset` on; none, or an error, ends the request: it breaks off.
    std::function<Awaitable<std::string>(std::uint64_t offset)> read{};
};

struct Request {
    std::string method{"GET"};
    std::string target{"/"};  ///< path and query, percent-encoded; comes behind the URL's own path
    std::vector<Header> headers{};
    std::string body{};
    std::shared_ptr<const BodySource> source{};  ///< instead of `body`
    /// For everything: waiting for a connection, sending, the whole answer (of a stream: its head).
    std::chrono::milliseconds deadline{std::chrono::seconds{30}};
    /// The server does the same when it gets it twice: sent again when a connection broke, on
    /// 429/5xx with Retry-After. GET, HEAD, PUT and DELETE with preconditions are; POST with names
    /// too.
    bool repeatable{false};
};

struct Response {
    int status{0};
    std::vector<Header> headers{};
    std::string body{};
    /// The first header of this name (any case); empty: there is none.
    std::string_view header(std::string_view name) const;
};

/// An answer whose body is read as it comes.
class Stream {
public:
    virtual ~Stream() = default;  ///< closes the connection
    virtual const Response& head()
        const = 0;  ///< status and headers; body of an answer that is not 2xx (bounded)
    /// At least one byte; an empty string is the regular end. Errors: backend_failed – the
    /// connection broke; timed_out – nothing came within `idle`. Cancellation: leaves the stream
    /// closed.
    virtual Awaitable<std::string> read_some(std::chrono::milliseconds idle) = 0;
};

struct ClientOptions {
    std::string url{};      ///< "https://host:port/base"; IPv6 in brackets. Required.
    std::string ca_file{};  ///< PEM; empty together with ca_data: the system's
    std::string ca_data{};  ///< PEM
    std::string client_certificate{}, client_key{};            ///< PEM text; both or none
    std::string client_certificate_file{}, client_key_file{};  ///< re-read when they change
    std::string server_name{};  ///< for SNI and verification; empty: the URL's host
    bool verify{true};
    std::string bearer_token{};
    std::string
        bearer_token_file{};  ///< re-read when it changes and at 401; a line end at its end is cut
    std::string user{}, password{};   ///< basic authentication
    std::size_t max_connections{16};  ///< for send(); streams have their own, unbounded
    std::chrono::milliseconds connect_deadline{std::chrono::seconds{10}};
    std::chrono::milliseconds idle_limit{
        std::chrono::seconds{60}};  ///< an unused connection is closed
    std::size_t max_body{64u << 20};
    boost::asio::any_io_executor
        blocking_executor{};  ///< files and name resolution; empty: the caller's
    LogSink log{};
};

/// For one strand. Throws std::invalid_argument naming the option that is wrong (URL, PEM …).
class Client {
public:
    Client(boost::asio::any_io_executor executor, ClientOptions options);
    ~Client();  ///< operations under way end with an error, as at a broken connection

    /// Errors: backend_failed – it was certainly not processed (no connection, TLS, deadline before
    /// it was sent), `detail` says where and why; indeterminate – it may have been. An answer with
    /// any status is a success.
    Awaitable<Response> send(Request request);
    /// Errors: as send.
    Awaitable<std::unique_ptr<Stream>> stream(Request request);

    /// Why the last attempt to connect failed: the server's certificate is not accepted. That gets
    /// no better by waiting.
    bool is_untrusted() const;

private:
    std::shared_ptr<class ClientImpl> impl_;
};

}  // namespace sparkhost::detail::http

#endif
