// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/manual_clock.hpp>

#include "waiter.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace sparkhost::testing {

struct ManualClock::State {
    using WaiterPtr = std::shared_ptr<detail::Waiter>;
    using Sleepers = std::multimap<SteadyTime, WaiterPtr>;
    struct Watcher {
        std::size_t count;
        WaiterPtr waiter;
    };

    mutable std::mutex mutex;
    Timestamp wall{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
    SteadyTime steady{std::chrono::hours(1)};
    Sleepers sleepers;
    std::vector<Watcher> watchers;

    /// Null when the deadline has come already.
    WaiterPtr begin_sleep(SteadyTime deadline) {
        const std::lock_guard lock(mutex);
        if (deadline <= steady) {
            return nullptr;
        }
        auto waiter = std::make_shared<detail::Waiter>();
        sleepers.emplace(deadline, waiter);
        std::erase_if(watchers, [this](const Watcher& watcher) {
            const bool due = sleepers.size() >= watcher.count;
            if (due) {
                watcher.waiter->wake(detail::WakeReason::changed);
            }
            return due;
        });
        return waiter;
    }

    void end_sleep(const WaiterPtr& waiter) {
        const std::lock_guard lock(mutex);
        std::erase_if(sleepers, [&](const auto& entry) { return entry.second == waiter; });
    }

    /// Null when so many are sleeping already.
    WaiterPtr watch(std::size_t count) {
        const std::lock_guard lock(mutex);
        if (sleepers.size() >= count) {
            return nullptr;
        }
        return watchers.emplace_back(Watcher{count, std::make_shared<detail::Waiter>()}).waiter;
    }

    /// Ends the sleep also when its frame is destroyed without being resumed.
    struct SleepGuard {
        SleepGuard(State& of, const WaiterPtr& sleeper) : state(of), waiter(sleeper) {}
        ~SleepGuard() { state.end_sleep(waiter); }
        SleepGuard(const SleepGuard&) = delete;
        SleepGuard& operator=(const SleepGuard&) = delete;

        State& state;
        const WaiterPtr waiter;
    };

    static boost::asio::awaitable<void> sleep(std::shared_ptr<State> state, SteadyTime deadline) {
        auto waiter = state->begin_sleep(deadline);
        if (waiter) {
            const SleepGuard guard(*state, waiter);
            co_await detail::Waiter::wait(waiter);
        }
    }

    static boost::asio::awaitable<void> until(std::shared_ptr<State> state, std::size_t count) {
        auto waiter = state->watch(count);
        if (waiter) {
            co_await detail::Waiter::wait(waiter);
        }
    }
};

ManualClock::ManualClock() : state_(std::make_shared<State>()) {}
ManualClock::~ManualClock() = default;

Timestamp ManualClock::now() const {
    const std::lock_guard lock(state_->mutex);
    return state_->wall;
}

SteadyTime ManualClock::steady_now() const {
    const std::lock_guard lock(state_->mutex);
    return state_->steady;
}

boost::asio::awaitable<void> ManualClock::sleep_until(SteadyTime deadline) {
    return State::sleep(state_, deadline);
}

void ManualClock::advance(std::chrono::milliseconds by) {
    const std::lock_guard lock(state_->mutex);
    state_->wall += by;
    state_->steady += by;
    const auto due = state_->sleepers.upper_bound(state_->steady);
    for (auto it = state_->sleepers.begin(); it != due; ++it) {
        it->second->wake(detail::WakeReason::timed_out);
    }
    state_->sleepers.erase(state_->sleepers.begin(), due);
}

void ManualClock::jump(std::chrono::milliseconds by) {
    const std::lock_guard lock(state_->mutex);
    state_->wall += by;
}

std::size_t ManualClock::sleepers() const {
    const std::lock_guard lock(state_->mutex);
    return state_->sleepers.size();
}

boost::asio::awaitable<void> ManualClock::until_sleepers(std::size_t count) {
    return State::until(state_, count);
}

}  // namespace sparkhost::testing
