// SPDX-License-Identifier: Apache-2.0

// The way of one batch: observations are applied by the machine, committed, published, and then
// the machine says what to do next. An effect starts only from a record that is durable.

#include "core/batch_json.hpp"
#include "core/counters.hpp"
#include "core/host_impl.hpp"
#include "core/session_json.hpp"
#include "core/timeline.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sparkhost {

/// What a run of observations makes of what is stored.
struct HostImpl::Applied {
    BatchRecord next{};
    std::optional<detail::SessionPart> part{};  ///< of a session
    std::vector<Event> events{};
};

namespace batch_driver {

/// What a session's record is to clients; for a batch, the batch's state.
std::string state_of(const ActiveApplication& active, const BatchRecord& next,
                     const std::optional<detail::SessionPart>& part) {
    if (!part) {
        return std::string(to_string(next.state()));
    }
    SessionRecord session;
    session.application = next;
    session.facts = part->facts;
    session.open_statements = static_cast<std::int64_t>(active.session->open.size());
    return std::string(to_string(session.state()));
}

/// Why the batch has ended, or its last attempt.
std::string reason_of(const BatchRecord& record) {
    return record.next_attempt ? record.attempts.back().reason : record.reason;
}

bool ends_attempt(const BatchRecord& before, const BatchRecord& next) {
    return (next.has_ended() && !before.has_ended()) ||
           (next.phase == BatchPhase::attempt_ended && next.phase != before.phase);
}

/// What has only been shown so far is stored along with what changes.
std::vector<std::string> apply_with_steps(BatchRecord& record,
                                          const detail::BatchObservation& observation,
                                          const ActiveApplication& active) {
    const bool has_more = !active.steps.empty() && active.record.ticket == record.ticket &&
                          observation.event != detail::BatchEvent::progressed;
    if (!has_more) {
        return detail::apply(record, observation);
    }
    BatchRecord next = record;
    detail::merge_steps(next, active.steps);
    auto types = detail::apply(next, observation);
    if (!types.empty()) {
        record = std::move(next);
    }
    return types;
}

std::vector<std::string> apply_item(HostImpl::Applied& applied, const ActiveApplication::Item& item,
                                    const ActiveApplication& active) {
    std::vector<std::string> types;
    if (item.of_session && applied.part) {
        types = detail::apply(*applied.part, applied.next, *item.of_session, item.at);
    }
    if (item.observation) {
        const bool had_ended = applied.next.has_ended();
        for (auto& type : apply_with_steps(applied.next, *item.observation, active)) {
            if (applied.part) {
                type.replace(0, type.find('.'), "session");
            }
            types.push_back(std::move(type));
        }
        if (applied.part && !had_ended && applied.next.has_ended()) {
            detail::explain_end(*applied.part, applied.next);
        }
    }
    return types;
}

HostImpl::Applied apply_all(const ActiveApplication& active,
                            const std::vector<ActiveApplication::Item>& items) {
    HostImpl::Applied applied;
    applied.next = active.record;
    if (active.session) {
        applied.part = active.session->part;
        applied.part->statements = active.session->next_statement;
    }
    for (const auto& item : items) {
        for (auto& type : apply_item(applied, item, active)) {
            Event event;
            event.at = std::max(item.at, applied.next.updated);
            event.type = std::move(type);
            if (active.session) {
                event.session = SessionId{active.key.id};
            } else {
                event.batch = active.record.id;
            }
            event.version = active.record.version + 1;
            event.state = state_of(active, applied.next, applied.part);
            event.reason = batch_driver::reason_of(applied.next);
            applied.events.push_back(std::move(event));
        }
    }
    applied.next.version = active.record.version + 1;
    return applied;
}

Transaction transaction_for(const ActiveApplication& active, const HostImpl::Applied& applied) {
    Transaction transaction;
    Update update;
    update.key = active.key;
    update.expected_version = active.record.version;
    update.state = detail::stored_state(applied.next);
    update.body = applied.part ? detail::encode_session(applied.next, *applied.part)
                               : detail::encode_batch(applied.next);
    transaction.updates.push_back(std::move(update));
    for (const auto& event : applied.events) {
        NewEvent entry;
        entry.subject = active.key;
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

}  // namespace batch_driver

void HostImpl::observe(ActivePtr batch, detail::BatchObservation observation,
                       std::function<void(Result<BatchRecord>)> done) {
    ActiveApplication::Item item;
    item.at = observation.at;
    item.observation = std::move(observation);
    item.done = std::move(done);
    observe(std::move(batch), std::move(item));
}

void HostImpl::observe(ActivePtr batch, ActiveApplication::Item item) {
    item.arrived = clock->steady_now();
    batch->inbox.push_back(std::move(item));
    pump(std::move(batch));
}

void HostImpl::pump(ActivePtr batch) {
    answer_kills(batch);
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
    const auto effect = detail::next_effect(batch->record, batch->progress);
    // a kill does not wait for the next try of a submit
    const bool waits =
        batch->retrying && (batch->retrying == effect || effect != detail::BatchEffect::kill);
    if (!waits && !storage_retrying) {
        start_effect(batch, effect);
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
    for (const auto& [key, batch] : std::unordered_map(active)) {
        pump(batch);
        if (batch->session) {
            for (const auto& [number, statement] : std::map(batch->session->open)) {
                pump_statement(batch, statement);
            }
            give_statements(batch);
            watch_idleness(batch);
            wrap_up(batch);
        }
    }
}

boost::asio::awaitable<void> HostImpl::commit_inbox(ActivePtr batch) {
    if (batch->gone) {
        batch->committing = false;
        refuse_wishes(batch, Errc::not_found);
        co_return;
    }
    auto items = std::exchange(batch->inbox, {});
    auto applied = batch_driver::apply_all(*batch, items);
    const bool changed = !applied.events.empty();
    if (changed) {
        if (batch_driver::ends_attempt(batch->record, applied.next)) {
            applied.next.log_tail = co_await read_tail(batch);
        }
        auto commit = [&] {
            return storage->commit(batch_driver::transaction_for(*batch, applied));
        };
        auto committed = co_await from_storage<CommitResult>(commit);
        if (!committed) {
            co_await settle_failure(batch, committed.error(), std::move(items));
            co_return;
        }
        batch_driver::number_events(applied.events, committed->last_sequence);
        settle_success(batch, std::move(applied), committed->last_sequence);
    }
    const auto now = clock->steady_now();
    for (auto& item : items) {
        if (item.observation && item.observation->report && changed) {
            count([&](HostStatus& s) { detail::record_latency(s.push, now - item.arrived); });
        }
        if (item.done) {
            item.done(batch->record);
        }
        if (item.stored) {
            item.stored();
        }
    }
    batch->committing = false;
    store_new_steps(batch);
    pump(batch);
}

void HostImpl::settle_success(const ActivePtr& batch, Applied applied, std::int64_t last) {
    const BatchRecord before = std::exchange(batch->record, std::move(applied.next));
    const auto& record = batch->record;
    const bool ended_now = record.has_ended() && !before.has_ended();
    if (!detail::needs_slot(record.phase)) {
        batch->steps.clear();  // of an attempt that is over
    }
    if (record.phase == BatchPhase::reserved && before.phase == BatchPhase::accepted) {
        tickets.erase(before.ticket);  // of the attempt before
        tickets[record.ticket] = batch->key;
    }
    if (batch->session) {
        batch->session->part = std::move(*applied.part);
        publish(Subject(batch->key), std::move(applied.events), last);
        return session_changed(batch, before);
    }
    count_phase(before.phase, record.phase);
    if (ended_now) {
        count([&](HostStatus& s) { ++s.ended_by_state[static_cast<std::size_t>(record.state())]; });
    }
    if (before.phase == BatchPhase::accepted && ended_now && !batch->progress.admitted) {
        --waiting;
    }
    const bool requeued =
        before.phase == BatchPhase::waiting && record.phase == BatchPhase::accepted;
    waiting += requeued ? 1 : 0;
    cache.erase(record.id);  // an active one is not looked for there, and has its ticket's data
    publish(record.id, std::move(applied.events), last);
    follow_retry(batch);
    if (requeued) {
        dispatch();
    }
    const bool slot_over =
        record.phase != BatchPhase::accepted && !detail::needs_slot(record.phase);
    if (slot_over && std::exchange(batch->progress.admitted, false)) {
        slot_freed();
    }
}

boost::asio::awaitable<void> HostImpl::settle_failure(ActivePtr batch, Error error,
                                                      std::vector<ActiveApplication::Item> items) {
    const auto put_back = [&] {
        batch->inbox.insert(batch->inbox.begin(), std::make_move_iterator(items.begin()),
                            std::make_move_iterator(items.end()));
    };
    if (error.is(Errc::conflict)) {
        log(LogLevel::warning, batch->name() + " was changed by someone else; reading it again");
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
    if (!items.empty() && !trouble.oldest_unstored) {
        trouble.oldest_unstored = items.front().arrived;
    }
    put_back();
    batch->committing = false;
    if (error.is(Errc::indeterminate)) {
        storage_lost(error);
    } else {
        log(LogLevel::debug, batch->name() + " could not be stored: " + error.text());
        storage_retry_later(error);
    }
    pump(batch);
}

/// Without anybody being let in at once.
void HostImpl::free_slot(const ActivePtr& batch) {
    if (!batch->session && std::exchange(batch->progress.admitted, false)) {
        --slots_used;
    }
}

/// The record is no longer in the store.
void HostImpl::forget(const ActivePtr& batch) {
    batch->gone = true;
    tickets.erase(batch->record.ticket);
    active.erase(batch->key);
    if (batch->session) {
        claims.erase(batch->session->part.claim);
        sessions.erase(batch);
        wake_statements(SessionId{batch->key.id});
    } else {
        cache.erase(batch->record.id);
        departed.insert(batch->key.id);
        ++erasures;
    }
    pump(batch);
}

ActivePtr HostImpl::activate(RecordKey key, BatchRecord record) {
    auto batch = std::make_shared<ActiveApplication>();
    batch->key = key;
    batch->record = std::move(record);
    batch->backend = backend_index(batch->record.spec).value_or(backends.size());
    if (!batch->record.ticket.empty()) {
        tickets[batch->record.ticket] = key;
    }
    active[key] = batch;
    if (submits_in_flight + opening_sessions > 0) {
        met_early.insert(key);
    }
    return batch;
}

void HostImpl::drop_if_idle(const ActivePtr& batch) {
    const auto& record = batch->record;
    const auto& progress = batch->progress;
    const bool over = record.phase == BatchPhase::released && !record.erase_requested;
    const bool queued = record.phase == BatchPhase::accepted && !progress.admitted;
    if ((over || queued) && batch->inbox.empty() && !batch->committing && !progress.reserving &&
        !progress.submitting && !progress.killing && !progress.releasing && !progress.erasing) {
        tickets.erase(record.ticket);
        active.erase(batch->key);
        if (batch->session) {
            claims.erase(batch->session->part.claim);
            sessions.erase(batch);
        } else {
            cache.put(std::make_shared<const BatchRecord>(record));
            if (over) {
                departed.insert(batch->key.id);
            }
        }
    }
}

}  // namespace sparkhost
