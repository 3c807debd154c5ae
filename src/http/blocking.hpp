// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_BLOCKING_HPP
#define SPARKHOST_SRC_HTTP_BLOCKING_HPP

// Work that blocks, waited for no longer than one likes.

#include "waiter.hpp"

#include <sparkhost/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace sparkhost::detail::http {

/// Who waits for something that only other threads end. For one strand.
class WaiterSet {
public:
    void add(const std::shared_ptr<Waiter>& waiter) {
        std::erase_if(waiters_, [](const auto& weak) { return weak.expired(); });
        waiters_.push_back(waiter);
    }
    void stop() {
        for (const auto& weak : std::exchange(waiters_, {})) {
            if (auto waiter = weak.lock()) {
                waiter->wake(WakeReason::stopped);
            }
        }
    }

private:
    std::vector<std::weak_ptr<Waiter>> waiters_{};
};

/// Runs `work` (giving a Result) on `pool` and resumes on the caller's executor with what it gave,
/// or with nothing as soon as the time is over, the set is stopped or the caller is cancelled; the
/// work then ends unheard.
template <class Work>
auto blocking_until(std::shared_ptr<WaiterSet> set, asio::any_io_executor pool, Work work,
                    std::chrono::steady_clock::time_point deadline)
    -> asio::awaitable<std::optional<std::invoke_result_t<Work&>>> {
    using R = std::invoke_result_t<Work&>;
    auto executor = co_await asio::this_coro::executor;
    auto waiter = std::make_shared<Waiter>();
    auto result = std::make_shared<std::optional<R>>();
    set->add(waiter);
    asio::steady_timer timer(executor, deadline);
    timer.async_wait([waiter](boost::system::error_code failure) {
        if (!failure) {
            waiter->wake(WakeReason::timed_out);
        }
    });
    asio::post(pool, [waiter, result, shared = std::make_shared<Work>(std::move(work))] {
        try {
            result->emplace((*shared)());
        } catch (const std::exception& failure) {
            result->emplace(R(Error(Errc::backend_failed, failure.what())));
        }
        waiter->wake(WakeReason::changed);
    });
    const WakeReason reason = co_await Waiter::wait(waiter);
    timer.cancel();
    std::optional<R> given;
    if (reason == WakeReason::changed) {
        given = std::move(*result);
    }
    co_return given;
}

}  // namespace sparkhost::detail::http

#endif
