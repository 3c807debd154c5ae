// SPDX-License-Identifier: Apache-2.0

// Taking up what was under way: after a start, after a lost connection to a backend.

#include "core/batch_json.hpp"
#include "core/host_calls.hpp"
#include "core/host_impl.hpp"
#include "core/session_json.hpp"
#include "core/timeline.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sparkhost {

namespace {

constexpr std::array all_phases{
    BatchPhase::accepted,      BatchPhase::reserved, BatchPhase::submitted, BatchPhase::running,
    BatchPhase::attempt_ended, BatchPhase::waiting,  BatchPhase::ended,     BatchPhase::released};
constexpr std::chrono::milliseconds first_watch_retry{200};
constexpr std::chrono::milliseconds last_watch_retry{std::chrono::seconds{30}};

/// Hands a backend's reports to the host, for as long as the watch runs.
class HostSink final : public EventSink {
public:
    HostSink(std::shared_ptr<HostImpl> host, std::size_t backend)
        : host_(std::move(host)), backend_(backend) {}

    void snapshot_begin() override {
        if (host_) {
            ++host_->epochs[backend_];
        }
    }
    void status(ApplicationStatus report) override {
        if (host_) {
            host_->report(backend_, std::move(report));
        }
    }
    void snapshot_complete() override {
        if (host_) {
            worked_ = true;
            host_->backend_watched(backend_, true, {});
            host_->snapshot_complete(backend_);
        }
    }
    void trouble(std::string reason) override {
        if (host_) {
            const bool over = reason.empty();
            host_->backend_watched(backend_, over, std::move(reason));
        }
    }
    bool worked() const { return worked_; }
    void close() { host_.reset(); }

private:
    std::shared_ptr<HostImpl> host_;
    std::size_t backend_;
    bool worked_{false};  ///< it has given a snapshot
};

}  // namespace

namespace recovery {

BackendContext context_for(const std::shared_ptr<HostImpl>& host, std::size_t backend) {
    BackendContext context{host->store_uuid,
                           host->traits[backend].name,
                           host->blocking,
                           host->clock,
                           host->options.log,
                           {},
                           {}};
    const auto address =
        host->doors ? host->doors->address_for(host->traits[backend]) : Errc::stopped;
    if (!address) {
        return context;
    }
    context.agent_address = *address;
    context.take_claims = [weak = std::weak_ptr(host), backend](std::weak_ptr<ClaimJudge> judge) {
        if (const auto there = weak.lock()) {
            post_to(there, [there, backend, judge] { there->desk.take_judge(backend, judge); });
        }
    };
    return context;
}

}  // namespace recovery

boost::asio::awaitable<Result<void>> HostImpl::open_plugins() {
    StorageContext storage_context{blocking, options.log};
    auto open_storage = [&] { return storage->open(std::move(storage_context)); };
    auto info = co_await guarded<StoreInfo>(open_storage, Errc::storage_failed);
    if (!info) {
        co_return info.error();
    }
    store_uuid = info->uuid;
    last_sequence = info->last_sequence;
    oldest_sequence = info->oldest_sequence;
    // the store is ours: nobody else listens, and backends tell their drivers where to dial
    if (!options.agent_folder.empty() && stage != Stage::stopped) {
        if (auto listening = listen_for_agents(); !listening) {
            co_return listening.error();
        }
        open_doors();
    }
    for (std::size_t index = 0; index < backends.size(); ++index) {
        if (stage == Stage::stopped) {
            co_return Errc::stopped;  // what came before took longer than stop_grace
        }
        auto context = recovery::context_for(shared_from_this(), index);
        auto backend = backends[index];
        auto open_backend = [&] { return backend->open(std::move(context)); };
        auto opened = co_await guarded<void>(open_backend, Errc::backend_failed);
        if (!opened) {
            co_return opened.error();
        }
    }
    if (stage == Stage::stopped) {
        co_return Errc::stopped;
    }
    if (auto counted = co_await load_counts(); !counted) {
        co_return counted.error();
    }
    auto loaded = co_await load_active(RecordKind::batch);
    if (loaded) {
        loaded = co_await load_active(RecordKind::session);
    }
    refresh_status();
    co_return loaded;
}

boost::asio::awaitable<Result<void>> HostImpl::load_counts() {
    std::array<std::int64_t, all_phases.size()> totals{};
    for (const auto phase : all_phases) {
        Query query;
        query.states = detail::stored_states(phase);
        query.limit = 0;
        auto call = [&] { return storage->list(std::move(query)); };
        auto page = co_await from_storage<Page>(call);
        if (!page) {
            co_return page.error();
        }
        totals[static_cast<std::size_t>(phase)] = page->total;
    }
    waiting = totals[static_cast<std::size_t>(BatchPhase::accepted)];
    count([&](HostStatus& status) { status.by_phase = totals; });
    co_return ok();
}

boost::asio::awaitable<Result<void>> HostImpl::load_active(RecordKind kind) {
    Query query;
    query.kind = kind;
    query.states = detail::stored_states_in_progress();
    if (kind == RecordKind::session) {  // these do not queue
        query.states.emplace_back(to_string(BatchPhase::accepted));
    }
    query.limit = 1000;
    query.want_total = false;
    for (;;) {
        auto call = [&] { return storage->list(query); };
        auto page = co_await from_storage<Page>(call);
        if (!page) {
            co_return page.error();
        }
        for (const auto& stored : page->records) {
            if (auto taken = co_await take_up(stored); !taken) {
                co_return taken;
            }
        }
        if (page->records.size() < query.limit) {
            co_return ok();
        }
        query.after = page->records.back().key.id;
    }
}

/// One that was under way when the last host ended, or whose acceptance seemed to fail.
boost::asio::awaitable<Result<void>> HostImpl::take_up(const Record& stored) {
    if (active.contains(stored.key)) {
        co_return ok();
    }
    auto revived = revive(stored);
    if (!revived) {
        co_return revived.error();
    }
    const ActivePtr batch = *revived;
    if (!batch->record.has_ended() && batch->backend >= backends.size()) {
        co_return Error(Errc::backend_failed, batch->name() + " is in the hands of backend '" +
                                                  batch->record.spec.backend +
                                                  "', which this host does not have; add it to "
                                                  "HostPlugins::backends");
    }
    if (batch->session) {
        if (!batch->record.has_ended() && batch->session->runtime >= runtimes.size()) {
            co_return Error(Errc::backend_failed, batch->name() + " needs the runtime '" +
                                                      batch->session->part.runtime +
                                                      "', which this host does not have; add it "
                                                      "to HostPlugins::runtimes");
        }
        co_return co_await load_statements(batch);
    }
    if (detail::needs_slot(batch->record.phase)) {
        batch->progress.admitted = true;
        ++slots_used;
    }
    co_return ok();
}

boost::asio::awaitable<void> HostImpl::watch_backend(std::size_t index) {
    auto self = shared_from_this();
    auto backend = backends[index];
    auto delay = first_watch_retry;
    while (stage == Stage::ready) {
        ++epochs[index];
        auto sink = std::make_shared<HostSink>(self, index);
        auto call = [&] { return backend->watch(sink); };
        auto watched = co_await guarded<void>(call, Errc::backend_failed);
        sink->close();
        if (sink->worked()) {
            delay = first_watch_retry;
        }
        if (stage != Stage::ready) {
            co_return;
        }
        backend_watched(index, false, watched ? "the watch has ended" : watched.error().text());
        log(LogLevel::warning, "the watch of backend '" + traits[index].name + "' ended" +
                                   (watched ? "" : ": " + watched.error().text()) +
                                   "; starting it again");
        co_await clock->sleep_until(clock->steady_now() + delay);
        delay = std::min(delay * 2, last_watch_retry);
    }
}

void HostImpl::report(std::size_t backend, ApplicationStatus status) {
    const auto ticket = tickets.find(status.ticket);
    if (ticket == tickets.end()) {
        return;  // released or erased meanwhile, or not ours
    }
    const auto found = active.find(ticket->second);
    if (found == active.end()) {
        return;
    }
    auto batch = found->second;
    if (status.ticket != batch->record.ticket) {
        return;  // of an attempt before
    }
    batch->reported_in = epochs[backend];
    batch->steps = status.steps;
    // What waits in the inbox counts, too: the machine drops what is not new when it is applied.
    const auto& basis = batch->record;
    if (auto observation = detail::interpret(basis, status, clock->now())) {
        observation->chance = any_chance();
        observe(std::move(batch), std::move(*observation));
    }
}

void HostImpl::backend_watched(std::size_t backend, bool up_to_date, std::string problem) {
    const auto now = clock->now();
    count([&](HostStatus& status) {
        auto& figures = status.backends[backend];
        if (figures.watching != up_to_date || !figures.watching_since) {
            figures.watching_since = now;
        }
        figures.watching = up_to_date;
        figures.problem = std::move(problem);
    });
}

/// A step that was reported while a commit was under way must not wait for the next report.
void HostImpl::store_new_steps(const ActivePtr& batch) {
    if (!detail::has_new_step(batch->record, batch->steps)) {
        return;
    }
    ApplicationStatus report;
    report.ticket = batch->record.ticket;
    report.steps = batch->steps;
    detail::BatchObservation observation;
    observation.event = detail::BatchEvent::progressed;
    observation.at = clock->now();
    observation.report = std::move(report);
    observe(batch, std::move(observation));
}

void HostImpl::snapshot_complete(std::size_t backend) {
    const auto epoch = epochs[backend];
    for (const auto& [key, batch] : std::unordered_map(active)) {
        const auto phase = batch->record.phase;
        const bool taken = phase == BatchPhase::submitted || phase == BatchPhase::running;
        if (batch->backend != backend || !taken || batch->reported_in >= epoch ||
            batch->taken_in >= epoch) {
            continue;
        }
        detail::BatchObservation observation;
        observation.event = detail::BatchEvent::lost;
        observation.at = clock->now();
        observation.chance = any_chance();
        observation.reason = "backend '" + traits[backend].name +
                             "' no longer knows the application; how it ended is not known";
        observe(batch, std::move(observation));
    }
}

/// Reads what is true; for records whose version in memory cannot be trusted.
boost::asio::awaitable<Result<void>> HostImpl::reload(ActivePtr batch) {
    auto find_it = [&] { return storage->find(batch->key); };
    auto stored = co_await from_storage<Record>(find_it);
    if (!stored && stored.error().is(Errc::not_found)) {
        free_slot(batch);
        if (!batch->session) {
            count_phase(batch->record.phase, std::nullopt);
        }
        forget(batch);
        wake(Subject(batch->key));
        co_return ok();
    }
    if (!stored) {
        co_return stored.error();
    }
    if (batch->session) {
        auto session = detail::decode_session(*stored);
        if (!session) {
            co_return session.error();
        }
        batch->record = std::move(session->application);
        batch->session->part = std::move(session->part);
        if (!batch->session->part.claim.empty()) {
            claims[batch->session->part.claim] = batch->key;
        }
        auto loaded = co_await load_statements(batch);
        if (!loaded) {
            co_return loaded;
        }
    } else {
        auto record = detail::decode_batch(*stored);
        if (!record) {
            co_return record.error();
        }
        count_phase(batch->record.phase, record->phase);
        batch->record = std::move(*record);
        cache.erase(batch->record.id);
    }
    follow_retry(batch);
    const auto phase = batch->record.phase;
    if (phase != BatchPhase::accepted && !detail::needs_slot(phase)) {
        free_slot(batch);
    }
    if (!batch->record.ticket.empty()) {
        tickets[batch->record.ticket] = batch->key;
    }
    wake(Subject(batch->key));
    co_return ok();
}

/// Replaces what is in memory by what is durable.
boost::asio::awaitable<Result<void>> HostImpl::resync() {
    cache.clear();
    recent.clear();
    for (const auto& [key, batch] : std::unordered_map(active)) {
        if (auto reloaded = co_await reload(batch); !reloaded) {
            co_return reloaded.error();
        }
    }
    if (auto loaded = co_await load_active(RecordKind::session); !loaded) {
        co_return loaded.error();
    }
    if (auto counted = co_await load_counts(); !counted) {
        co_return counted.error();
    }
    for (const auto& [key, batch] : active) {
        if (!batch->session && batch->progress.admitted &&
            batch->record.phase == BatchPhase::accepted) {
            --waiting;
        }
    }
    co_return ok();
}

}  // namespace sparkhost
