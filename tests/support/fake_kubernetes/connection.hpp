// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_CONNECTION_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_CONNECTION_HPP

// One connection of the fake API server, and what is streamed over it.

#include "support/fake_kubernetes/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>

namespace sparkhost::test::k8s {

struct Server::Held {
    explicit Held(boost::asio::io_context& io)
        : timer(io, boost::asio::steady_timer::time_point::max()) {}
    boost::asio::steady_timer timer;
    bool decided{false};
    bool dropped{false};
};

/// An answer without an end of its own.
struct Server::Stream {
    explicit Stream(boost::asio::io_context& io)
        : wake(io, boost::asio::steady_timer::time_point::max()), limit(io), flush(io) {}

    std::optional<WatchPlan> watch{};
    std::optional<LogPlan> log{};
    std::size_t log_at{0};
    std::string pending{};
    std::string writing{};    ///< taken from `pending` at once: no piece moves what comes after it
    std::size_t written{0};   ///< of `writing`
    std::string postponed{};  ///< a change that waits for another one to swap with
    std::string postponed_uid{};
    bool over{false};  ///< ends in order when all is written
    bool cut{false};
    bool reading{false};   ///< for the client's leaving
    bool complete{false};  ///< the last chunk is written
    bool cut_within_a_line{false};
    boost::asio::steady_timer wake;
    boost::asio::steady_timer limit;
    boost::asio::steady_timer flush;

    void add(const std::string& text) {
        pending += text;
        wake.cancel();
    }
    bool has_more() const { return written < writing.size() || !pending.empty(); }
    /// What is to be written next.
    std::string take(std::size_t at_most);
    void postpone(std::string line, const std::string& uid);
    /// Appends what the log has more now.
    void take_log(const Kubelet& kubelet);
};

struct Connection {
    Connection(Server& to, boost::asio::ip::tcp::socket taken)
        : server(to), socket(std::move(taken)) {}

    Server& server;
    boost::asio::ip::tcp::socket socket;
    boost::beast::flat_buffer buffer{};

    boost::asio::awaitable<void> run(std::shared_ptr<Connection> self);
    void close();

private:
    struct Parsed {
        ApiRequest request;
        bool keep_alive;
    };
    boost::asio::awaitable<std::optional<Parsed>> read();
    /// False: the connection has to go.
    boost::asio::awaitable<bool> answer(Parsed parsed);
    boost::asio::awaitable<bool> write(ApiAnswer answer, bool keep_alive);
    /// False: the connection has to go.
    boost::asio::awaitable<bool> stream(std::shared_ptr<Connection> self, ApiAnswer answer);
    boost::asio::awaitable<void> stop_reading(std::shared_ptr<Server::Stream> out);
    boost::asio::awaitable<bool> write_stream(std::shared_ptr<Server::Stream> out);
    boost::asio::awaitable<bool> write_piece(std::shared_ptr<Server::Stream> out);
    std::shared_ptr<Server::Stream> begin_stream(ApiAnswer answer);
};

}  // namespace sparkhost::test::k8s

#endif
