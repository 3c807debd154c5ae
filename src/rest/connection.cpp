// SPDX-License-Identifier: Apache-2.0
#include "rest/connection.hpp"

#include "rest/wire.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace sparkhost::detail::rest {

namespace connections {

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

/// A client that has connected before the server began to stop has a request to send.
constexpr std::chrono::seconds first_request{1};

/// Requests that may wait for something to happen to an object. Only these pay for being
/// cancellable.
bool may_wait(const Request& request) {
    return request.method() == http::verb::delete_ ||
           std::string_view(request.target()).find("wait=") != std::string_view::npos;
}

Response refused(http::status status, std::string_view reason) {
    auto response = message_response(status, reason);
    if (status == http::status::service_unavailable) {
        response.set(http::field::retry_after, "5");
    }
    finish(response, false);
    return response;
}

}  // namespace connections

Connection::Connection(asio::ip::tcp::socket socket, sparkhost::rest::Router router,
                       OptionsPtr options, SharedMemory shared)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      router_(std::move(router)),
      options_(std::move(options)),
      answers_(std::move(shared.answers)),
      turn_(socket_.get_executor()),
      reader_({options_->max_header, options_->max_body, std::move(shared.bodies)}) {}

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
        if (self->refusing_ && self->reader_.header() != nullptr) {
            auto response = self->router_.shutting_down(*self->reader_.header());
            co_await refuse(self, std::move(response));
            co_return false;
        }
        if (step == Step::complete) {
            co_return true;
        }
        if (step == Step::refused) {
            const auto refusal = self->reader_.refusal();
            auto response = connections::refused(refusal.status, refusal.reason);
            co_await refuse(self, std::move(response));
            co_return false;
        }
        if (step == Step::send_continue) {
            const bool sent =
                co_await send_rest(self, connections::continue_line, std::string_view());
            if (!sent) {
                co_return false;
            }
            continue;
        }
        const bool begun = self->reader_.has_begun();
        if (self->draining_ && !begun && !self->is_new_) {
            co_return false;
        }
        self->set_deadline(begun ? self->request_deadline(first_byte)
                                 : self->first_byte_deadline(begin));
        boost::system::error_code failure;
        const auto room = self->reader_.prepare();
        self->reading_ = true;
        const std::size_t size = co_await self->socket_.async_read_some(
            room, asio::redirect_error(asio::use_awaitable, failure));
        self->reading_ = false;
        if (failure) {
            if (self->timed_out_ && begun) {
                auto response = connections::refused(http::status::request_timeout,
                                                     "The request did not arrive in time.");
                co_await refuse(self, std::move(response));
            }
            co_return false;
        }
        if (!begun) {
            first_byte = std::chrono::steady_clock::now();
        }
        self->reader_.commit(size);
    }
}

Connection::Time Connection::first_byte_deadline(Time begin) const {
    const std::chrono::milliseconds soon = connections::first_request;
    const auto limit = options_->idle_timeout;
    return begin + (draining_ || refusing_ ? std::min(soon, limit) : limit);
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
    self->is_new_ = false;
    Answer answer = co_await make_answer(self, std::move(request));
    const auto room = AnswerRoom::keep(self->answers_, answer.response.body().size());
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

/// Null: it did not come.
asio::awaitable<AnswerRoom::Hold> Connection::turn_to_answer(Self self) {
    const Time deadline = std::chrono::steady_clock::now() + self->options_->io_timeout;
    auto wake = std::make_shared<AnswerRoom::Wake>([self = std::weak_ptr(self)] {
        if (auto alive = self.lock()) {
            asio::post(alive->get_executor(), [alive] { alive->turn_.cancel(); });
        }
    });
    auto turn = AnswerRoom::begin(self->answers_, wake, false);
    const bool waited = !turn;
    while (!turn && !self->aborted_ && std::chrono::steady_clock::now() < deadline) {
        boost::system::error_code woken;
        self->turn_.expires_at(deadline);
        co_await self->turn_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if (woken && !self->aborted_) {
            turn = AnswerRoom::begin(self->answers_, wake, true);
        }
    }
    wake.reset();
    if (waited) {
        self->answers_->wake_next();  // there may be room for one more, or for another
    }
    co_return turn;
}

asio::awaitable<Answer> Connection::make_answer(Self self, Request request) {
    constexpr std::string_view busy = "Other answers are being taken; try again later.";
    const bool waits = connections::may_wait(request);
    const bool large = !waits && request.method() == http::verb::get &&
                       makes_large_answer(std::string_view(request.target()));
    AnswerRoom::Hold turn;
    if (large) {
        turn = co_await turn_to_answer(self);
        if (!turn) {
            co_return connections::refused(http::status::service_unavailable, busy);
        }
    }
    Answer answer = co_await ask_router(self, std::move(request));
    if (waits && self->answers_->is_full()) {
        co_return connections::refused(http::status::service_unavailable, busy);
    }
    co_return answer;
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
    const bool sent = co_await send(self, std::move(answer.response), version, keep);
    if (!sent) {
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
        const bool sent = co_await send_rest(self, framed, std::string_view());
        if (!sent) {
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

void Connection::drain() {
    draining_ = true;
    boost::system::error_code failure;
    if (reading_ && !reader_.has_begun() && socket_.available(failure) == 0) {
        if (is_new_) {
            set_deadline(first_byte_deadline(std::chrono::steady_clock::now()));
        } else {
            socket_.cancel(failure);
        }
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
    turn_.cancel();
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
