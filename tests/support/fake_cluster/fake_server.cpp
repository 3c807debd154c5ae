// SPDX-License-Identifier: Apache-2.0
#include "support/fake_cluster/fake_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <utility>

namespace sparkhost::test {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

void FakeServer::bind(std::uint16_t port) {
    const tcp::endpoint here(asio::ip::make_address("127.0.0.1"), port);
    acceptor_ = std::make_shared<tcp::acceptor>(io_);
    acceptor_->open(here.protocol());
    acceptor_->set_option(tcp::acceptor::reuse_address(true));
    acceptor_->bind(here);
    port_ = acceptor_->local_endpoint().port();
}

void FakeServer::come_back() {
    acceptor_->listen();
    asio::co_spawn(io_, accept(acceptor_), asio::detached);
}

void FakeServer::go_away() {
    error_code ignored;
    acceptor_->close(ignored);
    for (const auto& each : std::exchange(sockets_, {})) {
        each->close(ignored);
    }
    bind(port_);  // nobody else gets the port meanwhile
}

asio::awaitable<void> FakeServer::accept(std::shared_ptr<tcp::acceptor> acceptor) {
    while (acceptor->is_open()) {
        error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        tcp::socket taken = co_await acceptor->async_accept(token);
        if (!error) {
            auto socket = std::make_shared<tcp::socket>(std::move(taken));
            sockets_.insert(socket);
            asio::co_spawn(io_, serve(socket), asio::detached);
        }
    }
}

asio::awaitable<void> FakeServer::serve(std::shared_ptr<tcp::socket> socket) {
    boost::beast::flat_buffer buffer;
    bool goes_on = true;
    while (goes_on && socket->is_open()) {
        http::request_parser<http::string_body> parser;
        parser.body_limit(16U << 20U);
        error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await http::async_read(*socket, buffer, parser, token);
        if (error) {
            break;
        }
        const auto& message = parser.get();
        auto text = [](auto view) { return std::string(view.data(), view.size()); };
        HttpRequest request;
        request.method = text(message.method_string());
        request.target = text(message.target());
        request.authorization = text(message[http::field::authorization]);
        request.body = message.body();
        goes_on = co_await answer(socket, std::move(request));
        traffic_.note();
    }
    error_code ignored;
    socket->close(ignored);
    sockets_.erase(socket);
}

asio::awaitable<bool> FakeServer::answer(std::shared_ptr<tcp::socket> socket, HttpRequest request) {
    const auto fault = traffic_.meet(request);
    using Kind = Fault::Kind;
    if (fault && fault->kind == Kind::hold) {
        const bool goes_on = co_await traffic_.hold();
        if (!goes_on) {
            co_return false;
        }
    }
    if (fault && fault->kind == Kind::lose_request) {
        co_return false;
    }
    HttpAnswer made;
    if (fault && fault->kind == Kind::answer) {
        made = HttpAnswer{fault->status, "text/html", "<html>it went wrong</html>"};
    } else {
        made = handler_(request);
    }
    const auto after = std::move(made.after);
    bool goes_on = false;
    if (fault && fault->kind == Kind::cut_answer) {
        error_code ignored;
        auto token = asio::redirect_error(asio::use_awaitable, ignored);
        const std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"act";
        co_await asio::async_write(*socket, asio::buffer(half), token);
    } else if (!fault || fault->kind != Kind::lose_answer) {
        goes_on = co_await send(socket, std::move(made));
    }
    if (after) {
        after();
    }
    co_return goes_on;
}

asio::awaitable<bool> FakeServer::send(std::shared_ptr<tcp::socket> socket, HttpAnswer made) {
    http::response<http::string_body> response(static_cast<http::status>(made.status), 11);
    response.set(http::field::content_type, made.type);
    for (const auto& [name, value] : made.headers) {
        response.set(name, value);
    }
    response.body() = std::move(made.body);
    response.prepare_payload();
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await http::async_write(*socket, response, token);
    co_return !error;
}

}  // namespace sparkhost::test
