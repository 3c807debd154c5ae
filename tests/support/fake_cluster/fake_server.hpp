// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_FAKE_SERVER_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_FAKE_SERVER_HPP

#include "support/fake_cluster/traffic.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

namespace sparkhost::test {

/// One server of a fake cluster on a socket.
class FakeServer {
public:
    using Handler = std::function<HttpAnswer(const HttpRequest&)>;
    /// Has a port, and refuses connections to it until it comes.
    FakeServer(boost::asio::io_context& io, Traffic& traffic, Handler handler)
        : io_(io), traffic_(traffic), handler_(std::move(handler)) {
        bind(0);
    }

    std::uint16_t port() const { return port_; }
    std::string url() const { return "http://" + address(); }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

    /// Every connection breaks, new ones are refused.
    void go_away();
    void come_back();

private:
    using Socket = boost::asio::ip::tcp::socket;

    void bind(std::uint16_t port);
    boost::asio::awaitable<void> accept(std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor);
    boost::asio::awaitable<void> serve(std::shared_ptr<Socket> socket);
    boost::asio::awaitable<bool> answer(std::shared_ptr<Socket> socket, HttpRequest request);
    boost::asio::awaitable<bool> send(std::shared_ptr<Socket> socket, HttpAnswer answer);

    boost::asio::io_context& io_;
    Traffic& traffic_;
    Handler handler_;
    std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor_{};
    std::uint16_t port_{0};
    std::set<std::shared_ptr<Socket>> sockets_{};
};

}  // namespace sparkhost::test

#endif
