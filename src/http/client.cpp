// SPDX-License-Identifier: Apache-2.0
#include "http/client_impl.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sparkhost::detail::http {

namespace {

void require_option(bool holds, const std::string& rule) {
    if (!holds) {
        throw std::invalid_argument(rule);
    }
}

ServerUrl checked_url(const ClientOptions& options) {
    auto url = parse_server_url(options.url);
    require_option(url.has_value(), url ? "" : "url: " + url.error().detail);
    return std::move(*url);
}

void check_options(const ClientOptions& options) {
    const bool certificate =
        !options.client_certificate.empty() || !options.client_certificate_file.empty();
    const bool key = !options.client_key.empty() || !options.client_key_file.empty();
    require_option(certificate || !key,
                   "client_certificate: is missing where there is a client_key");
    require_option(key || !certificate,
                   "client_key: is missing where there is a client_certificate");
    require_option(is_header_text(options.bearer_token),
                   "bearer_token: must not contain control characters");
    require_option(options.user.find(':') == std::string::npos, "user: must not contain ':'");
    require_option(options.max_connections > 0, "max_connections: must be at least 1");
    require_option(options.connect_deadline.count() > 0, "connect_deadline: must be positive");
    require_option(options.idle_limit.count() > 0, "idle_limit: must be positive");
    require_option(options.max_body > 0, "max_body: must be at least 1");
    const auto checked = check_tls_data(options);
    require_option(checked.has_value(), checked ? "" : checked.error().text());
}

}  // namespace

Client::Client(boost::asio::any_io_executor executor, ClientOptions options)
    : impl_(std::make_shared<ClientImpl>(std::move(executor), std::move(options))) {}

Client::~Client() {
    impl_->stop();
}

Awaitable<Response> Client::send(Request request) {
    return ClientImpl::send(impl_, std::move(request));
}

Awaitable<std::unique_ptr<Stream>> Client::stream(Request request) {
    return ClientImpl::stream(impl_, std::move(request));
}

bool Client::is_untrusted() const {
    return impl_->is_untrusted();
}

ClientImpl::ClientImpl(asio::any_io_executor executor, ClientOptions options)
    : executor_(std::move(executor)), limit_(options.max_connections) {
    check_options(options);
    ServerUrl url = checked_url(options);
    options_ = std::make_shared<const ClientOptions>(std::move(options));
    const auto pool = options_->blocking_executor ? options_->blocking_executor : executor_;
    connector_ = std::make_shared<Connector>(executor_, options_, std::move(url), pool, waiters_);
    credentials_ = std::make_shared<Credentials>(options_, pool, waiters_);
}

void ClientImpl::stop() {
    stopped_ = true;
    connector_->stop();
    waiters_->stop();
    idle_.clear();
    for (const auto* list : {&turns_, &sleepers_}) {
        for (Turn* turn : *list) {
            turn->timer.cancel();
        }
    }
}

Error ClientImpl::with_peer(Errc code, const std::string& what) const {
    return Error(code, connector_->url().peer() + ": " + what);
}

ClientImpl::CoursePtr ClientImpl::begin(Request request, bool streaming) const {
    auto course = std::make_shared<Course>();
    course->deadline = std::chrono::steady_clock::now() + request.deadline;
    course->facts.repeatable = request.repeatable;
    course->request = std::move(request);
    course->streaming = streaming;
    return course;
}

Awaitable<Response> ClientImpl::send(Self self, Request request) {
    auto course = self->begin(std::move(request), false);
    const auto done = co_await run(self, course);
    if (!done) {
        co_return done.error();
    }
    co_return std::move(course->response);
}

Awaitable<std::unique_ptr<Stream>> ClientImpl::stream(Self self, Request request) {
    auto course = self->begin(std::move(request), true);
    const auto done = co_await run(self, course);
    if (!done) {
        co_return done.error();
    }
    auto peer = self->connector_->url().peer();
    co_return make_stream(std::move(course->response), std::move(course->connection),
                          std::move(course->reader), std::move(peer));
}

/// A cancellation ends what is under way and is then told as an error, not thrown.
Awaitable<void> ClientImpl::run(Self self, CoursePtr course) {
    const auto sound = check_request(course->request);
    if (!sound) {
        co_return sound.error();
    }
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto done = co_await run_tries(self, std::move(course));
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return done;
}

Awaitable<void> ClientImpl::run_tries(Self self, CoursePtr course) {
    bool more = true;
    while (more) {
        course->attempt = Attempt();
        course->error = Error();
        if (course->streaming) {
            co_await wait_until(self, self->limit_.held_until());
            co_await try_once(self, course);
        } else {
            co_await try_counted(self, course);
        }
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (cancelled.cancelled() != asio::cancellation_type::none) {
            course->connection.reset();
            co_return Error(Errc::stopped, "the request was cancelled");
        }
        more = co_await goes_on(self, course);
    }
    if (course->attempt.end != Attempt::End::answered) {
        co_return course->error;
    }
    co_return ok();
}

/// Waits where that is the thing to do. False: the last try stands.
asio::awaitable<bool> ClientImpl::goes_on(Self self, CoursePtr course) {
    if (self->stopped_) {
        co_return false;
    }
    const auto now = std::chrono::steady_clock::now();
    const Attempt& attempt = course->attempt;
    RetryFacts& facts = course->facts;
    const bool answered = attempt.end == Attempt::End::answered;
    facts.throttled += answered && attempt.status >= 400 ? 1 : 0;
    facts.broken += answered ? 0 : 1;
    facts.may_reread_token = self->credentials_->can_change() && !course->token_reread;
    facts.left = std::chrono::duration_cast<std::chrono::milliseconds>(course->deadline - now);
    facts.dice = std::uniform_real_distribution<double>(0, 1)(self->dice_);
    const RetryDecision decision = decide_retry(attempt, facts);
    if (decision.what == RetryDecision::What::give) {
        co_return false;
    }
    if (decision.what == RetryDecision::What::reread_token) {
        course->token_reread = true;
        co_return co_await Credentials::reread(self->credentials_, course->authorization,
                                               course->deadline);
    }
    course->connection.reset();
    course->fresh_connection = decision.fresh_connection;
    co_await wait_until(self, now + decision.delay);
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    co_return !self->stopped_ && cancelled.cancelled() == asio::cancellation_type::none;
}

ClientImpl::Turn::Turn(ClientImpl& client, std::list<Turn*>& waiting)
    : owner(client),
      list(waiting),
      timer(client.executor_),
      place(waiting.insert(waiting.end(), this)) {}

ClientImpl::Turn::~Turn() {
    list.erase(place);
    if (&list == &owner.turns_) {
        owner.wake_first();
    }
}

void ClientImpl::wake_first() {
    if (!turns_.empty()) {
        turns_.front()->timer.cancel();
    }
}

void ClientImpl::leave(std::uint64_t round, ConcurrencyLimit::End how) {
    limit_.end(round, how);
    wake_first();
}

/// Waits for the right to send, first come first served.
Awaitable<ClientImpl::Slot> ClientImpl::enter(Self self, Time deadline) {
    Turn turn(*self, self->turns_);
    for (;;) {
        const auto now = std::chrono::steady_clock::now();
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (self->stopped_) {
            co_return Error(Errc::backend_failed, "the client was closed");
        }
        if (cancelled.cancelled() != asio::cancellation_type::none) {
            co_return Error(Errc::stopped, "the request was cancelled");
        }
        const bool first = self->turns_.front() == &turn;
        if (first && self->limit_.may_begin(now)) {
            co_return Slot(self);
        }
        if (now >= deadline) {
            co_return Error(Errc::backend_failed,
                            "waited too long behind other requests, or for the time at which the "
                            "server wants to be asked again");
        }
        const bool held = first && self->limit_.held_until() > now;
        turn.timer.expires_at(held ? std::min(deadline, self->limit_.held_until()) : deadline);
        boost::system::error_code woken;
        co_await turn.timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

asio::awaitable<void> ClientImpl::wait_until(Self self, Time until) {
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    if (until <= std::chrono::steady_clock::now() || self->stopped_ ||
        cancelled.cancelled() != asio::cancellation_type::none) {
        co_return;
    }
    Turn turn(*self, self->sleepers_);
    turn.timer.expires_at(until);
    boost::system::error_code woken;
    co_await turn.timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

}  // namespace sparkhost::detail::http
