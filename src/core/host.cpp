// SPDX-License-Identifier: Apache-2.0
#include "core/host_impl.hpp"
#include "core/validate.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace sparkhost {

namespace {

/// Keeps the host alive while one of its member coroutines runs on the strand.
template <class T>
boost::asio::awaitable<T> keep_host(std::shared_ptr<HostImpl> impl, boost::asio::awaitable<T> op) {
    auto result = co_await std::move(op);
    (void)impl;
    co_return result;
}

template <class T>
boost::asio::awaitable<T> on_host(std::shared_ptr<HostImpl> impl, boost::asio::awaitable<T> op) {
    auto strand = impl->strand;
    return detail::on_strand(strand, keep_host(std::move(impl), std::move(op)));
}

/// Awaits `op` with cancellation as a value, not as an exception; what the caller had chosen is
/// restored.
template <class T>
Awaitable<T> quietly(Awaitable<T> op) {
    const bool throwing = co_await boost::asio::this_coro::throw_if_cancelled();
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    auto result = co_await std::move(op);
    co_await boost::asio::this_coro::throw_if_cancelled(throwing);
    co_return result;
}

/// A cancellation that came while nothing could be cancelled counts, too.
boost::asio::awaitable<detail::WakeReason> woken(WaiterPtr waiter) {
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) {
        co_return detail::WakeReason::cancelled;
    }
    co_return co_await detail::Waiter::wait(std::move(waiter));
}

boost::asio::awaitable<void> run_and_tell(std::shared_ptr<HostImpl> impl,
                                          std::shared_ptr<Result<void>> result, WaiterPtr first,
                                          WaiterPtr second) {
    *result = co_await impl->run_on_strand();
    first->wake(detail::WakeReason::changed);
    second->wake(detail::WakeReason::changed);
}

/// A cancelled run() stops the host, and still completes only when everything has.
Awaitable<void> run_host(std::shared_ptr<HostImpl> impl) {
    auto result = std::make_shared<Result<void>>(ok());
    auto ended = std::make_shared<detail::Waiter>();
    auto ended_after_cancel = std::make_shared<detail::Waiter>();
    auto failed = [ended, ended_after_cancel, result](std::exception_ptr escaped) {
        if (escaped) {
            *result = Error(Errc::stopped, "the host ended by an exception");
            ended->wake(detail::WakeReason::changed);
            ended_after_cancel->wake(detail::WakeReason::changed);
        }
    };
    boost::asio::co_spawn(impl->strand, run_and_tell(impl, result, ended, ended_after_cancel),
                          std::move(failed));
    const auto reason = co_await woken(ended);
    if (reason == detail::WakeReason::cancelled) {
        boost::asio::post(impl->strand, [impl] { impl->begin_stop(); });
        co_await boost::asio::this_coro::reset_cancellation_state();
        co_await detail::Waiter::wait(ended_after_cancel);
    }
    co_return *result;
}

Awaitable<BatchRecord> wait_until(std::shared_ptr<HostImpl> impl, HostImpl::WaitRequest request) {
    if (request.change.timeout != std::chrono::milliseconds::max()) {
        request.deadline = impl->clock->steady_now() + request.change.timeout;
    }
    for (;;) {
        auto waiter = std::make_shared<detail::Waiter>();
        auto checked = co_await on_host(impl, impl->check_or_register(request, waiter));
        if (!checked) {
            co_return checked.error();
        }
        if (*checked) {
            co_return std::move(**checked);
        }
        const auto reason = co_await woken(waiter);
        boost::asio::post(impl->strand, [impl, id = request.change.id.value, waiter] {
            impl->unregister(id, waiter);
        });
        if (reason == detail::WakeReason::timed_out) {
            co_return Errc::timed_out;
        }
        if (reason == detail::WakeReason::stopped) {
            co_return Errc::stopped;
        }
        if (reason == detail::WakeReason::cancelled) {
            co_return Error(boost::asio::error::operation_aborted, "the wait was cancelled");
        }
    }
}

Awaitable<void> erase_batch(std::shared_ptr<HostImpl> impl, BatchId id) {
    auto wished = co_await on_host(impl, impl->wish(id, detail::BatchEvent::erase_requested));
    if (!wished) {
        co_return wished.error();
    }
    HostImpl::WaitRequest request;
    request.change.id = id;
    request.what = HostImpl::WaitFor::erasure;
    auto gone = co_await wait_until(impl, std::move(request));
    if (gone.has_error() && gone.error().is(Errc::storage_failed)) {
        // the wish is durable, so that "nothing has changed" would not be true
        co_return Error(Errc::indeterminate, gone.error().detail);
    }
    if (gone.has_error() && !gone.error().is(Errc::not_found)) {
        co_return gone.error();
    }
    co_return ok();
}

Awaitable<std::vector<Event>> next_events(std::shared_ptr<HostImpl> impl, std::int64_t after) {
    for (;;) {
        auto waiter = std::make_shared<detail::Waiter>();
        auto events = co_await on_host(impl, impl->events_or_register(after, waiter));
        if (!events || !events->empty()) {
            co_return events;
        }
        const auto reason = co_await woken(waiter);
        boost::asio::post(impl->strand, [impl, waiter] { impl->unregister(-1, waiter); });
        if (reason == detail::WakeReason::stopped) {
            co_return Errc::stopped;
        }
        if (reason == detail::WakeReason::cancelled) {
            co_return Error(boost::asio::error::operation_aborted, "the wait was cancelled");
        }
    }
}

Awaitable<std::vector<Event>> next_and_remember(std::shared_ptr<HostImpl> impl,
                                                std::shared_ptr<std::int64_t> position) {
    auto events = co_await next_events(std::move(impl), *position);
    if (events) {
        *position = events->back().sequence;
    }
    co_return events;
}

boost::asio::awaitable<void> read_log_and_tell(std::shared_ptr<HostImpl> impl,
                                               BatchLogRequest request,
                                               std::shared_ptr<Result<LogPage>> page,
                                               WaiterPtr done) {
    *page = co_await impl->read_log(request);
    done->wake(detail::WakeReason::changed);
}

/// A following read may take for ever, so it runs as a task that the caller's cancellation, or
/// stop(), can end.
Awaitable<LogPage> follow_log(std::shared_ptr<HostImpl> impl, BatchLogRequest request) {
    Result<LogPage> unanswered = Errc::stopped;
    auto page = std::make_shared<Result<LogPage>>(std::move(unanswered));
    auto done = std::make_shared<detail::Waiter>();
    auto signal = std::make_shared<HostImpl::Signal>();
    auto begin = [impl, request, page, done, signal] {
        *signal = impl->spawn_cancellable(read_log_and_tell(impl, request, page, done),
                                          [done] { done->wake(detail::WakeReason::stopped); });
    };
    boost::asio::post(impl->strand, std::move(begin));
    const auto reason = co_await woken(done);
    if (reason == detail::WakeReason::cancelled) {
        boost::asio::post(impl->strand, [impl, signal] {
            if (*signal) {
                (*signal)->emit(boost::asio::cancellation_type::terminal);
            }
        });
        co_return Error(boost::asio::error::operation_aborted, "the wait was cancelled");
    }
    co_return *page;
}

}  // namespace

Host::Host(boost::asio::any_io_executor executor, HostOptions options, HostPlugins plugins) {
    detail::validate(options);
    detail::validate(plugins);
    impl_ = std::make_shared<HostImpl>(std::move(executor), std::move(options), std::move(plugins));
}

Host::~Host() {
    if (impl_) {
        stop();
    }
}

Host::Host(Host&&) noexcept = default;
Host& Host::operator=(Host&&) noexcept = default;

Awaitable<void> Host::run() {
    return quietly(run_host(impl_));
}

void Host::stop() {
    boost::asio::post(impl_->strand, [impl = impl_] { impl->begin_stop(); });
}

Awaitable<void> Host::ready() {
    return on_host(impl_, impl_->until_ready());
}

Awaitable<BatchRecord> Host::submit(BatchSpec spec) {
    return on_host(impl_, impl_->submit(std::move(spec)));
}

Awaitable<BatchRecord> Host::find(BatchId id) {
    return on_host(impl_, impl_->find(id));
}

Awaitable<BatchRecord> Host::find(std::string name) {
    return on_host(impl_, impl_->find_named(std::move(name)));
}

Awaitable<BatchPage> Host::list(BatchQuery query) {
    return on_host(impl_, impl_->list(std::move(query)));
}

Awaitable<BatchRecord> Host::wait(BatchId id) {
    HostImpl::WaitRequest request;
    request.change.id = id;
    request.what = HostImpl::WaitFor::end;
    return quietly(wait_until(impl_, std::move(request)));
}

Awaitable<BatchRecord> Host::wait_for_change(ChangeRequest change) {
    HostImpl::WaitRequest request;
    request.change = change;
    return quietly(wait_until(impl_, std::move(request)));
}

Awaitable<BatchRecord> Host::kill(BatchId id) {
    return on_host(impl_, impl_->wish(id, detail::BatchEvent::kill_requested));
}

Awaitable<void> Host::erase(BatchId id) {
    return quietly(erase_batch(impl_, id));
}

Awaitable<LogPage> Host::read_log(BatchLogRequest request) {
    return request.follow ? quietly(follow_log(impl_, request))
                          : on_host(impl_, impl_->read_log(request));
}

EventFollower Host::follow_events(std::int64_t sequence) {
    return EventFollower(impl_, sequence);
}

Awaitable<std::vector<Event>> EventFollower::next() {
    return quietly(next_and_remember(host_, position_));
}

HostStatus Host::status() const {
    return impl_->status();
}

boost::asio::any_io_executor Host::get_executor() const {
    return impl_->executor;
}

}  // namespace sparkhost
