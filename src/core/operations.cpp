// SPDX-License-Identifier: Apache-2.0

// What callers ask for, on the strand.

#include "core/batch_json.hpp"
#include "core/counters.hpp"
#include "core/host_impl.hpp"
#include "core/validate.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

namespace {

constexpr const char* name_scope = "batch.name";
constexpr const char* key_scope = "batch.idempotency";

/// Owner and key as one value; neither contains a line end.
std::string key_value(const BatchSpec& spec) {
    return spec.owner + "\n" + spec.idempotency_key;
}

Error unknown_batch(BatchId id) {
    return Error(Errc::not_found, "there is no batch " + std::to_string(id.value));
}

Transaction acceptance(const BatchRecord& record, const std::string& request_fingerprint,
                       std::chrono::seconds key_retention) {
    Insert insert;
    insert.state = detail::stored_state(record);
    insert.owner = record.spec.owner;
    insert.body = detail::encode_batch(record);
    // The key first: a repeated request has the same name, too, and must find the batch.
    if (!record.spec.idempotency_key.empty()) {
        UniqueKey key;
        key.scope = key_scope;
        key.value = key_value(record.spec);
        key.fingerprint = request_fingerprint;
        key.keep_until = record.created + key_retention;
        insert.unique.push_back(std::move(key));
    }
    if (!record.spec.name.empty()) {
        UniqueKey name;
        name.scope = name_scope;
        name.value = record.spec.name;
        insert.unique.push_back(std::move(name));
    }
    Event event;
    event.version = 1;
    event.state = record.state();
    NewEvent entry;
    entry.subject.id = -1;
    entry.at = record.created;
    entry.type = "batch.accepted";
    entry.body = detail::encode_event(event);
    Transaction transaction;
    transaction.inserts.push_back(std::move(insert));
    transaction.events.push_back(std::move(entry));
    return transaction;
}

}  // namespace

boost::asio::awaitable<Result<BatchRecord>> HostImpl::submit(BatchSpec spec) {
    const auto called = clock->steady_now();
    if (auto valid = detail::validate(spec); !valid) {
        co_return valid.error();
    }
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const TaskGuard guard(*this);
    const auto backend = backend_index(spec);
    if (!backend) {
        co_return Error(Errc::invalid_argument, "there is no backend '" + spec.backend + "'",
                        "backend");
    }
    const auto slots_free = options.max_running - std::min(options.max_running, slots_used);
    const bool full = waiting + static_cast<std::int64_t>(submits_in_flight) >=
                      static_cast<std::int64_t>(options.max_queued + slots_free);
    if (full && !co_await is_repeated(spec)) {
        co_return Error(Errc::rejected, "the queue is full (" + std::to_string(options.max_queued) +
                                            " batches wait); try again later");
    }
    BatchRecord record;
    record.version = 1;
    record.created = record.updated = clock->now();
    const auto request_fingerprint = detail::fingerprint(spec);
    record.spec = std::move(spec);
    record.spec.backend = traits[*backend].name;  // the first may be another one after a restart
    record.timeline.push_back(TimelineEntry{"accepted", record.created, {}});

    ++submits_in_flight;
    auto commit = [&] {
        return storage->commit(
            acceptance(record, request_fingerprint, options.idempotency_retention));
    };
    auto committed = co_await from_storage<CommitResult>(commit);
    if (committed && committed->duplicate &&
        co_await forget_expired_key(*committed->duplicate, record.created)) {
        committed = co_await from_storage<CommitResult>(commit);
    }
    --submits_in_flight;
    if (!committed) {
        refresh_status();
        co_return committed.error();
    }
    if (committed->duplicate) {
        co_return co_await answer_duplicate(std::move(*committed->duplicate),
                                            std::move(record.spec.name), request_fingerprint);
    }
    record.id = BatchId{committed->ids.front()};
    accepted(record, *backend, called, committed->last_sequence);
    co_return record;
}

void HostImpl::accepted(const BatchRecord& record, std::size_t backend, SteadyTime called,
                        std::int64_t sequence) {
    const auto now = clock->steady_now();
    count([&](HostStatus& s) { detail::record_latency(s.accept, now - called); });
    count_phase(std::nullopt, BatchPhase::accepted);
    cache.put(std::make_shared<const BatchRecord>(record));
    Event event;
    event.sequence = sequence;
    event.at = record.created;
    event.type = "batch.accepted";
    event.batch = record.id;
    event.version = record.version;
    event.state = record.state();
    std::vector<Event> events;
    events.push_back(std::move(event));
    // With nobody before it and a slot free, it need not be looked for in the store.
    const bool direct = waiting == 0 && !dispatching && slots_used < options.max_running &&
                        stage == Stage::ready && !storage_suspect;
    if (!direct) {
        ++waiting;
    }
    publish(record.id.value, std::move(events), sequence);
    if (!direct) {
        return dispatch();
    }
    auto batch = activate(record);
    batch->backend = backend;
    batch->durable_at = now;
    batch->direct = true;
    admit(std::move(batch));
}

boost::asio::awaitable<Result<BatchRecord>> HostImpl::answer_duplicate(
    CommitResult::Duplicate duplicate, std::string name, std::string request_fingerprint) {
    const BatchId holder{duplicate.holder.id};
    if (duplicate.scope == name_scope) {
        co_return Error(Errc::already_exists,
                        "batch " + std::to_string(holder.value) + " has the name '" + name + "'",
                        "name");
    }
    if (duplicate.fingerprint != request_fingerprint) {
        co_return Error(Errc::already_exists,
                        "this key was used for another request (batch " +
                            std::to_string(holder.value) + "); use a new key for a new request",
                        "idempotency_key");
    }
    auto first = co_await read_record(holder);
    if (!first && first.error().is(Errc::not_found)) {
        co_return Error(Errc::already_exists,
                        "batch " + std::to_string(holder.value) +
                            ", made with this key, has been deleted; use a new key to run it again",
                        "idempotency_key");
    }
    co_return first;
}

/// Whether its key is known: such a request is to be answered and adds nothing to the queue.
boost::asio::awaitable<bool> HostImpl::is_repeated(const BatchSpec& spec) {
    if (spec.idempotency_key.empty()) {
        co_return false;
    }
    std::string scope = key_scope;
    auto value = key_value(spec);
    auto call = [&] { return storage->find_unique(std::move(scope), std::move(value)); };
    auto holder = co_await from_storage<RecordKey>(call);
    co_return holder.has_value();
}

/// The store drops keys whose time has passed only when it is pruned. True if it has been now,
/// because this one may be among them.
boost::asio::awaitable<bool> HostImpl::forget_expired_key(CommitResult::Duplicate duplicate,
                                                          Timestamp now) {
    if (duplicate.scope != key_scope) {
        co_return false;
    }
    const BatchId first{duplicate.holder.id};
    auto holder = co_await read_record(first);
    const bool erased = !holder && holder.error().is(Errc::not_found);
    if (!erased && (!holder || holder->created + options.idempotency_retention >= now)) {
        co_return false;
    }
    PruneRequest request;
    request.unique_before = now;
    auto prune = [&] { return storage->prune(request); };
    auto pruned = co_await from_storage<std::int64_t>(prune);
    co_return pruned.has_value();
}

boost::asio::awaitable<Result<BatchRecord>> HostImpl::read_record(BatchId id) {
    if (const auto found = active.find(id.value); found != active.end()) {
        co_return found->second->record;
    }
    if (auto cached = cache.find(id)) {
        co_return *cached;
    }
    const TaskGuard guard(*this);
    const auto erasures_before = erasures;
    const RecordKey key{RecordKind::batch, id.value};
    auto call = [&] { return storage->find(key); };
    auto stored = co_await from_storage<Record>(call);
    if (!stored) {
        co_return stored.error().is(Errc::not_found) ? unknown_batch(id) : stored.error();
    }
    // What has changed while it was being read is in memory.
    if (const auto found = active.find(id.value); found != active.end()) {
        co_return found->second->record;
    }
    if (auto cached = cache.find(id)) {
        co_return *cached;
    }
    auto record = detail::decode_batch(*stored);
    if (record && erasures == erasures_before) {
        cache.put(std::make_shared<const BatchRecord>(*record));
    }
    co_return record;
}

boost::asio::awaitable<Result<BatchRecord>> HostImpl::find(BatchId id) {
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    co_return co_await read_record(id);
}

boost::asio::awaitable<Result<BatchRecord>> HostImpl::find_named(std::string name) {
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const TaskGuard guard(*this);
    std::string scope = name_scope;
    auto call = [&] { return storage->find_unique(std::move(scope), name); };
    auto key = co_await from_storage<RecordKey>(call);
    if (!key) {
        co_return key.error().is(Errc::not_found)
            ? Error(Errc::not_found, "there is no batch named '" + name + "'")
            : key.error();
    }
    const BatchId id{key->id};
    co_return co_await read_record(id);
}

boost::asio::awaitable<Result<BatchPage>> HostImpl::list(BatchQuery query) {
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const TaskGuard guard(*this);
    Query stored_query;
    stored_query.owner = query.owner;
    stored_query.offset = std::max<std::int64_t>(0, query.offset);
    stored_query.limit = query.limit;
    stored_query.newest_first = query.newest_first;
    if (query.state) {
        stored_query.states = detail::stored_states(*query.state);
    }
    if (query.after) {
        stored_query.after = query.after->value;
    }
    auto call = [&] { return storage->list(std::move(stored_query)); };
    auto page = co_await from_storage<Page>(call);
    if (!page) {
        co_return page.error();
    }
    BatchPage result;
    result.total = page->total;
    result.batches.reserve(page->records.size());
    for (const auto& stored : page->records) {
        auto record = detail::decode_batch(stored);
        if (!record) {
            co_return record.error();
        }
        result.batches.push_back(std::move(*record));
    }
    co_return result;
}

boost::asio::awaitable<Result<BatchRecord>> HostImpl::wish(BatchId id, detail::BatchEvent event) {
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const TaskGuard guard(*this);
    auto batch = co_await acquire(id);
    if (!batch) {
        co_return batch.error();
    }
    detail::BatchObservation observation;
    observation.event = event;
    observation.at = clock->now();
    auto ask = [&](std::function<void(Result<BatchRecord>)> done) {
        observe(*batch, std::move(observation), std::move(done));
    };
    co_return co_await detail::await_callback<Result<BatchRecord>>(std::move(ask));
}

boost::asio::awaitable<Result<LogPage>> HostImpl::read_log(BatchLogRequest request) {
    for (;;) {
        auto record = co_await find(request.id);
        if (!record) {
            co_return record.error();
        }
        const auto backend = backend_index(record->spec);
        const bool has_log = !record->ticket.empty() && backend && traits[*backend].serves_logs;
        if (has_log) {
            const TaskGuard guard(*this);
            auto plugin = backends[*backend];
            LogRequest lines;
            lines.ticket = Ticket{record->ticket, record->ticket_data};
            lines.offset = request.offset;
            lines.limit = request.limit;
            lines.follow = request.follow && !record->has_ended();
            auto call = [&] { return plugin->read_log(std::move(lines)); };
            auto page = co_await guarded<LogPage>(call, Errc::backend_failed);
            if (!page && request.follow && stop_requested) {
                co_return Errc::stopped;
            }
            if (page || !page.error().is(Errc::not_found)) {
                co_return page;
            }
        }
        if (!request.follow || record->has_ended()) {
            LogPage empty;
            empty.complete = record->has_ended();
            co_return empty;
        }
        // Nothing there yet: look again when something has happened to the batch.
        WaitRequest wait;
        wait.change.id = request.id;
        wait.change.seen_version = record->version;
        auto waiter = std::make_shared<detail::Waiter>();
        auto changed = co_await check_or_register(wait, waiter);
        if (!changed) {
            co_return changed.error();
        }
        if (!*changed && co_await detail::Waiter::wait(waiter) != detail::WakeReason::changed) {
            unregister(request.id.value, waiter);
            co_return Errc::stopped;
        }
    }
}

std::optional<std::size_t> HostImpl::backend_index(const BatchSpec& spec) const {
    if (spec.backend.empty()) {
        return 0;
    }
    for (std::size_t index = 0; index < traits.size(); ++index) {
        if (traits[index].name == spec.backend) {
            return index;
        }
    }
    return std::nullopt;
}

}  // namespace sparkhost
