// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_REST_SERVE_FIXTURE_HPP
#define SPARKHOST_TESTS_UNIT_REST_SERVE_FIXTURE_HPP

#include <sparkhost/rest/serve.hpp>

#include "unit/rest/router_fixture.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sparkhost::rest_test {

using asio::ip::tcp;

/// A client on a real socket that says exactly what it is told to.
class Client {
public:
    explicit Client(asio::io_context& io) : io_(io), socket_(io, tcp::v4()) {}

    void connect(const tcp::endpoint& to) {
        call([&]() -> asio::awaitable<void> {
            co_await socket_.async_connect(to, asio::use_awaitable);
        });
    }
    void say(std::string text) {
        call([&]() -> asio::awaitable<void> {
            co_await asio::async_write(socket_, asio::buffer(text), asio::use_awaitable);
        });
    }
    /// Connects and says it while the server gets no turn: no time passes for it in between.
    void arrive(const tcp::endpoint& to, const std::string& text) {
        socket_.connect(to);
        asio::write(socket_, asio::buffer(text));
    }
    /// The next response; `head`: one without a body, whatever its length says.
    rest::Response hear(bool head = false) {
        http::response_parser<http::string_body> parser;
        parser.body_limit(64u << 20);
        parser.skip(head);
        call([&]() -> asio::awaitable<void> {
            co_await http::async_read(socket_, buffer_, parser, asio::use_awaitable);
        });
        return parser.release();
    }
    rest::Response ask(std::string text) {
        say(std::move(text));
        return hear();
    }
    /// Everything until the text comes, the text included.
    std::string hear_until(std::string text) {
        std::string heard = boost::beast::buffers_to_string(buffer_.data());
        buffer_.clear();
        std::size_t found = heard.find(text);
        call([&]() -> asio::awaitable<void> {
            std::array<char, 16384> part;
            while (found == std::string::npos) {
                const auto room = asio::buffer(part);
                const auto size = co_await socket_.async_read_some(room, asio::use_awaitable);
                const auto from = heard.size() - std::min(heard.size(), text.size());
                heard.append(part.data(), size);
                found = heard.find(text, from);
            }
        });
        const std::string_view rest = std::string_view(heard).substr(found + text.size());
        buffer_.commit(asio::buffer_copy(buffer_.prepare(rest.size()), asio::buffer(rest)));
        heard.resize(found + text.size());
        return heard;
    }
    /// Everything until the server closes.
    std::string hear_out() {
        std::string rest(static_cast<const char*>(buffer_.data().data()), buffer_.size());
        call([&]() -> asio::awaitable<void> {
            boost::system::error_code failure;
            while (!failure) {
                std::array<char, 4096> part;
                const auto room = asio::buffer(part);
                const auto size = co_await socket_.async_read_some(
                    room, asio::redirect_error(asio::use_awaitable, failure));
                rest.append(part.data(), size);
            }
        });
        return rest;
    }
    bool is_closed() { return hear_out().empty(); }
    void close() { socket_.close(); }
    tcp::socket& socket() { return socket_; }

private:
    template <class Function>
    void call(Function function) {
        test::run_on(io_, std::move(function));
    }

    asio::io_context& io_;
    tcp::socket socket_;
    boost::beast::flat_buffer buffer_;
};

/// A server on a port that the system has picked.
struct ServeFixture : RouterFixture {
    rest::ServeOptions serve_options{};
    tcp::endpoint endpoint;
    asio::cancellation_signal stop_serving;
    std::shared_ptr<bool> served{std::make_shared<bool>(false)};
    std::vector<std::string> complaints;

    void start() {
        RouterFixture::start();
        serve_options.log = [this](const LogEvent& event) { complaints.push_back(event.message); };
        tcp::acceptor acceptor(io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        endpoint = acceptor.local_endpoint();
        auto over = [done = served](std::exception_ptr escaped) {
            BOOST_TEST(!escaped, "serve() threw");
            *done = true;
        };
        asio::co_spawn(io(), rest::serve(std::move(acceptor), *router, serve_options),
                       asio::bind_cancellation_slot(stop_serving.slot(), std::move(over)));
        settle();
    }

    Client connected() {
        Client client(io());
        client.connect(endpoint);
        return client;
    }

    Client arrived(const std::string& text) {
        Client client(io());
        client.arrive(endpoint, text);
        return client;
    }

    /// Runs until the condition holds.
    template <class Condition>
    void until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + test::patience;
        io().restart();
        while (!condition() && io().run_one_until(end) != 0) {
        }
        if (!condition()) {
            BOOST_FAIL("it did not happen in time");
        }
    }

    void cancel_serving() { stop_serving.emit(asio::cancellation_type::terminal); }
    void until_served() {
        until([this] { return *served; });
    }

    ~ServeFixture() {
        faults().let_go();
        if (!*served && router) {
            cancel_serving();
            until_served();
        }
    }
};

inline std::string get_line(const std::string& target, const std::string& fields = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n";
}

inline std::string post_line(const std::string& body, const std::string& fields = {}) {
    return "POST /batches HTTP/1.1\r\nHost: localhost\r\n" + fields +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace sparkhost::rest_test

#endif
