// SPDX-License-Identifier: Apache-2.0

// The way of one batch: observations are applied by the machine, committed, published, and then
// the machine says what to do next. An effect starts only from a record that is durable.

#include "core/batch_json.hpp"
#include "core/counters.hpp"
#include "core/host_impl.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sparkhost {

namespace {

/// What a run of observations makes of a record.
struct Applied {
    BatchRecord next;
    std::vector<Event> events;
};

Applied apply_all(const BatchRecord& record, const std::deque<ActiveBatch::Item>& items) {
    Applied applied{record, {}};
    for (const auto& item : items) {
        for (auto& type : detail::apply(applied.next, item.observation)) {
            Event event;
            event.at = item.observation.at;
            event.type = std::move(type);
            event.batch = record.id;
            event.version = record.version + 1;
            event.state = applied.next.state();
            event.reason = applied.next.reason;
            applied.events.push_back(std::move(event));
        }
    }
    applied.next.version = record.version + 1;
    return applied;
}

Transaction transaction_for(const BatchRecord& before, const Applied& applied) {
    Transaction transaction;
    const RecordKey key{RecordKind::batch, before.id.value};
    Update update;
    update.key = key;
    update.expected_version = before.version;
    update.state = detail::stored_state(applied.next);
    update.body = detail::encode_batch(applied.next);
    transaction.updates.push_back(std::move(update));
    for (const auto& event : applied.events) {
        NewEvent entry;
        entry.subject = key;
        entry.at = event.at;
        entry.type = event.type;
        entry.body = detail::encode_event(event);
        transaction.events.push_back(std::move(entry));
    }
    return transaction;
}

void number_events(std::vector<Event>& events, std::int64_t last) {
    auto sequence = last - static_cast<std::int64_t>(events.size());
    for (auto& event : events) {
        event.sequence = ++sequence;
    }
}

}  // namespace

void HostImpl::observe(ActivePtr batch, detail::BatchObservation observation,
                       std::function<void(Result<BatchRecord>)> done) {
    ActiveBatch::Item item;
    item.observation = std::move(observation);
    item.done = std::move(done);
    item.arrived = clock->steady_now();
    batch->inbox.push_back(std::move(item));
    pump(std::move(batch));
}

void HostImpl::pump(ActivePtr batch) {
    if (batch->committing) {
        return;
    }
    if (batch->gone) {
        return refuse_wishes(batch, Errc::not_found);
    }
    if (stage > Stage::stopping || (storage_suspect && stage != Stage::ready)) {
        return refuse_wishes(batch, Errc::stopped);
    }
    if (storage_suspect) {
        return;
    }
    if (!batch->inbox.empty()) {
        // What a backend has reported waits for the next try; a caller is answered now.
        const bool asked = std::any_of(batch->inbox.begin(), batch->inbox.end(),
                                       [](const auto& item) { return bool(item.done); });
        if (!storage_retrying || asked) {
            batch->committing = true;
            spawn(commit_inbox(std::move(batch)));
        }
        return;
    }
    if (stage != Stage::ready) {
        return;
    }
    if (!batch->retrying && !storage_retrying) {
        start_effect(batch, detail::next_effect(batch->record, batch->progress));
    }
    drop_if_idle(batch);
}

void HostImpl::refuse_wishes(const ActivePtr& batch, const Error& error) {
    for (const auto& item : batch->inbox) {
        if (item.done) {
            item.done(error);
        }
    }
    std::erase_if(batch->inbox, [](const auto& item) { return bool(item.done); });
}

void HostImpl::pump_all() {
    for (const auto& [id, batch] : std::unordered_map(active)) {
        pump(batch);
    }
}

boost::asio::awaitable<void> HostImpl::commit_inbox(ActivePtr batch) {
    if (batch->gone) {
        batch->committing = false;
        refuse_wishes(batch, Errc::not_found);
        co_return;
    }
    auto items = std::exchange(batch->inbox, {});
    auto applied = apply_all(batch->record, items);
    const bool changed = !applied.events.empty();
    if (changed) {
        if (applied.next.has_ended() && !batch->record.has_ended()) {
            applied.next.log_tail = co_await read_tail(batch);
        }
        auto commit = [&] { return storage->commit(transaction_for(batch->record, applied)); };
        auto committed = co_await from_storage<CommitResult>(commit);
        if (!committed) {
            co_await settle_failure(batch, committed.error(), std::move(items));
            co_return;
        }
        storage_delay = std::chrono::milliseconds{0};
        number_events(applied.events, committed->last_sequence);
        settle_success(batch, std::move(applied.next), std::move(applied.events),
                       committed->last_sequence);
    }
    const auto now = clock->steady_now();
    for (auto& item : items) {
        if (item.observation.report && changed) {
            count([&](HostStatus& s) { detail::record_latency(s.push, now - item.arrived); });
        }
        if (item.done) {
            item.done(batch->record);
        }
    }
    batch->committing = false;
    pump(batch);
}

void HostImpl::settle_success(const ActivePtr& batch, BatchRecord next, std::vector<Event> events,
                              std::int64_t last) {
    const BatchRecord before = std::exchange(batch->record, std::move(next));
    const auto& record = batch->record;
    count_phase(before.phase, record.phase);
    const bool ended_now = record.has_ended() && !before.has_ended();
    if (ended_now) {
        count([&](HostStatus& s) { ++s.ended_by_state[static_cast<std::size_t>(record.state())]; });
    }
    if (before.phase == BatchPhase::accepted && ended_now && !batch->progress.admitted) {
        --waiting;
    }
    if (record.phase == BatchPhase::reserved && before.phase == BatchPhase::accepted) {
        tickets[record.ticket] = record.id.value;
    }
    cache.put(std::make_shared<const BatchRecord>(record));
    publish(record.id.value, std::move(events), last);
    if (ended_now && std::exchange(batch->progress.admitted, false)) {
        slot_freed();
    }
}

boost::asio::awaitable<void> HostImpl::settle_failure(ActivePtr batch, Error error,
                                                      std::deque<ActiveBatch::Item> items) {
    const auto put_back = [&] {
        batch->inbox.insert(batch->inbox.begin(), std::make_move_iterator(items.begin()),
                            std::make_move_iterator(items.end()));
    };
    if (error.is(Errc::conflict)) {
        log(LogLevel::warning, "batch " + std::to_string(batch->record.id.value) +
                                   " was changed by someone else; reading it again");
        auto reloaded = co_await reload(batch);
        if (reloaded) {
            put_back();
            batch->committing = false;
            pump(batch);
            dispatch();
            co_return;
        }
        error = reloaded.error();
    }
    // A caller's wish fails with the commit; what a backend has reported stays to be stored.
    for (const auto& item : items) {
        if (item.done) {
            item.done(error);
        }
    }
    std::erase_if(items, [](const auto& item) { return bool(item.done); });
    put_back();
    batch->committing = false;
    if (error.is(Errc::indeterminate)) {
        storage_lost();
    } else {
        log(LogLevel::error, "batch " + std::to_string(batch->record.id.value) +
                                 " could not be stored: " + error.text());
        storage_retry_later();
    }
    pump(batch);
}

/// Reads what is true; for records whose version in memory cannot be trusted.
boost::asio::awaitable<Result<void>> HostImpl::reload(ActivePtr batch) {
    const auto id = batch->record.id;
    const RecordKey key{RecordKind::batch, id.value};
    auto find_it = [&] { return storage->find(key); };
    auto stored = co_await from_storage<Record>(find_it);
    if (!stored && stored.error().is(Errc::not_found)) {
        if (std::exchange(batch->progress.admitted, false)) {
            --slots_used;
        }
        count_phase(batch->record.phase, std::nullopt);
        forget(batch);
        wake_batch(id.value);
        co_return ok();
    }
    if (!stored) {
        co_return stored.error();
    }
    auto record = detail::decode_batch(*stored);
    if (!record) {
        co_return record.error();
    }
    count_phase(batch->record.phase, record->phase);
    batch->record = std::move(*record);
    cache.erase(id);
    if (batch->record.has_ended() && std::exchange(batch->progress.admitted, false)) {
        --slots_used;
    }
    if (!batch->record.ticket.empty()) {
        tickets[batch->record.ticket] = id.value;
    }
    wake_batch(id.value);
    co_return ok();
}

/// The record is no longer in the store.
void HostImpl::forget(const ActivePtr& batch) {
    const auto id = batch->record.id;
    batch->gone = true;
    tickets.erase(batch->record.ticket);
    active.erase(id.value);
    cache.erase(id);
    departed.insert(id.value);
    ++erasures;
    pump(batch);
}

ActivePtr HostImpl::activate(BatchRecord record) {
    auto batch = std::make_shared<ActiveBatch>();
    batch->record = std::move(record);
    batch->backend = backend_index(batch->record.spec).value_or(backends.size());
    if (!batch->record.ticket.empty()) {
        tickets[batch->record.ticket] = batch->record.id.value;
    }
    active[batch->record.id.value] = batch;
    return batch;
}

boost::asio::awaitable<Result<ActivePtr>> HostImpl::acquire(BatchId id) {
    auto record = co_await read_record(id);
    if (!record) {
        co_return record.error();
    }
    const auto found = active.find(id.value);
    co_return found != active.end() ? found->second : activate(std::move(*record));
}

void HostImpl::drop_if_idle(const ActivePtr& batch) {
    const auto& record = batch->record;
    const auto& progress = batch->progress;
    const bool over = record.phase == BatchPhase::released && !record.erase_requested;
    const bool queued = record.phase == BatchPhase::accepted && !progress.admitted;
    if ((over || queued) && batch->inbox.empty() && !batch->committing && !progress.reserving &&
        !progress.submitting && !progress.killing && !progress.releasing && !progress.erasing) {
        tickets.erase(record.ticket);
        active.erase(record.id.value);
        if (over) {
            departed.insert(record.id.value);
        }
    }
}

}  // namespace sparkhost
