// SPDX-License-Identifier: Apache-2.0
#include "http/connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::detail::http {

Connection::Connection(asio::any_io_executor executor)
    : socket_(executor), timer_(std::move(executor)) {}

Awaitable<void> Connection::open(Self self, Endpoints endpoints, TlsContext tls,
                                 std::string server_name, bool verify, Time deadline) {
    auto failure = co_await connect(self, std::move(endpoints), deadline);
    if (failure) {
        co_return Error(Errc::backend_failed, "connecting failed: " + self->why(failure));
    }
    if (!tls) {
        co_return ok();
    }
    self->context_ = std::move(tls);
    self->tls_.emplace(self->socket_, *self->context_);
    expect_server(self->tls_->native_handle(), server_name, verify);
    failure = co_await greet(self);
    if (failure) {
        self->untrusted = is_untrusted(self->tls_->native_handle());
        co_return Error(Errc::backend_failed, "TLS failed: " + self->why(failure));
    }
    co_return ok();
}

/// One address that does not answer must not use up the time of the others.
asio::awaitable<boost::system::error_code> Connection::connect(Self self, Endpoints endpoints,
                                                               Time deadline) {
    boost::system::error_code failure = asio::error::host_not_found;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        const auto now = std::chrono::steady_clock::now();
        const auto left = std::max(deadline - now, Time::duration::zero());
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (self->closed_ || cancelled.cancelled() != asio::cancellation_type::none) {
            co_return asio::error::operation_aborted;
        }
        boost::system::error_code ignored;
        self->socket_.close(ignored);
        self->set_deadline(now + left / static_cast<int>(endpoints.size() - i));
        co_await self->socket_.async_connect(endpoints[i],
                                             asio::redirect_error(asio::use_awaitable, failure));
        if (!failure) {
            self->socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
            self->socket_.set_option(asio::socket_base::keep_alive(true), ignored);
            self->socket_.non_blocking(true, ignored);
            self->set_deadline(deadline);
            break;
        }
    }
    co_return failure;
}

asio::awaitable<boost::system::error_code> Connection::greet(Self self) {
    boost::system::error_code failure;
    co_await self->tls_->async_handshake(asio::ssl::stream_base::client,
                                         asio::redirect_error(asio::use_awaitable, failure));
    co_return failure;
}

asio::awaitable<Connection::Transfer> Connection::write(Self self, std::string_view bytes) {
    Transfer transfer;
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    auto token = asio::redirect_error(asio::use_awaitable, transfer.failure);
    if (self->tls_) {
        transfer.size = co_await asio::async_write(*self->tls_, buffer, token);
    } else {
        transfer.size = co_await asio::async_write(self->socket_, buffer, token);
    }
    co_return transfer;
}

asio::awaitable<Connection::Transfer> Connection::read_some(Self self) {
    Transfer transfer;
    const auto buffer = asio::buffer(*self->buffer_);
    auto token = asio::redirect_error(asio::use_awaitable, transfer.failure);
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    if (cancelled.cancelled() != asio::cancellation_type::none) {
        transfer.failure = asio::error::operation_aborted;
        co_return transfer;
    }
    if (self->tls_) {
        transfer.size = co_await self->tls_->async_read_some(buffer, token);
    } else {
        transfer.size = co_await self->socket_.async_read_some(buffer, token);
    }
    transfer.ended = transfer.failure == asio::error::eof;
    co_return transfer;
}

void Connection::set_deadline(Time deadline) {
    deadline_ = deadline;
    timed_out_ = false;
    if (deadline < armed_for_ && !closed_) {
        arm_timer();
    }
}

/// The timer is left alone while deadlines move on: when it fires too early it is armed anew.
void Connection::arm_timer() {
    armed_for_ = deadline_;
    timer_.expires_at(deadline_);
    // weak: a connection that nobody has any more goes at once
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code failure) {
        const auto self = weak.lock();
        if (failure || !self || self->closed_) {
            return;
        }
        self->armed_for_ = Time::max();
        if (std::chrono::steady_clock::now() < self->deadline_) {
            self->arm_timer();
            return;
        }
        self->timed_out_ = true;
        boost::system::error_code ignored;
        self->socket_.close(ignored);
    });
}

void Connection::close() {
    closed_ = true;
    boost::system::error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
}

bool Connection::is_quiet() {
    if (closed_ || !socket_.is_open()) {
        return false;
    }
    char byte{};
    boost::system::error_code failure;
    socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, failure);
    return failure == asio::error::would_block;
}

std::string Connection::why(const boost::system::error_code& failure) {
    if (timed_out_) {
        return "it took too long";
    }
    if (closed_) {
        return "the client was closed";
    }
    if (failure == asio::error::operation_aborted) {
        return "it was cancelled";
    }
    return tls_                          ? tls_failure(tls_->native_handle(), failure)
           : failure == asio::error::eof ? "the server closed the connection"
                                         : failure.message();
}

}  // namespace sparkhost::detail::http
