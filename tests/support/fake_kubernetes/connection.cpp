// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace sparkhost::test::k8s {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace connection_detail {

ApiAnswer fault_answer(const Fault& fault) {
    ApiAnswer made;
    made.status = fault.status;
    if (fault.retry_after >= 0) {
        made.headers.emplace_back("Retry-After", std::to_string(fault.retry_after));
    }
    if (fault.status == 429) {  // as flow control writes it
        made.content_type = "text/plain; charset=utf-8";
        made.body = "Too many requests, please try again later.\n";
        return made;
    }
    const bool away = fault.status == 503;
    Refusal refusal{fault.status,
                    away ? "ServiceUnavailable" : "InternalError",
                    away ? "the server is currently unable to handle the request"
                         : "Internal error occurred: etcdserver: request timed out",
                    {}};
    made.body = boost::json::serialize(refusal.to_json());
    return made;
}

}  // namespace connection_detail

void Server::Stream::postpone(std::string line, const std::string& uid) {
    postponed = std::move(line);
    postponed_uid = uid;
    // Nothing to swap with comes: it is told after all.
    flush.expires_after(std::chrono::milliseconds(20));
    flush.async_wait([this](error_code error) {
        if (!error && !postponed.empty()) {
            add(std::exchange(postponed, {}));
        }
    });
}

void Server::Stream::take_log(const Kubelet& kubelet) {
    const auto lines = kubelet.log_of(log->pod->uid);
    if (!lines) {
        over = true;
        wake.cancel();
        return;
    }
    if (log_at == 0 && log->tail && lines->lines.size() > *log->tail) {
        log_at = lines->lines.size() - *log->tail;
    }
    for (; log_at < lines->lines.size(); ++log_at) {
        const auto& line = lines->lines[log_at];
        if (!log->since || line.at >= *log->since) {
            pending += (log->timestamps ? nano_timestamp(line.at) + " " : "") + line.text + "\n";
        }
    }
    if (log->limit_bytes && pending.size() > *log->limit_bytes) {
        pending.resize(*log->limit_bytes);
        over = true;
    }
    over = over || !log->follow || lines->complete;
    wake.cancel();
}

std::string Server::Stream::take(std::size_t at_most) {
    if (written == writing.size()) {
        writing = std::exchange(pending, {});
        written = 0;
    }
    auto piece = writing.substr(written, at_most);
    written += piece.size();
    return piece;
}

void Connection::close() {
    error_code ignored;
    socket.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket.close(ignored);
}

asio::awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
    bool goes_on = true;
    while (goes_on && socket.is_open()) {
        auto parsed = co_await read();
        if (!parsed) {
            co_return;
        }
        auto& owner = server;
        auto& request = parsed->request;
        ++owner.requests_;
        if (owner.keeps_request_log) {
            owner.request_log.push_back(request.method + " " + request.target);
        }
        std::optional<Fault> fault;
        if (const auto* found = owner.fault_of(request)) {
            fault = *found;
        }
        using Kind = Fault::Kind;
        if (fault && fault->kind == Kind::hold) {
            const auto held = std::make_shared<Server::Held>(owner.io_);
            owner.held_.push_back(held);
            if (owner.after_each) {
                owner.after_each();
            }
            while (!held->decided) {
                error_code ignored;
                auto token = asio::redirect_error(asio::use_awaitable, ignored);
                co_await held->timer.async_wait(token);
            }
            if (held->dropped) {
                co_return;
            }
        }
        if (fault && fault->kind == Kind::lose_request) {
            co_return;
        }
        ApiAnswer answer;
        if (fault && fault->kind == Kind::answer) {
            answer = connection_detail::fault_answer(*fault);
        } else {
            answer = owner.api_.handle(request);
        }
        if (fault && fault->kind == Kind::lose_answer) {
            if (owner.after_each) {
                owner.after_each();
            }
            co_return;
        }
        const bool streams = answer.watch || answer.log;
        if (streams) {
            goes_on = co_await stream(self, std::move(answer));
        } else {
            const bool keep_alive = parsed->keep_alive;
            goes_on = co_await write(std::move(answer), keep_alive);
        }
        if (owner.after_each) {
            owner.after_each();
        }
    }
}

asio::awaitable<std::optional<Connection::Parsed>> Connection::read() {
    http::request_parser<http::string_body> parser;
    parser.body_limit(16u << 20);
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await http::async_read(socket, buffer, parser, token);
    if (error) {
        co_return std::nullopt;
    }
    const auto& message = parser.get();
    auto text = [](auto view) { return std::string(view.data(), view.size()); };
    Parsed parsed;
    parsed.keep_alive = message.keep_alive();
    parsed.request.method = text(message.method_string());
    parsed.request.target = text(message.target());
    parsed.request.accept = text(message[http::field::accept]);
    parsed.request.content_type = text(message[http::field::content_type]);
    parsed.request.authorization = text(message[http::field::authorization]);
    parsed.request.user_agent = text(message[http::field::user_agent]);
    parsed.request.body = message.body();
    std::optional<Parsed> given(std::move(parsed));
    co_return given;
}

asio::awaitable<bool> Connection::write(ApiAnswer answer, bool keep_alive) {
    http::response<http::string_body> response(static_cast<http::status>(answer.status), 11);
    response.set("Audit-Id", random_uid());
    response.set("Cache-Control", "no-cache, private");
    if (answer.status != 204) {
        response.set(http::field::content_type, answer.content_type);
    }
    for (const auto& [name, value] : answer.headers) {
        response.set(name, value);
    }
    response.body() = std::move(answer.body);
    response.keep_alive(keep_alive);
    response.prepare_payload();
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await http::async_write(socket, response, token);
    co_return !error && keep_alive;
}

std::shared_ptr<Server::Stream> Connection::begin_stream(ApiAnswer answer) {
    auto out = std::make_shared<Server::Stream>(server.io_);
    if (answer.log) {
        out->log = std::move(answer.log);
        out->take_log(server.kubelet_);
        return out;
    }
    out->watch = std::move(answer.watch);
    for (const auto& line : std::exchange(out->watch->first, {})) {
        out->add(line);
    }
    out->over = out->watch->over;
    for (const auto& event : std::exchange(out->watch->missed, {})) {
        server.push(*out, event);
    }
    out->limit.expires_after(out->watch->timeout);
    out->limit.async_wait([out = std::weak_ptr(out), this](error_code error) {
        const auto live = out.lock();
        if (!error && live) {
            if (live->watch->bookmarks) {
                live->add(live->watch->bookmark(server.store_.version()));
            }
            live->over = true;
            live->wake.cancel();
        }
    });
    return out;
}

asio::awaitable<bool> Connection::stream(std::shared_ptr<Connection> self, ApiAnswer answer) {
    const std::string head =
        "HTTP/1.1 200 OK\r\nAudit-Id: " + random_uid() +
        "\r\nCache-Control: no-cache, private\r\nContent-Type: " + answer.content_type +
        "\r\nTransfer-Encoding: chunked\r\n\r\n";
    auto out = begin_stream(std::move(answer));
    server.streams_.insert(out);
    if (server.after_each) {
        server.after_each();
    }
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await asio::async_write(socket, asio::buffer(head), token);
    // The client says nothing more until the answer is complete; what comes is its leaving.
    out->reading = true;
    socket.async_read_some(buffer.prepare(4096), [self, out](error_code failed, std::size_t size) {
        self->buffer.commit(size);
        out->reading = false;
        out->cut = out->cut || (failed && failed != asio::error::operation_aborted);
        out->wake.cancel();
    });
    bool goes_on = !error;
    while (goes_on) {
        goes_on = co_await write_stream(out);
    }
    out->limit.cancel();
    out->flush.cancel();
    server.streams_.erase(out);
    if (!out->complete) {
        close();
        co_return false;
    }
    co_await stop_reading(out);
    co_return true;
}

asio::awaitable<void> Connection::stop_reading(std::shared_ptr<Server::Stream> out) {
    error_code ignored;
    socket.cancel(ignored);
    while (out->reading) {
        auto waiting = asio::redirect_error(asio::use_awaitable, ignored);
        co_await out->wake.async_wait(waiting);
    }
}

asio::awaitable<bool> Connection::write_stream(std::shared_ptr<Server::Stream> out) {
    const auto idle = [&] { return !out->has_more() && !out->over; };
    while (!out->cut && (idle() || server.silent)) {
        error_code ignored;
        auto waiting = asio::redirect_error(asio::use_awaitable, ignored);
        co_await out->wake.async_wait(waiting);
    }
    if (out->cut) {
        if (out->cut_within_a_line) {
            out->written = 0;
            out->writing = "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Pod\",\"apiVer";
            co_await write_piece(out);
        }
        co_return false;
    }
    if (out->has_more()) {
        const bool written = co_await write_piece(out);
        co_return written;
    }
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await asio::async_write(socket, http::make_chunk_last(), token);
    out->complete = !error;
    co_return false;
}

asio::awaitable<bool> Connection::write_piece(std::shared_ptr<Server::Stream> out) {
    const std::string part = out->take(server.piece == 0 ? std::string::npos : server.piece);
    error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await asio::async_write(socket, http::make_chunk(asio::buffer(part)), token);
    if (!error && server.pause.count() > 0) {
        asio::steady_timer timer(server.io_, server.pause);
        auto waiting = asio::redirect_error(asio::use_awaitable, error);
        co_await timer.async_wait(waiting);
    }
    co_return !error;
}

}  // namespace sparkhost::test::k8s
