// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_HOST_CALLS_HPP
#define SPARKHOST_SRC_CORE_HOST_CALLS_HPP

// How the public members call the host on its strand, and wait there.

#include "core/host_impl.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <functional>
#include <optional>
#include <utility>

namespace sparkhost {

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
inline boost::asio::awaitable<detail::WakeReason> woken(WaiterPtr waiter) {
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) {
        co_return detail::WakeReason::cancelled;
    }
    co_return co_await detail::Waiter::wait(std::move(waiter));
}

/// Something that the host does on its strand, when it gets to it.
template <class Work>
void post_to(const std::shared_ptr<HostImpl>& impl, Work work) {
    boost::asio::post(impl->strand, std::move(work));
}

/// What somebody waits for.
template <class Record>
struct WaitPlan {
    Subject subject{};
    std::chrono::milliseconds timeout{std::chrono::milliseconds::max()};
    std::function<boost::asio::awaitable<Result<Record>>(HostImpl&)> read{};
    std::function<bool(const Record&)> enough{};
};

/// The record if what is waited for is there; else the waiter is registered.
template <class Record>
boost::asio::awaitable<Result<std::optional<Record>>> look(std::shared_ptr<HostImpl> impl,
                                                           const WaitPlan<Record>& plan,
                                                           std::optional<SteadyTime> deadline,
                                                           WaiterPtr waiter) {
    impl->register_waiter(plan.subject, waiter, deadline);
    auto found = co_await plan.read(*impl);
    if (found && !plan.enough(*found) && !impl->stop_requested) {
        co_return std::optional<Record>();
    }
    impl->unregister(plan.subject, waiter);
    if (!found) {
        co_return found.error();
    }
    if (!plan.enough(*found)) {
        co_return Errc::stopped;
    }
    co_return std::optional<Record>(std::move(*found));
}

template <class Record>
Awaitable<Record> wait_until(std::shared_ptr<HostImpl> impl, WaitPlan<Record> plan) {
    std::optional<SteadyTime> deadline;
    if (plan.timeout != std::chrono::milliseconds::max()) {
        deadline = impl->clock->steady_now() + plan.timeout;
    }
    for (;;) {
        auto waiter = std::make_shared<detail::Waiter>();
        auto checked = co_await on_host(impl, look(impl, plan, deadline, waiter));
        if (!checked) {
            co_return checked.error();
        }
        if (*checked) {
            co_return std::move(**checked);
        }
        const auto reason = co_await woken(waiter);
        post_to(impl,
                [impl, subject = plan.subject, waiter] { impl->unregister(subject, waiter); });
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

/// How the wait for an erasure ended.
inline Result<void> erased(const Error& error) {
    if (error.is(Errc::storage_failed)) {
        // the wish is durable, so that "nothing has changed" would not be true
        return Error(Errc::indeterminate, error.detail);
    }
    return error.is(Errc::not_found) ? ok() : Result<void>(error);
}

inline boost::asio::awaitable<void> read_log_and_tell(std::shared_ptr<HostImpl> impl, RecordKey key,
                                                      BatchLogRequest request,
                                                      std::shared_ptr<Result<LogPage>> page,
                                                      WaiterPtr done) {
    *page = co_await impl->read_log(key, request);
    done->wake(detail::WakeReason::changed);
}

/// A following read may take for ever, so it runs as a task that the caller's cancellation, or
/// stop(), can end.
inline Awaitable<LogPage> follow_log(std::shared_ptr<HostImpl> impl, RecordKey key,
                                     BatchLogRequest request) {
    Result<LogPage> unanswered = Errc::stopped;
    auto page = std::make_shared<Result<LogPage>>(std::move(unanswered));
    auto done = std::make_shared<detail::Waiter>();
    auto signal = std::make_shared<HostImpl::Signal>();
    auto begin = [impl, key, request, page, done, signal] {
        *signal = impl->spawn_cancellable(read_log_and_tell(impl, key, request, page, done),
                                          [done] { done->wake(detail::WakeReason::stopped); });
    };
    post_to(impl, std::move(begin));
    const auto reason = co_await woken(done);
    if (reason == detail::WakeReason::cancelled) {
        post_to(impl, [impl, signal] {
            if (*signal) {
                (*signal)->emit(boost::asio::cancellation_type::terminal);
            }
        });
        co_return Error(boost::asio::error::operation_aborted, "the wait was cancelled");
    }
    co_return *page;
}

inline Awaitable<LogPage> read_log_of(std::shared_ptr<HostImpl> impl, RecordKey key,
                                      BatchLogRequest request) {
    return request.follow ? quietly(follow_log(impl, key, request))
                          : on_host(impl, impl->read_log(key, request));
}

}  // namespace sparkhost

#endif
