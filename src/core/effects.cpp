// SPDX-License-Identifier: Apache-2.0

// What the machine asks of the backends. Each effect reports back as an observation.

#include "core/batch_json.hpp"
#include "core/counters.hpp"
#include "core/host_impl.hpp"
#include "core/timeline.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

namespace {

constexpr std::chrono::milliseconds first_retry{200};
constexpr std::chrono::milliseconds last_retry{std::chrono::seconds{30}};

detail::BatchObservation observation_of(detail::BatchEvent event, Timestamp at,
                                        std::string reason = {}) {
    detail::BatchObservation observation;
    observation.event = event;
    observation.at = at;
    observation.reason = std::move(reason);
    return observation;
}

Ticket ticket_of(const BatchRecord& record) {
    return Ticket{record.ticket, record.ticket_data};
}

}  // namespace

std::string ActiveApplication::name() const {
    return (session ? "session " : "batch ") + std::to_string(key.id);
}

BatchRecord ActiveApplication::shown() const {
    BatchRecord copy = record;
    detail::merge_steps(copy, steps);
    return copy;
}

SubmitRequest HostImpl::request_for(const ActiveApplication& batch) const {
    SubmitRequest request;
    request.store_uuid = store_uuid;
    request.subject = (batch.session ? "session-" : "batch-") + std::to_string(batch.key.id);
    const auto next = static_cast<int>(batch.record.attempts.size()) + 1;
    request.attempt = batch.record.phase == BatchPhase::accepted ? next : batch.record.attempt;
    request.spec = batch.record.spec;
    if (batch.session) {
        request.driver_files = batch.session->part.driver_files;
    }
    return request;
}

void HostImpl::start_effect(ActivePtr batch, detail::BatchEffect effect) {
    using detail::BatchEffect;
    switch (effect) {
        case BatchEffect::none:
        case BatchEffect::await_admission:
            return;
        case BatchEffect::reserve:
            batch->progress.reserving = true;
            return spawn(do_reserve(std::move(batch)));
        case BatchEffect::submit:
            batch->progress.submitting = true;
            return spawn(do_submit(std::move(batch)));
        case BatchEffect::kill:
            batch->progress.killing = true;
            return spawn(do_kill(std::move(batch)));
        case BatchEffect::release:
            batch->progress.releasing = true;
            return spawn(do_release(std::move(batch)));
        case BatchEffect::await_retry:
            batch->progress.awaiting_retry = true;
            batch->retry_timer = spawn_cancellable(await_retry(batch));
            return;
        case BatchEffect::erase:
            batch->progress.erasing = true;
            return spawn(erase_record(std::move(batch)));
    }
}

boost::asio::awaitable<void> HostImpl::do_reserve(ActivePtr batch) {
    if (batch->backend >= backends.size()) {
        batch->progress.reserving = false;
        auto refusal =
            observation_of(detail::BatchEvent::refused, clock->now(),
                           "this host has no backend '" + batch->record.spec.backend + "'");
        refusal.hopeless = true;
        observe(std::move(batch), std::move(refusal));
        co_return;
    }
    auto backend = backends[batch->backend];
    ActiveApplication::Item item;
    Result<SubmitRequest> request = request_for(*batch);
    if (batch->session) {
        item.of_session.emplace();
        ++batch->session->preparing;
        request = co_await prepare_session(batch, *item.of_session);
    }
    Result<Ticket> ticket = request ? Result<Ticket>(Ticket{}) : request.error();
    if (request) {
        auto call = [&] { return backend->reserve(*request); };
        ticket = co_await guarded<Ticket>(call, Errc::backend_failed);
    }
    batch->progress.reserving = false;
    auto observation = observation_of(detail::BatchEvent::admitted, clock->now());
    if (ticket) {
        observation.ticket = std::move(ticket->id);
        observation.ticket_data = std::move(ticket->data);
        observation.attempt = request->attempt;
        if (batch->session) {
            observation.launch = std::move(request->spec);
            observation.launch->backend = batch->record.spec.backend;  // also if none was named
        }
    } else {
        observation.event = detail::BatchEvent::refused;
        observation.reason = ticket.error().text();
        observation.hopeless = ticket.error().is(Errc::invalid_argument);
        observation.chance = any_chance();
        item.of_session.reset();
    }
    item.at = observation.at;
    item.observation = std::move(observation);
    observe(batch, std::move(item));
    if (batch->session) {
        --batch->session->preparing;
        wrap_up(batch);
    }
}

boost::asio::awaitable<void> HostImpl::do_submit(ActivePtr batch) {
    auto backend = backends[batch->backend];
    if (std::exchange(batch->direct, false)) {
        const auto took = clock->steady_now() - batch->durable_at;
        count([&](HostStatus& s) { detail::record_latency(s.dispatch, took); });
    }
    auto request = request_for(*batch);
    auto ticket = ticket_of(batch->record);
    auto call = [&] { return backend->submit(std::move(request), std::move(ticket)); };
    auto submitted = co_await guarded<void>(call, Errc::backend_failed);
    batch->taken_in = epochs[batch->backend];
    batch->progress.submitting = false;
    if (!submitted && submitted.error().is(Errc::indeterminate)) {
        const auto level = batch->retry_delay.count() == 0 ? LogLevel::warning : LogLevel::debug;
        log(level, batch->name() + " could not be started now, trying again until it is: " +
                       submitted.error().text());
        co_return retry_later(std::move(batch), detail::BatchEffect::submit);
    }
    batch->retry_delay = {};
    batch->progress.submit_done = true;
    if (submitted) {
        observe(std::move(batch), observation_of(detail::BatchEvent::taken, clock->now()));
    } else if (submitted.error().is(Errc::invalid_state)) {
        pump(std::move(batch));  // killed meanwhile: the watch reports its end
    } else {
        auto refusal =
            observation_of(detail::BatchEvent::refused, clock->now(), submitted.error().text());
        refusal.chance = any_chance();
        observe(std::move(batch), std::move(refusal));
    }
}

boost::asio::awaitable<void> HostImpl::do_kill(ActivePtr batch) {
    auto backend = backends[batch->backend];
    auto ticket = ticket_of(batch->record);
    auto call = [&] { return backend->kill(std::move(ticket)); };
    auto killed = co_await guarded<void>(call, Errc::backend_failed);
    batch->progress.killing = false;
    if (killed) {
        batch->progress.kill_done = true;
        batch->retry_delay = {};
        pump(std::move(batch));
        co_return;
    }
    answer_kills(batch, Error(Errc::backend_failed,
                              batch->name() +
                                  " will be killed, but its backend could not be asked "
                                  "yet and is asked again: " +
                                  killed.error().text()));
    log(LogLevel::warning,
        batch->name() + " could not be killed, trying again: " + killed.error().text());
    retry_later(std::move(batch), detail::BatchEffect::kill);
}

/// A submit that is on its way may still start user code when the wish to kill is durable. Who
/// asked for the kill is answered when the backend has taken it, or nothing can start any more.
void HostImpl::answer_kills(const ActivePtr& batch, std::optional<Error> problem) {
    const auto& record = batch->record;
    const bool has_started = record.phase == BatchPhase::running;
    const bool is_final =
        batch->gone || record.has_ended() || has_started || batch->progress.kill_done;
    if (batch->kill_callers.empty() || (!is_final && !problem)) {
        return;
    }
    Result<BatchRecord> answer = record;
    if (!is_final) {
        answer = std::move(*problem);
    } else if (batch->gone) {
        answer = Errc::not_found;
    }
    for (const auto& caller : std::exchange(batch->kill_callers, {})) {
        caller(answer);
    }
}

boost::asio::awaitable<void> HostImpl::do_release(ActivePtr batch) {
    Result<void> released = ok();
    if (batch->session) {
        released = co_await release_session(batch);
    }
    if (released && !batch->record.ticket.empty() && batch->backend < backends.size()) {
        auto backend = backends[batch->backend];
        Backend::ReleaseRequest request;
        request.ticket = ticket_of(batch->record);
        request.keep_log = !batch->record.erase_requested;
        auto call = [&] { return backend->release(std::move(request)); };
        released = co_await guarded<void>(call, Errc::backend_failed);
    }
    batch->progress.releasing = false;
    if (released) {
        observe(std::move(batch), observation_of(detail::BatchEvent::released, clock->now()));
        co_return;
    }
    log(LogLevel::warning,
        batch->name() + " could not be released, trying again: " + released.error().text());
    retry_later(std::move(batch), detail::BatchEffect::release);
}

/// Those of all its attempts.
boost::asio::awaitable<void> HostImpl::remove_logs(ActivePtr batch) {
    std::vector<Ticket> used;
    for (const auto& attempt : batch->record.attempts) {
        used.push_back(Ticket{attempt.ticket, attempt.ticket_data});
    }
    used.push_back(ticket_of(batch->record));
    for (auto& ticket : used) {
        if (ticket.id.empty() || batch->backend >= backends.size()) {
            continue;
        }
        auto backend = backends[batch->backend];
        Backend::ReleaseRequest request;
        request.ticket = std::move(ticket);
        request.keep_log = false;
        auto call = [&] { return backend->release(std::move(request)); };
        auto removed = co_await guarded<void>(call, Errc::backend_failed);
        if (!removed) {
            log(LogLevel::warning,
                "a log of " + batch->name() + " could not be removed: " + removed.error().text());
        }
    }
}

boost::asio::awaitable<void> HostImpl::erase_record(ActivePtr batch) {
    co_await remove_logs(batch);
    Transaction transaction;
    Result<void> gathered = ok();
    if (batch->session) {
        gathered = co_await erase_statements(batch, transaction);
    }
    Event event;
    event.at = clock->now();
    event.type = batch->session ? "session.erased" : "batch.erased";
    if (batch->session) {
        event.session = SessionId{batch->key.id};
    } else {
        event.batch = batch->record.id;
    }
    event.version = batch->record.version + 1;
    event.state = to_string(batch->record.state());
    transaction.erases.push_back(Erase{batch->key, batch->record.version});
    transaction.events.push_back(
        NewEvent{batch->key, event.at, event.type, detail::encode_event(event)});
    auto commit = [&] { return storage->commit(std::move(transaction)); };
    Result<CommitResult> committed = gathered ? Result<CommitResult>() : gathered.error();
    if (gathered) {
        committed = co_await from_storage<CommitResult>(commit);
    }
    batch->progress.erasing = false;
    if (!committed) {
        std::vector<ActiveApplication::Item> none;
        co_await settle_failure(std::move(batch), committed.error(), std::move(none));
        co_return;
    }
    if (!batch->session) {
        count_phase(batch->record.phase, std::nullopt);
    }
    forget(batch);
    event.sequence = committed->last_sequence;
    std::vector<Event> events;
    events.push_back(std::move(event));
    publish(Subject(batch->key), std::move(events), committed->last_sequence);
}

boost::asio::awaitable<std::vector<std::string>> HostImpl::read_tail(ActivePtr batch) {
    if (batch->record.ticket.empty() || options.log_tail_lines == 0 ||
        batch->backend >= backends.size() || !traits[batch->backend].serves_logs) {
        co_return std::vector<std::string>{};
    }
    auto backend = backends[batch->backend];
    LogRequest request;
    request.ticket = ticket_of(batch->record);
    request.offset = -static_cast<std::int64_t>(options.log_tail_lines);
    request.limit = options.log_tail_lines;
    request.max_bytes = 16u << 10;
    auto call = [&] { return backend->read_log(std::move(request)); };
    auto page = co_await guarded<LogPage>(call, Errc::backend_failed);
    co_return page ? std::move(page->lines) : std::vector<std::string>{};
}

boost::asio::awaitable<void> wait_and_pump(std::shared_ptr<HostImpl> impl, ActivePtr batch) {
    co_await impl->clock->sleep_until(impl->clock->steady_now() + batch->retry_delay);
    batch->retrying.reset();
    impl->pump(std::move(batch));
}

void HostImpl::retry_later(ActivePtr batch, detail::BatchEffect effect) {
    batch->retrying = effect;
    batch->retry_delay = std::clamp(batch->retry_delay * 2, first_retry, last_retry);
    if (stage == Stage::ready) {
        spawn_cancellable(wait_and_pump(shared_from_this(), std::move(batch)));
    }
}

}  // namespace sparkhost
