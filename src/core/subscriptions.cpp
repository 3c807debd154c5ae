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

bool is_satisfied(const HostImpl::WaitRequest& request, const BatchRecord& record) {
    switch (request.what) {
        case HostImpl::WaitFor::end:
            return record.has_ended();
        case HostImpl::WaitFor::erasure:
            return false;
        case HostImpl::WaitFor::change:
            break;
    }
    return request.change.not_state ? record.state() != *request.change.not_state
                                    : record.version != request.change.seen_version;
}

boost::asio::awaitable<void> wake_at(std::shared_ptr<Clock> clock, WaiterPtr waiter,
                                     SteadyTime at) {
    co_await clock->sleep_until(at);
    if (clock->steady_now() >= at) {
        waiter->wake(detail::WakeReason::timed_out);
    }
}

}  // namespace

void HostImpl::publish(std::int64_t batch, std::vector<Event> events, std::int64_t last) {
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
    wake_batch(batch);
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

void HostImpl::wake_batch(std::int64_t batch) {
    const auto found = batch_waiters.find(batch);
    if (found == batch_waiters.end()) {
        return;
    }
    for (const auto& waiter : std::exchange(found->second, {})) {
        waiter->wake(detail::WakeReason::changed);
    }
    batch_waiters.erase(batch);
}

void HostImpl::wake_all(detail::WakeReason reason) {
    for (const auto& [id, waiters] : std::exchange(batch_waiters, {})) {
        for (const auto& waiter : waiters) {
            waiter->wake(reason);
        }
    }
    for (const auto& waiter : std::exchange(event_waiters, {})) {
        waiter->wake(reason);
    }
}

boost::asio::awaitable<Result<std::optional<BatchRecord>>> HostImpl::check_or_register(
    WaitRequest request, WaiterPtr waiter) {
    std::uint64_t seen = erasures;
    auto found = co_await find(request.change.id);
    while (seen != erasures) {  // one erased while it was being read would never wake anybody
        seen = erasures;
        found = co_await find(request.change.id);
    }
    if (!found) {
        co_return found.error();
    }
    if (is_satisfied(request, *found)) {
        co_return std::optional<BatchRecord>(std::move(*found));
    }
    // The read may have suspended: what has changed since then is in `active` or the cache.
    const auto id = request.change.id;
    const auto now_active = active.find(id.value);
    const auto cached = cache.find(id);
    const BatchRecord* latest =
        now_active != active.end() ? &now_active->second->record : cached.get();
    if (latest && latest->version != found->version && is_satisfied(request, *latest)) {
        co_return std::optional<BatchRecord>(*latest);
    }
    if (stop_requested) {
        co_return Errc::stopped;
    }
    batch_waiters[id.value].push_back(waiter);
    if (request.deadline) {
        deadlines[waiter.get()] = spawn_cancellable(wake_at(clock, waiter, *request.deadline));
    }
    co_return std::optional<BatchRecord>{};
}

void HostImpl::unregister(std::int64_t batch, const WaiterPtr& waiter) {
    const auto timer = deadlines.find(waiter.get());
    if (timer != deadlines.end()) {
        auto signal = std::move(timer->second);
        deadlines.erase(timer);
        signal->emit(boost::asio::cancellation_type::terminal);
    }
    const auto found = batch_waiters.find(batch);
    if (found != batch_waiters.end()) {
        std::erase(found->second, waiter);
        if (found->second.empty()) {
            batch_waiters.erase(found);
        }
    }
    std::erase(event_waiters, waiter);
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
    request.unique_before = clock->now();
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
