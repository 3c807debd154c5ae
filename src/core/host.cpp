// SPDX-License-Identifier: Apache-2.0
#include "core/host_calls.hpp"
#include "core/host_impl.hpp"
#include "core/validate.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>

namespace sparkhost {

namespace {

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

/// Completes when `enough` holds for the batch.
Awaitable<BatchRecord> wait_for_batch(std::shared_ptr<HostImpl> impl, BatchId id,
                                      std::chrono::milliseconds timeout,
                                      std::function<bool(const BatchRecord&)> enough) {
    WaitPlan<BatchRecord> plan;
    plan.subject = id;
    plan.timeout = timeout;
    plan.read = [id](HostImpl& host) { return host.find(id); };
    plan.enough = std::move(enough);
    return wait_until(std::move(impl), std::move(plan));
}

bool never(const BatchRecord&) {
    return false;
}

Awaitable<void> erase_batch(std::shared_ptr<HostImpl> impl, BatchId id) {
    auto wished =
        co_await on_host(impl, impl->wish(key_of(id), detail::BatchEvent::erase_requested));
    if (!wished) {
        co_return wished.error();
    }
    auto gone = co_await wait_for_batch(impl, id, std::chrono::milliseconds::max(), &never);
    co_return erased(gone.error());
}

Awaitable<std::vector<Event>> next_events(std::shared_ptr<HostImpl> impl, std::int64_t after) {
    for (;;) {
        auto waiter = std::make_shared<detail::Waiter>();
        auto events = co_await on_host(impl, impl->events_or_register(after, waiter));
        if (!events || !events->empty()) {
            co_return events;
        }
        const auto reason = co_await woken(waiter);
        boost::asio::post(impl->strand,
                          [impl, waiter] { std::erase(impl->event_waiters, waiter); });
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

}  // namespace

Host::Host(boost::asio::any_io_executor executor, HostOptions options, HostPlugins plugins) {
    detail::validate(options);
    detail::validate(plugins);
    detail::validate(options, plugins);
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
    auto ended = [](const BatchRecord& record) { return record.has_ended(); };
    return quietly(wait_for_batch(impl_, id, std::chrono::milliseconds::max(), ended));
}

Awaitable<BatchRecord> Host::wait_for_change(ChangeRequest change) {
    auto changed = [change](const BatchRecord& record) {
        return change.not_state ? record.state() != *change.not_state
                                : record.version != change.seen_version;
    };
    return quietly(wait_for_batch(impl_, change.id, change.timeout, changed));
}

Awaitable<BatchRecord> Host::kill(BatchId id) {
    return on_host(impl_, impl_->wish(key_of(id), detail::BatchEvent::kill_requested));
}

Awaitable<void> Host::erase(BatchId id) {
    return quietly(erase_batch(impl_, id));
}

Awaitable<LogPage> Host::read_log(BatchLogRequest request) {
    return read_log_of(impl_, key_of(request.id), request);
}

EventFollower Host::follow_events(std::int64_t sequence) {
    return EventFollower(impl_, sequence);
}

Awaitable<std::vector<Event>> EventFollower::next() {
    return quietly(next_and_remember(host_, position_));
}

Sessions Host::sessions() const {
    return Sessions(impl_);
}

HostStatus Host::status() const {
    return impl_->status();
}

boost::asio::any_io_executor Host::get_executor() const {
    return impl_->executor;
}

}  // namespace sparkhost
