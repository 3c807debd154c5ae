// SPDX-License-Identifier: Apache-2.0

// Who waits for what, and how a commit reaches them.

#include "core/batch_json.hpp"
#include "core/host_impl.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

namespace {

constexpr std::size_t recent_events = 1024;
constexpr std::size_t events_per_read = 1000;

boost::asio::awaitable<void> wake_at(std::shared_ptr<Clock> clock, WaiterPtr waiter,
                                     SteadyTime at) {
    co_await clock->sleep_until(at);
    if (clock->steady_now() >= at) {
        waiter->wake(detail::WakeReason::timed_out);
    }
}

}  // namespace

void HostImpl::publish(const Subject& subject, std::vector<Event> events, std::int64_t last) {
    last_sequence = std::max(last_sequence, last);
    for (auto& event : events) {
        if (!recent.empty() && recent.back().sequence + 1 != event.sequence) {
            recent
                .clear();  // two commits completed in the other order: let followers read the disk
        }
        recent.push_back(std::move(event));
        if (recent.size() > recent_events) {
            recent.pop_front();
        }
    }
    wake(subject);
    for (const auto& waiter : std::exchange(event_waiters, {})) {
        waiter->wake(detail::WakeReason::changed);
    }
    refresh_status();
    const auto kept = last_sequence - oldest_sequence + 1;
    const auto limit = static_cast<std::int64_t>(options.max_events);
    if (!pruning && kept > limit + limit / 10 + 1) {
        pruning = true;
        spawn(prune_events());
    }
}

void HostImpl::wake(const Subject& subject) {
    const auto found = waiters.find(subject);
    if (found == waiters.end()) {
        return;
    }
    auto woken = std::move(found->second);
    waiters.erase(found);
    for (const auto& waiter : woken) {
        waiter->wake(detail::WakeReason::changed);
    }
}

void HostImpl::wake_statements(SessionId session) {
    auto at = waiters.lower_bound(Subject(session, StatementId{0}));
    while (at != waiters.end() && at->first.kind == RecordKind::statement &&
           at->first.id == session.value) {
        for (const auto& waiter : at->second) {
            waiter->wake(detail::WakeReason::changed);
        }
        at = waiters.erase(at);
    }
}

void HostImpl::wake_all(detail::WakeReason reason) {
    for (const auto& [subject, woken] : std::exchange(waiters, {})) {
        for (const auto& waiter : woken) {
            waiter->wake(reason);
        }
    }
    for (const auto& waiter : std::exchange(event_waiters, {})) {
        waiter->wake(reason);
    }
    for (const auto& [key, application] : active) {
        if (application->session) {
            for (const auto& [number, statement] : application->session->open) {
                for (const auto& waiter : std::exchange(statement->followers, {})) {
                    waiter->wake(reason);
                }
            }
        }
    }
}

void HostImpl::register_waiter(const Subject& subject, const WaiterPtr& waiter,
                               std::optional<SteadyTime> deadline) {
    waiters[subject].push_back(waiter);
    if (deadline) {
        deadlines[waiter.get()] = spawn_cancellable(wake_at(clock, waiter, *deadline));
    }
}

void HostImpl::unregister(const Subject& subject, const WaiterPtr& waiter) {
    const auto timer = deadlines.find(waiter.get());
    if (timer != deadlines.end()) {
        auto signal = std::move(timer->second);
        deadlines.erase(timer);
        signal->emit(boost::asio::cancellation_type::terminal);
    }
    const auto found = waiters.find(subject);
    if (found != waiters.end()) {
        std::erase(found->second, waiter);
        if (found->second.empty()) {
            waiters.erase(found);
        }
    }
}

boost::asio::awaitable<Result<std::vector<Event>>> HostImpl::events_or_register(std::int64_t after,
                                                                                WaiterPtr waiter) {
    auto available = co_await until_ready();
    if (!available) {
        co_return available.error();
    }
    if (after >= last_sequence) {
        event_waiters.push_back(std::move(waiter));
        co_return std::vector<Event>{};
    }
    std::vector<Event> events;
    if (!recent.empty() && recent.front().sequence <= after + 1 && recent.back().sequence > after) {
        const auto first =
            recent.begin() + static_cast<std::ptrdiff_t>(after + 1 - recent.front().sequence);
        const auto count =
            std::min<std::size_t>(events_per_read, static_cast<std::size_t>(recent.end() - first));
        events.assign(first, first + static_cast<std::ptrdiff_t>(count));
        co_return events;
    }
    const TaskGuard guard(*this);
    EventQuery query;
    query.after = after;
    query.limit = events_per_read;
    auto read = [&] { return storage->read_events(query); };
    auto stored = co_await from_storage<std::vector<StoredEvent>>(read);
    if (!stored) {
        co_return stored.error();
    }
    for (const auto& entry : *stored) {
        auto event = detail::decode_event(entry);
        if (!event) {
            co_return event.error();
        }
        events.push_back(std::move(*event));
    }
    co_return events;
}

boost::asio::awaitable<void> HostImpl::prune_events() {
    PruneRequest request;
    request.events_through = last_sequence - static_cast<std::int64_t>(options.max_events);
    request.unique_before = kept_until();
    auto prune = [&] { return storage->prune(request); };
    auto oldest = co_await from_storage<std::int64_t>(prune);
    pruning = false;
    if (oldest) {
        oldest_sequence = *oldest;
        while (!recent.empty() && recent.front().sequence < oldest_sequence) {
            recent.pop_front();
        }
    } else {
        log(LogLevel::warning, "old events could not be pruned: " + oldest.error().text());
    }
}

}  // namespace sparkhost
