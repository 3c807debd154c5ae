// SPDX-License-Identifier: Apache-2.0

// What callers ask for batches, on the strand.

#include "core/batch_json.hpp"
#include "core/counters.hpp"
#include "core/host_impl.hpp"
#include "core/retry.hpp"
#include "core/site_rules.hpp"
#include "core/validate.hpp"
#include "hop.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

boost::asio::awaitable<Result<BatchRecord>> HostImpl::submit(BatchSpec spec) {
    const auto called = clock->steady_now();
    if (auto valid = detail::validate(spec); !valid) {
        co_return valid.error();
    }
    const auto backend = backend_index(spec);
    if (!backend) {
        co_return no_backend(spec.backend);
    }
    if (auto allowed = detail::apply_site_rules(options, traits[*backend], spec); !allowed) {
        co_return allowed.error();
    }
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const TaskGuard guard(*this);
    const auto slots_free = options.max_running - std::min(options.max_running, slots_used);
    const bool full = waiting + static_cast<std::int64_t>(submits_in_flight) >=
                      static_cast<std::int64_t>(options.max_queued + slots_free);
    bool repeated = false;
    if (full) {
        repeated = co_await is_repeated(RecordKind::batch, spec);
    }
    if (full && !repeated) {
        co_return Error(Errc::rejected, "the queue is full (" + std::to_string(options.max_queued) +
                                            " batches wait); try again later");
    }
    BatchRecord record;
    record.version = 1;
    record.created = record.updated = clock->now();
    const auto request_fingerprint = detail::fingerprint(spec);
    record.spec = std::move(spec);
    detail::add_default_conf(options, record.spec);
    record.spec.retry = detail::completed(std::move(record.spec.retry), options.retry);
    record.spec.backend = traits[*backend].name;  // the first may be another one after a restart
    record.timeline.push_back(TimelineEntry{"accepted", record.created, {}});

    ++submits_in_flight;
    auto transaction = acceptance(RecordKind::batch, record, detail::encode_batch(record),
                                  record.spec, request_fingerprint);
    auto committed = co_await accept(RecordKind::batch, std::move(transaction), record.created);
    --submits_in_flight;
    const bool met = was_met_early(committed, RecordKind::batch);
    if (!committed) {
        refresh_status();
        co_return committed.error();
    }
    if (committed->duplicate) {
        auto first = judge_duplicate(*committed->duplicate, record.spec.name, request_fingerprint);
        if (!first) {
            co_return first.error();
        }
        const BatchId id{first->id};
        auto made = co_await read_record(id);
        if (!made && made.error().is(Errc::not_found)) {
            co_return made_but_deleted(*first);
        }
        co_return made;
    }
    record.id = BatchId{committed->ids.front()};
    accepted(record, met ? std::nullopt : backend, called, committed->last_sequence);
    co_return record;
}

/// Without a backend: somebody has taken it up already, and what is known of it is newer.
void HostImpl::accepted(const BatchRecord& record, std::optional<std::size_t> backend,
                        SteadyTime called, std::int64_t sequence) {
    const auto now = clock->steady_now();
    count([&](HostStatus& s) { detail::record_latency(s.accept, now - called); });
    count_phase(std::nullopt, BatchPhase::accepted);
    Event event;
    event.sequence = sequence;
    event.at = record.created;
    event.type = "batch.accepted";
    event.batch = record.id;
    event.version = record.version;
    event.state = to_string(record.state());
    std::vector<Event> events;
    events.push_back(std::move(event));
    // With nobody before it and a slot free, it need not be looked for in the store.
    const bool direct = backend && waiting == 0 && !dispatching &&
                        slots_used < options.max_running && stage == Stage::ready &&
                        !storage_suspect;
    if (!direct) {
        ++waiting;
        if (backend) {
            cache.put(std::make_shared<const BatchRecord>(record));
        }
    }
    publish(record.id, std::move(events), sequence);
    if (!direct) {
        return dispatch();
    }
    auto batch = activate(key_of(record.id), record);
    batch->backend = *backend;
    batch->durable_at = now;
    batch->direct = true;
    admit(std::move(batch));
}

boost::asio::awaitable<Result<BatchRecord>> HostImpl::read_record(BatchId id) {
    if (const auto found = active.find(key_of(id)); found != active.end()) {
        co_return found->second->shown();
    }
    if (auto cached = cache.find(id)) {
        co_return *cached;
    }
    const TaskGuard guard(*this);
    const auto erasures_before = erasures;
    const auto key = key_of(id);
    auto call = [&] { return storage->find(key); };
    auto stored = co_await from_storage<Record>(call);
    if (!stored) {
        co_return stored.error().is(Errc::not_found)
            ? Error(Errc::not_found, "there is no batch " + std::to_string(id.value))
            : stored.error();
    }
    // What has changed while it was being read is in memory.
    if (const auto found = active.find(key_of(id)); found != active.end()) {
        co_return found->second->shown();
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
    auto key = co_await find_name(RecordKind::batch, std::move(name));
    if (!key) {
        co_return key.error();
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
    for (std::size_t i = 0; i < page->records.size(); ++i) {
        if (i > 0 && i % detail::items_at_a_time == 0) {
            co_await detail::let_others_run();
        }
        const auto& stored = page->records[i];
        auto record = detail::decode_batch(stored);
        if (!record) {
            co_return record.error();
        }
        // What is durable may not be known here yet: find() would then take back what a list shows.
        const auto known = active.find(stored.key);
        if (known != active.end() && known->second->record.version <= record->version) {
            record = known->second->shown();
        }
        if (!query.state || record->state() == *query.state) {
            result.batches.push_back(std::move(*record));
        }
    }
    co_return result;
}

boost::asio::awaitable<Result<BatchRecord>> HostImpl::wish(RecordKey key,
                                                           detail::BatchEvent event) {
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const TaskGuard guard(*this);
    auto batch = co_await acquire(key);
    if (!batch) {
        co_return batch.error();
    }
    detail::BatchObservation observation;
    observation.event = event;
    observation.at = clock->now();
    // A session's agent does not get in any more, so that nothing of its code can start.
    const bool waits = event == detail::BatchEvent::kill_requested && !(*batch)->session;
    auto ask = [&](std::function<void(Result<BatchRecord>)> done) {
        auto stored = done;
        if (waits) {
            stored = [this, target = *batch, done](Result<BatchRecord> wished) {
                if (!wished) {
                    return done(std::move(wished));
                }
                target->kill_callers.push_back(done);
                const auto available = availability();
                const bool answered_later = available || target->progress.killing;
                answer_kills(target,
                             answered_later ? std::nullopt : std::optional(available.error()));
            };
        }
        observe(*batch, std::move(observation), std::move(stored));
    };
    co_return co_await detail::await_callback<Result<BatchRecord>>(std::move(ask));
}

/// Attempts count from 1; 0 is the last one that has a ticket.
Result<Ticket> HostImpl::log_ticket(const BatchRecord& record, int attempt) {
    const auto before = static_cast<int>(record.attempts.size());
    if (attempt >= 1 && attempt <= before) {
        const auto& asked = record.attempts[static_cast<std::size_t>(attempt) - 1];
        return Ticket{asked.ticket, asked.ticket_data};
    }
    if (attempt == 0 || attempt == record.attempt) {
        return Ticket{record.ticket, record.ticket_data};
    }
    return Error(Errc::not_found,
                 "batch " + std::to_string(record.id.value) + " has no attempt " +
                     std::to_string(attempt) + " yet",
                 "attempt");
}

boost::asio::awaitable<Result<LogPage>> HostImpl::read_log(RecordKey key, BatchLogRequest request) {
    for (;;) {
        auto record = co_await application_of(key);
        if (!record) {
            co_return record.error();
        }
        auto ticket = log_ticket(*record, request.attempt);
        if (!ticket) {
            co_return ticket.error();
        }
        const auto backend = backend_index(record->spec);
        const bool has_log = !ticket->id.empty() && backend && traits[*backend].serves_logs;
        const bool of_earlier =
            request.attempt > 0 && request.attempt <= static_cast<int>(record->attempts.size());
        const bool is_over =
            of_earlier || (has_log ? !detail::needs_slot(record->phase) : record->has_ended());
        if (has_log) {
            const TaskGuard guard(*this);
            auto plugin = backends[*backend];
            LogRequest lines;
            lines.ticket = std::move(*ticket);
            lines.offset = request.offset;
            lines.limit = request.limit;
            lines.follow = request.follow && !is_over;
            auto call = [&] { return plugin->read_log(std::move(lines)); };
            auto page = co_await guarded<LogPage>(call, Errc::backend_failed);
            if (!page && request.follow && stop_requested) {
                co_return Errc::stopped;
            }
            if (page || !page.error().is(Errc::not_found)) {
                co_return page;
            }
        }
        if (!request.follow || is_over) {
            LogPage empty;
            empty.complete = is_over;
            co_return empty;
        }
        // Nothing there yet: look again when something has happened to the application.
        auto waiter = std::make_shared<detail::Waiter>();
        register_waiter(Subject(key), waiter, std::nullopt);
        auto again = co_await application_of(key);
        const bool same = again && again->version == record->version && !stop_requested;
        auto woken = detail::WakeReason::changed;
        if (same) {
            woken = co_await detail::Waiter::wait(waiter);
        }
        unregister(Subject(key), waiter);
        if (woken != detail::WakeReason::changed || stop_requested) {
            co_return Errc::stopped;
        }
    }
}

Error HostImpl::no_backend(const std::string& name) const {
    std::string names;
    for (const auto& each : traits) {
        names += (names.empty() ? "" : ", ") + each.name;
    }
    return Error(Errc::invalid_argument, "there is no backend '" + name + "'; there is " + names,
                 "backend");
}

/// Of one that has not ended: its backend is there.
const Backend::Traits& HostImpl::backend_of(const ActiveApplication& application) const {
    return traits.at(application.backend);
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
