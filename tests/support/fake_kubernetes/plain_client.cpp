// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/plain_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>

#include <array>
#include <optional>

namespace sparkhost::test::k8s {

namespace asio = boost::asio;
namespace http = boost::beast::http;

struct PlainClient::Connection {
    asio::io_context io{};
    asio::ip::tcp::socket socket{io};
    boost::beast::flat_buffer buffer{};
    std::optional<http::response_parser<http::buffer_body>> stream{};
    std::string text{};
    bool over{false};
};

boost::json::value PlainAnswer::json() const {
    return boost::json::parse(body);
}

PlainClient::PlainClient(std::uint16_t port, std::string token)
    : port_(port), token_(std::move(token)) {}

PlainClient::~PlainClient() = default;

PlainAnswer PlainClient::send(const std::string& method, const std::string& target,
                              const std::string& body, const std::string& content_type) {
    boost::system::error_code error;
    if (!connection_) {
        connection_ = std::make_unique<Connection>();
        connection_->socket.connect({asio::ip::address_v4::loopback(), port_}, error);
    }
    http::request<http::string_body> request;
    request.method_string(method);
    request.target(target);
    request.version(11);
    request.set(http::field::host, "127.0.0.1");
    request.set(http::field::accept, accept);
    request.set(http::field::user_agent, "curl/8.0");
    if (!token_.empty()) {
        request.set(http::field::authorization, "Bearer " + token_);
    }
    if (!body.empty()) {
        request.set(http::field::content_type, content_type);
    }
    request.body() = body;
    request.prepare_payload();
    http::response<http::string_body> response;
    if (!error) {
        http::write(connection_->socket, request, error);
    }
    if (!error) {
        http::read(connection_->socket, connection_->buffer, response, error);
    }
    if (error) {
        connection_.reset();
        return {};
    }
    auto field = [&](auto name) { return std::string(response[name]); };
    PlainAnswer answer{static_cast<int>(response.result_int()), field(http::field::content_type),
                       field(http::field::retry_after), response.body()};
    if (!response.keep_alive()) {
        connection_.reset();
    }
    return answer;
}

int PlainClient::open_stream(const std::string& target) {
    connection_ = std::make_unique<Connection>();
    auto& at = *connection_;
    at.socket.connect({asio::ip::address_v4::loopback(), port_});
    http::request<http::string_body> request(http::verb::get, target, 11);
    request.set(http::field::host, "127.0.0.1");
    request.set(http::field::accept, accept);
    http::write(at.socket, request);
    at.stream.emplace();
    at.stream->body_limit(boost::none);
    http::read_header(at.socket, at.buffer, *at.stream);
    return static_cast<int>(at.stream->get().result_int());
}

std::string PlainClient::read_line() {
    auto& at = *connection_;
    for (;;) {
        const auto end = at.text.find('\n');
        if (end != std::string::npos) {
            auto line = at.text.substr(0, end);
            at.text.erase(0, end + 1);
            return line;
        }
        if (at.over || at.stream->is_done()) {
            return {};
        }
        std::array<char, 4096> piece{};
        at.stream->get().body().data = piece.data();
        at.stream->get().body().size = piece.size();
        boost::system::error_code error;
        http::read_some(at.socket, at.buffer, *at.stream, error);
        at.over = error && error != http::error::need_buffer;
        at.text.append(piece.data(), piece.size() - at.stream->get().body().size);
    }
}

}  // namespace sparkhost::test::k8s
