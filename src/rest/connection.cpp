// SPDX-License-Identifier: Apache-2.0
#include "rest/connection.hpp"

#include "crash_point.hpp"
#include "rest/wire.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace sparkhost::detail::rest {

namespace connections {

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::chrono::seconds longest_linger{2};
constexpr std::size_t most_lingering_bytes = 16u << 20;

/// Requests that may wait for something to happen to an object. Only these pay for being
/// cancellable.
bool may_wait(const Request& request) {
    return request.method() == http::verb::delete_ ||
           std::string_view(request.target()).find("wait=") != std::string_view::npos;
}

}  // namespace connections

Connection::Connection(asio::ip::tcp::socket socket, sparkhost::rest::Router router,
                       OptionsPtr options, std::shared_ptr<LargeBodies> large)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      router_(std::move(router)),
      options_(std::move(options)),
      reader_({options_->max_header, options_->max_body, std::move(large)}) {}

asio::awaitable<void> Connection::run(Self self) {
    boost::system::error_code ignored;
    self->socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    self->socket_.non_blocking(true, ignored);
    bool more = true;
    while (more && !self->aborted_) {
        more = co_await read_request(self);
        if (more) {
            more = co_await answer_request(self);
        }
    }
    self->close();
}

/// False: there will not be another request.
asio::awaitable<bool> Connection::read_request(Self self) {
    using Step = RequestReader::Step;
    const Time begin = std::chrono::steady_clock::now();
    Time first_byte = begin;
    for (;;) {
        const Step step = self->reader_.step();
        if (step == Step::complete) {
            co_return true;
        }
        if (step == Step::refused) {
            const auto refusal = self->reader_.refusal();
            co_await refuse(self, refusal.status, refusal.reason);
            co_return false;
        }
        if (step == Step::send_continue) {
            if (!co_await send_rest(self, connections::continue_line, std::string_view())) {
                co_return false;
            }
            continue;
        }
        const bool begun = self->reader_.has_begun();
        if (self->draining_ && !begun) {
            co_return false;
        }
        self->set_deadline(begun ? self->request_deadline(first_byte)
                                 : begin + self->options_->idle_timeout);
        boost::system::error_code failure;
        const auto room = self->reader_.prepare();
        self->reading_ = true;
        const std::size_t size = co_await self->socket_.async_read_some(
            room, asio::redirect_error(asio::use_awaitable, failure));
        self->reading_ = false;
        if (failure) {
            if (self->timed_out_ && begun) {
                co_await refuse(self, http::status::request_timeout,
                                "The request did not arrive in time.");
            }
            co_return false;
        }
        if (!begun) {
            first_byte = std::chrono::steady_clock::now();
        }
        self->reader_.commit(size);
    }
}

/// A large body may come slowly, if it comes.
Connection::Time Connection::request_deadline(Time first_byte) const {
    constexpr int longest = 20;
    const auto limit = options_->io_timeout;
    const auto now = std::chrono::steady_clock::now();
    return reader_.is_large() ? std::min(now + limit, first_byte + longest * limit)
                              : first_byte + limit;
}

/// False: the connection is to be closed.
asio::awaitable<bool> Connection::answer_request(Self self) {
    Request request = self->reader_.take();
    const unsigned version = request.version();
    const bool keep = request.keep_alive();
    self->clear_deadline();
    Answer answer = co_await ask_router(self, std::move(request));
    bool stay = keep && !self->draining_;
    bool sent = false;
    if (answer.body) {
        stay = stay && version >= 11;  // before, the connection's end is the body's end
        sent = co_await stream(self, std::move(answer), version, stay);
        stay = stay && !self->draining_;
    } else {
        sent = co_await send(self, std::move(answer.response), version, stay);
    }
    if (sent && !stay && self->reader_.has_begun()) {
        co_await linger(self);  // more has arrived: closing now could destroy the answer
    }
    co_return sent&& stay;
}

asio::awaitable<Answer> Connection::ask_router(Self self, Request request) {
    Request asked;
    asked.method(request.method());
    asked.target(request.target());
    const bool waits = connections::may_wait(request);
    auto operation = self->router_.answer(std::move(request));
    std::optional<Answer> answer;
    if (waits) {
        answer = co_await until_hangup(self, std::move(operation));
    } else {
        answer = co_await std::move(operation);
    }
    co_return answer ? std::move(*answer) : Answer(self->router_.not_found(asked));
}

/// Runs what may wait, and cancels it when the client has gone or the server stops.
template <class T>
asio::awaitable<T> Connection::until_hangup(Self self, asio::awaitable<T> operation) {
    struct Watch {
        explicit Watch(Connection& watched) : connection(watched) {
            connection.waiting_ = ++connection.waits_;
            connection.watch_for_hangup();
        }
        ~Watch() {
            connection.waiting_ = 0;
            boost::system::error_code ignored;
            connection.socket_.cancel(ignored);
        }
        Connection& connection;
    };
    const Watch watch(*self);
    auto token = asio::bind_cancellation_slot(self->wait_signal_.slot(), asio::use_awaitable);
    co_return co_await asio::co_spawn(self->get_executor(), std::move(operation), std::move(token));
}

asio::awaitable<bool> Connection::stream(Self self, Answer answer, unsigned version, bool keep) {
    if (version >= 11) {
        answer.response.set(http::field::transfer_encoding, "chunked");
    }
    if (!co_await send(self, std::move(answer.response), version, keep)) {
        co_return false;
    }
    try {
        co_return co_await send_pieces(self, std::move(answer.body), version);
    } catch (const std::exception&) {
        co_return false;  // the router has told why; without its last chunk the body is broken
    }
}

/// The next piece is asked for when the last one has been taken: a slow client is not written for.
asio::awaitable<bool> Connection::send_pieces(Self self, BodySource body, unsigned version) {
    std::string piece;
    do {
        piece.clear();
        if (!self->draining_) {
            piece = co_await until_hangup(self, body());
        }
        if (self->aborted_) {
            co_return false;
        }
        const std::string framed = version >= 11 ? chunk_of(piece) : piece;
        if (!co_await send_rest(self, framed, std::string_view())) {
            co_return false;
        }
    } while (!piece.empty());
    co_return true;
}

/// A client that has gone must not keep its request waiting.
void Connection::watch_for_hangup() {
    auto ready = [self = shared_from_this(), wait = waiting_](boost::system::error_code failure) {
        if (failure || self->waiting_ != wait) {
            return;
        }
        char byte{};
        const auto size =
            self->socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, failure);
        if (failure != asio::error::would_block && (failure || size == 0)) {
            self->aborted_ = true;
            self->wait_signal_.emit(asio::cancellation_type::terminal);
        }
    };
    socket_.async_wait(asio::ip::tcp::socket::wait_read, std::move(ready));
}

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

asio::awaitable<void> Connection::refuse(Self self, http::status status, std::string reason) {
    self->clear_deadline();
    auto response = message_response(status, reason);
    finish(response, false);
    if (co_await send(self, std::move(response), 11, false)) {
        co_await linger(self);
    }
}

/// Reads on until the client has closed: closing with unread bytes makes the kernel send a
/// reset, and the client may never see the answer (RFC 9112, section 9.6).
asio::awaitable<void> Connection::linger(Self self) {
    boost::system::error_code failure;
    self->socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failure);
    const std::chrono::milliseconds longest = connections::longest_linger;
    self->set_deadline(std::chrono::steady_clock::now() +
                       std::min(longest, self->options_->io_timeout));
    std::array<char, 4096> discarded;
    std::size_t total = 0;
    while (!failure && total < connections::most_lingering_bytes && !self->aborted_) {
        const auto room = asio::buffer(discarded);
        total += co_await self->socket_.async_read_some(
            room, asio::redirect_error(asio::use_awaitable, failure));
    }
}

void Connection::set_deadline(Time deadline) {
    deadline_ = deadline;
    timed_out_ = false;
    if (deadline < armed_for_) {
        arm_timer();
    }
}

/// The timer is left alone while requests come and go: when it fires too early it is armed anew.
void Connection::arm_timer() {
    armed_for_ = deadline_;
    timer_.expires_at(deadline_);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code failure) {
        if (failure || self->ended_) {
            return;
        }
        self->armed_for_ = Time::max();
        if (self->deadline_ == Time::max()) {
            return;
        }
        if (std::chrono::steady_clock::now() < self->deadline_) {
            self->arm_timer();
            return;
        }
        self->timed_out_ = true;
        boost::system::error_code ignored;
        self->socket_.cancel(ignored);
    });
}

std::string_view Connection::date() {
    const std::time_t now = std::time(nullptr);
    if (now != date_second_) {
        date_second_ = now;
        date_ = http_date(now);
    }
    return date_;
}

void Connection::drain() {
    draining_ = true;
    boost::system::error_code failure;
    if (reading_ && !reader_.has_begun() && socket_.available(failure) == 0) {
        socket_.cancel(failure);
    }
    if (waiting_ != 0) {
        wait_signal_.emit(asio::cancellation_type::terminal);
    }
}

void Connection::abort() {
    aborted_ = true;
    if (waiting_ != 0) {
        wait_signal_.emit(asio::cancellation_type::terminal);
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
}

void Connection::close() {
    ended_ = true;
    boost::system::error_code ignored;
    timer_.cancel();
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
}

}  // namespace sparkhost::detail::rest
