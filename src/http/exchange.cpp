// SPDX-License-Identifier: Apache-2.0
// One try of a request.
#include "http/client_impl.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::detail::http {

namespace {

/// Of a streamed answer that is a refusal.
constexpr std::size_t longest_refusal = 64 * 1024;

}  // namespace

asio::awaitable<void> ClientImpl::try_counted(Self self, CoursePtr course) {
    auto slot = co_await enter(self, course->deadline);
    if (!slot) {
        self->unreachable(*course, slot.error());
        co_return;
    }
    co_await try_once(self, course);
    const bool answered = course->attempt.end == Attempt::End::answered;
    const bool throttled = answered && is_throttled(course->attempt.status);
    slot->end(throttled  ? ConcurrencyLimit::End::throttled
              : answered ? ConcurrencyLimit::End::answered
                         : ConcurrencyLimit::End::broken);
}

asio::awaitable<void> ClientImpl::try_once(Self self, CoursePtr course) {
    auto authorization = co_await Credentials::authorization(self->credentials_, course->deadline);
    if (!authorization) {
        self->unreachable(*course, authorization.error());
        co_return;
    }
    course->authorization = std::move(*authorization);
    auto connection = co_await ClientImpl::connection(self, course);
    if (!connection) {
        self->unreachable(*course, connection.error());
        co_return;
    }
    course->connection = std::move(*connection);
    co_await exchange(self, course);
    self->settle(*course);
}

void ClientImpl::unreachable(Course& course, Error error) const {
    course.attempt.end = Attempt::End::unreachable;
    const auto code = error.is(Errc::stopped) ? Errc::stopped : Errc::backend_failed;
    course.error = with_peer(code, error.detail);
}

Awaitable<ConnectionPtr> ClientImpl::connection(Self self, CoursePtr course) {
    while (!course->fresh_connection && !course->streaming && !self->idle_.empty()) {
        ConnectionPtr connection = std::move(self->idle_.back());
        self->idle_.pop_back();
        if (connection->is_quiet()) {
            co_return connection;
        }
    }
    auto made = co_await Connector::connect(self->connector_, course->deadline);
    co_return made;
}

asio::awaitable<void> ClientImpl::exchange(Self self, CoursePtr course) {
    using Body = AnswerReader::Body;
    Body body = course->streaming ? Body::pieces : Body::whole;
    if (course->request.method == "HEAD") {
        body = Body::none;
    }
    course->reader = std::make_shared<AnswerReader>(body, self->options_->max_body);
    course->attempt.reused = course->connection->served;
    course->connection->set_deadline(course->deadline);
    const auto sent = co_await transmit(self, course);
    if (course->error.code.failed()) {
        course->attempt.end = Attempt::End::unreachable;  // sending it again would be no better
        co_return;
    }
    if (sent.failure && sent.size == 0) {
        self->note_failure(*course, sent.failure, false);
        co_return;
    }
    // a server that refuses a request may answer, and close, before it has read all of it
    auto failure = co_await receive(course);
    if (failure) {
        self->note_failure(*course, sent.failure ? sent.failure : failure, true);
        co_return;
    }
    if (!course->error.code.failed()) {
        course->connection->served = true;
        course->attempt.end = Attempt::End::answered;
    }
}

asio::awaitable<Connection::Transfer> ClientImpl::transmit(Self self, CoursePtr course) {
    const std::string text = self->wire(*course);
    auto sent = co_await Connection::write(course->connection, text);
    if (!sent.failure && course->request.source) {
        sent = co_await transmit_source(course);
        sent.size += text.size();
    }
    co_return sent;
}

/// A source that fails is the course's error, which it then has: the server sees a request that
/// breaks off.
asio::awaitable<Connection::Transfer> ClientImpl::transmit_source(CoursePtr course) {
    const std::shared_ptr<const BodySource> source = course->request.source;
    Connection::Transfer sent;
    while (!sent.failure && sent.size < source->size) {
        const auto piece = co_await source->read(sent.size);
        if (!piece || piece->empty() || piece->size() > source->size - sent.size) {
            course->error =
                piece ? Error(Errc::backend_failed, "the body has changed while it was sent")
                      : piece.error();
            break;
        }
        const auto written = co_await Connection::write(course->connection, *piece);
        sent.size += written.size;
        sent.failure = written.failure;
    }
    co_return sent;
}

/// Reads up to the end of the answer; of a stream up to the end of its head. What is wrong with
/// the answer itself is the course's error, which it then has.
asio::awaitable<boost::system::error_code> ClientImpl::receive(CoursePtr course) {
    AnswerReader& reader = *course->reader;
    const auto refused = [&] { return reader.head().status / 100 != 2; };
    std::string body;
    while (!reader.is_done() && !(course->streaming && reader.has_head() && !refused())) {
        const auto got = co_await Connection::read_some(course->connection);
        if (got.failure && !got.ended) {
            co_return got.failure;
        }
        if (got.ended && !reader.has_begun()) {
            co_return got.failure;
        }
        const auto taken =
            got.ended ? reader.put_end() : reader.put(course->connection->input(got.size));
        if (!taken) {
            course->attempt.end = Attempt::End::half_answered;
            course->error = taken.error();
            co_return boost::system::error_code();
        }
        if (course->streaming && reader.has_head() && refused()) {
            body += reader.take();
            if (body.size() > longest_refusal) {
                break;
            }
        }
    }
    course->response = reader.head();
    if (!course->streaming) {
        body = reader.take();
    } else if (!refused()) {
        body.clear();
    }
    course->response.body = std::move(body);
    co_return boost::system::error_code();
}

void ClientImpl::note_failure(Course& course, const boost::system::error_code& failure, bool sent) {
    Connection& connection = *course.connection;
    const std::string why = connection.why(failure);
    const bool begun = course.reader->has_begun();
    if (!begun && !connection.served && is_tls_alert(failure)) {
        unreachable(course, Error(Errc::backend_failed, "TLS failed: " + why));
        return;
    }
    course.attempt.end = !sent   ? Attempt::End::not_sent
                         : begun ? Attempt::End::half_answered
                                 : Attempt::End::unanswered;
    const std::string step = !sent   ? "sending the request failed: "
                             : begun ? "the answer broke off: "
                                     : "no answer came: ";
    course.error = Error(Errc::backend_failed, step + why);
}

/// What the try means for the client: its connection, its limit.
void ClientImpl::settle(Course& course) {
    Attempt& attempt = course.attempt;
    if (attempt.end != Attempt::End::answered) {
        const bool sent =
            attempt.end == Attempt::End::unanswered || attempt.end == Attempt::End::half_answered;
        if (attempt.end != Attempt::End::unreachable) {
            course.error =
                with_peer(sent ? Errc::indeterminate : Errc::backend_failed, course.error.detail);
        }
        course.connection->close();
        course.connection.reset();
        return;
    }
    attempt.status = course.response.status;
    attempt.retry_after =
        parse_retry_after(course.response.header("Retry-After"), course.response.header("Date"));
    const auto hold = hold_after(attempt);
    if (hold.count() > 0) {
        limit_.hold(std::chrono::steady_clock::now() + hold);
    }
    if (course.streaming && attempt.status / 100 == 2) {
        return;
    }
    if (course.reader->is_reusable() && !stopped_) {
        course.connection->set_deadline(std::chrono::steady_clock::now() + options_->idle_limit);
        idle_.push_back(std::move(course.connection));
    }
    if (!course.streaming) {
        course.connection.reset();
    }
}

}  // namespace sparkhost::detail::http
