// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_HTTP_SCRIPTED_SERVER_HPP
#define SPARKHOST_TESTS_SUPPORT_HTTP_SCRIPTED_SERVER_HPP

// A server that says what a test wants it to say, byte by byte.

#include "support/http/certificates.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::test {

namespace asio = boost::asio;

/// One connection of the server.
class Peer {
public:
    Peer(asio::ip::tcp::socket accepted, asio::ssl::context* tls);

    /// False: the handshake failed.
    asio::awaitable<bool> greet();
    /// The next request, head and body; empty: the client has gone.
    asio::awaitable<std::string> request();
    /// False: the client has gone.
    asio::awaitable<bool> say(std::string bytes);
    /// "HTTP/1.1 200 OK" with a Content-Length.
    asio::awaitable<bool> answer(std::string body, std::string status = "200 OK",
                                 std::string headers = "");
    /// Until the client has gone.
    asio::awaitable<void> hold();
    void close();

    asio::ip::tcp::socket socket;
    int number{0};    ///< of the connection, from 1
    int requests{0};  ///< so far, on this connection

private:
    asio::awaitable<bool> read_more();

    std::optional<asio::ssl::stream<asio::ip::tcp::socket&>> tls_{};
    std::string buffer_{};
};

class ScriptedServer {
public:
    using Script = std::function<asio::awaitable<void>(std::shared_ptr<Peer>)>;
    /// Runs the script once for each connection, which is closed when it has ended.
    ScriptedServer(asio::any_io_executor executor, Script script,
                   std::shared_ptr<asio::ssl::context> tls = nullptr);
    ~ScriptedServer();

    std::string url() const;
    std::uint16_t port() const { return port_; }
    int connections() const;

private:
    struct State;
    static asio::awaitable<void> accept(std::shared_ptr<State> state);
    static asio::awaitable<void> serve(std::shared_ptr<State> state, std::shared_ptr<Peer> peer);

    std::shared_ptr<State> state_;
    std::uint16_t port_{0};
};

/// An address at which nobody answers.
class ClosedDoor {
public:
    explicit ClosedDoor(asio::any_io_executor executor) : socket_(std::move(executor)) {
        const asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
        socket_.open(any.protocol());
        socket_.bind(any);  // taken, and not listened at
    }
    std::string url() const { return "http://" + node(); }
    std::string node() const {
        return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
    }

private:
    asio::ip::tcp::acceptor socket_;
};

/// A script that answers each request with `body`.
ScriptedServer::Script always(std::string body, std::string status = "200 OK",
                              std::string headers = "");

std::shared_ptr<asio::ssl::context> server_tls(const CertifiedKey& key,
                                               const std::string& client_authority = "");

}  // namespace sparkhost::test

#endif
