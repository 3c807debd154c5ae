// SPDX-License-Identifier: Apache-2.0
#include "support/http/scripted_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstdlib>
#include <utility>

namespace sparkhost::test {

namespace {

using tcp = asio::ip::tcp;

std::size_t body_size(const std::string& head) {
    const std::string name = "\r\nContent-Length: ";
    const auto at = head.find(name);
    return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + name.size(), nullptr, 10);
}

}  // namespace

Peer::Peer(tcp::socket accepted, asio::ssl::context* tls) : socket(std::move(accepted)) {
    if (tls != nullptr) {
        tls_.emplace(socket, *tls);
    }
}

asio::awaitable<bool> Peer::greet() {
    boost::system::error_code failure;
    if (tls_) {
        co_await tls_->async_handshake(asio::ssl::stream_base::server,
                                       asio::redirect_error(asio::use_awaitable, failure));
    }
    co_return !failure;
}

asio::awaitable<bool> Peer::read_more() {
    boost::system::error_code failure;
    std::string piece(64 * 1024, '\0');
    const auto room = asio::buffer(piece);
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    std::size_t size = 0;
    if (tls_) {
        size = co_await tls_->async_read_some(room, token);
    } else {
        size = co_await socket.async_read_some(room, token);
    }
    buffer_.append(piece, 0, size);
    co_return !failure;
}

asio::awaitable<std::string> Peer::request() {
    std::size_t end = buffer_.find("\r\n\r\n");
    while (end == std::string::npos) {
        const bool more = co_await read_more();
        if (!more) {
            co_return std::string();
        }
        end = buffer_.find("\r\n\r\n");
    }
    const std::size_t size = end + 4 + body_size(buffer_.substr(0, end + 2));
    while (buffer_.size() < size) {
        const bool more = co_await read_more();
        if (!more) {
            co_return std::string();
        }
    }
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    ++requests;
    co_return taken;
}

asio::awaitable<bool> Peer::say(std::string bytes) {
    boost::system::error_code failure;
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    if (tls_) {
        co_await asio::async_write(*tls_, asio::buffer(bytes), token);
    } else {
        co_await asio::async_write(socket, asio::buffer(bytes), token);
    }
    co_return !failure;
}

asio::awaitable<bool> Peer::answer(std::string body, std::string status, std::string headers) {
    std::string text = "HTTP/1.1 " + status + "\r\n" + headers +
                       "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    co_return co_await say(std::move(text));
}

asio::awaitable<void> Peer::hold() {
    bool more = true;
    while (more) {
        more = co_await read_more();
    }
}

void Peer::close() {
    boost::system::error_code ignored;
    socket.close(ignored);
}

struct ScriptedServer::State {
    explicit State(asio::any_io_executor executor) : acceptor(std::move(executor)) {}
    tcp::acceptor acceptor;
    Script script{};
    std::shared_ptr<asio::ssl::context> tls{};
    std::vector<std::weak_ptr<Peer>> peers{};
    int connections{0};
};

ScriptedServer::ScriptedServer(asio::any_io_executor executor, Script script,
                               std::shared_ptr<asio::ssl::context> tls)
    : state_(std::make_shared<State>(executor)) {
    state_->script = std::move(script);
    state_->tls = std::move(tls);
    const tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    state_->acceptor.open(any.protocol());
    state_->acceptor.bind(any);
    state_->acceptor.listen();
    port_ = state_->acceptor.local_endpoint().port();
    asio::co_spawn(executor, accept(state_), asio::detached);
}

ScriptedServer::~ScriptedServer() {
    boost::system::error_code ignored;
    state_->acceptor.close(ignored);
    for (const auto& weak : state_->peers) {
        if (auto peer = weak.lock()) {
            peer->close();
        }
    }
}

std::string ScriptedServer::url() const {
    return (state_->tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
}

int ScriptedServer::connections() const {
    return state_->connections;
}

asio::awaitable<void> ScriptedServer::accept(std::shared_ptr<State> state) {
    for (;;) {
        boost::system::error_code failure;
        tcp::socket socket = co_await state->acceptor.async_accept(
            asio::redirect_error(asio::use_awaitable, failure));
        if (failure) {
            co_return;
        }
        socket.set_option(tcp::no_delay(true));
        auto peer = std::make_shared<Peer>(std::move(socket), state->tls.get());
        peer->number = ++state->connections;
        state->peers.push_back(peer);
        asio::co_spawn(state->acceptor.get_executor(), serve(state, peer), asio::detached);
    }
}

asio::awaitable<void> ScriptedServer::serve(std::shared_ptr<State> state,
                                            std::shared_ptr<Peer> peer) {
    const bool greeted = co_await peer->greet();
    if (greeted) {
        auto scripted = state->script(peer);
        co_await std::move(scripted);
    }
    peer->close();
}

ScriptedServer::Script always(std::string body, std::string status, std::string headers) {
    return [=](std::shared_ptr<Peer> peer) -> asio::awaitable<void> {
        // copies: the closure may go before the coroutine does
        const std::string said = body;
        const std::string status_line = status;
        const std::string more = headers;
        for (;;) {
            const std::string request = co_await peer->request();
            if (request.empty()) {
                co_return;
            }
            co_await peer->answer(said, status_line, more);
        }
    };
}

std::shared_ptr<asio::ssl::context> server_tls(const CertifiedKey& key,
                                               const std::string& client_authority) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    context->use_certificate_chain(asio::buffer(key.certificate));
    context->use_private_key(asio::buffer(key.key), asio::ssl::context::pem);
    if (!client_authority.empty()) {
        context->add_certificate_authority(asio::buffer(client_authority));
        context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    }
    return context;
}

}  // namespace sparkhost::test
