// SPDX-License-Identifier: Apache-2.0

// How a connection sends, and how it ends without losing what it has sent.

#include "rest/connection.hpp"

#include "crash_point.hpp"
#include "rest/wire.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sparkhost::detail::rest {

namespace sending {

constexpr std::chrono::seconds longest_linger{2};
constexpr std::size_t most_lingering_bytes = 16u << 20;

}  // namespace sending

asio::awaitable<bool> Connection::send(Self self, Response response, unsigned version, bool keep) {
    Sending sending;
    sending.request_version = version;
    sending.keep_alive = keep;
    sending.date = self->date();
    const std::string head = response_head(response, sending);
    const std::string body = std::move(response.body());
    SPARKHOST_CRASH_POINT("rest.answer.before");
    const bool sent = co_await send_rest(self, head, body);
    SPARKHOST_CRASH_POINT("rest.answer.after");
    co_return sent;
}

asio::awaitable<bool> Connection::send_rest(Self self, std::string_view head,
                                            std::string_view body) {
    std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(body)};
    boost::system::error_code failure;
    // Nearly always all of it fits into the socket's buffer: no need to go through the reactor.
    const std::size_t at_once = self->socket_.write_some(buffers, failure);
    if (failure && failure != asio::error::would_block && failure != asio::error::try_again) {
        co_return false;
    }
    if (at_once == head.size() + body.size()) {
        co_return true;
    }
    const std::size_t of_head = std::min(at_once, head.size());
    buffers[0] += of_head;
    buffers[1] += at_once - of_head;
    failure = {};
    self->set_deadline(std::chrono::steady_clock::now() + self->options_->io_timeout);
    co_await asio::async_write(self->socket_, buffers,
                               asio::redirect_error(asio::use_awaitable, failure));
    self->clear_deadline();
    co_return !failure;
}

/// Answers before all of the request has come.
asio::awaitable<void> Connection::refuse(Self self, Response response) {
    self->clear_deadline();
    const bool sent = co_await send(self, std::move(response), 11, false);
    if (sent) {
        co_await linger(self);
    }
}

/// Reads on until the client has closed: closing with unread bytes makes the kernel send a
/// reset, and the client may never see the answer (RFC 9112, section 9.6).
asio::awaitable<void> Connection::linger(Self self) {
    boost::system::error_code failure;
    self->socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failure);
    const std::chrono::milliseconds longest = sending::longest_linger;
    self->set_deadline(std::chrono::steady_clock::now() +
                       std::min(longest, self->options_->io_timeout));
    std::array<char, 4096> discarded;
    std::size_t total = 0;
    while (!failure && total < sending::most_lingering_bytes && !self->aborted_) {
        const auto room = asio::buffer(discarded);
        total += co_await self->socket_.async_read_some(
            room, asio::redirect_error(asio::use_awaitable, failure));
    }
}

std::string_view Connection::date() {
    const std::time_t now = std::time(nullptr);
    if (now != date_second_) {
        date_second_ = now;
        date_ = http_date(now);
    }
    return date_;
}

}  // namespace sparkhost::detail::rest
