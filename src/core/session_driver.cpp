// SPDX-License-Identifier: Apache-2.0

// What a session has beside its application: statements, and an agent that comes and goes.

#include "core/host_impl.hpp"
#include "core/session_json.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sparkhost {

namespace session_driver {

constexpr std::size_t stray_output_logged = 1024;

std::string words_of(const SessionEnd& end) {
    if (end.reason == "closed") {
        return {};  // who asked for it has said why
    }
    return "its agent has ended the session: " + end.reason +
           (end.detail.empty() ? "" : ": " + end.detail);
}

/// Takes what an agent says of its session, for as long as its connection is the session's.
class AgentSink final : public SessionSink {
public:
    AgentSink(std::shared_ptr<HostImpl> host, ActivePtr session, std::uint64_t connection)
        : host_(std::move(host)), session_(std::move(session)), connection_(connection) {}

    void ready(SessionFacts facts) override {
        detail::SessionObservation observation;
        observation.event = detail::SessionEvent::ready;
        observation.facts = std::move(facts);
        tell(std::move(observation));
    }
    void failed(StatementResult why) override {
        tell_ending("Spark could not be started: " + why.error_name + ": " + why.error_value);
    }
    void ended(SessionEnd end) override { tell_ending(words_of(end)); }
    void busy(StatementId statement) override {
        const auto found = session_->session->open.find(statement);
        if (is_current() && found != session_->session->open.end()) {
            host_->statement_begun(session_, found->second);
        }
    }
    void idle() override {
        if (is_current()) {
            host_->agent_said(session_);
        }
    }
    void stray_output(OutputSink::Stream, std::string chunk) override {
        if (chunk.size() > stray_output_logged) {
            chunk.resize(stray_output_logged);
            chunk += " …";
        }
        host_->log(LogLevel::info, session_->name() + " wrote between statements: " + chunk);
        idle();
    }

private:
    bool is_current() const { return session_->session->connection == connection_; }
    void tell_ending(std::string reason) {
        detail::SessionObservation observation;
        observation.event = detail::SessionEvent::ending;
        observation.reason = std::move(reason);
        tell(std::move(observation));
    }
    void tell(detail::SessionObservation observation) {
        if (is_current()) {
            host_->tell_session(session_, std::move(observation));
        }
    }

    std::shared_ptr<HostImpl> host_;
    ActivePtr session_;
    std::uint64_t connection_;
};

}  // namespace session_driver

ActivePtr HostImpl::find_active(SessionId id) const {
    const auto found = active.find(key_of(id));
    return found == active.end() ? nullptr : found->second;
}

std::size_t HostImpl::count_sessions() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        sessions, [](const auto& session) { return !session->record.has_ended(); }));
}

ActivePtr HostImpl::activate_session(RecordKey key, BatchRecord application,
                                     detail::SessionPart part) {
    auto session = activate(key, std::move(application));
    session->session = std::make_shared<SessionLife>();
    sessions.insert(session);
    session->progress.admitted = true;
    SessionLife& life = *session->session;
    life.part = std::move(part);
    life.next_statement = life.part.statements;
    const auto named = [&](const auto& each) { return each.name == life.part.runtime; };
    life.runtime = static_cast<std::size_t>(std::ranges::find_if(runtime_traits, named) -
                                            runtime_traits.begin());
    if (!life.part.claim.empty()) {
        claims[life.part.claim] = key;
    }
    return session;
}

/// Its open statements and jobs, and the number that comes after all of them.
boost::asio::awaitable<Result<HostImpl::StoredStatements>> HostImpl::read_statements(SessionId id) {
    StoredStatements found;
    for (const auto& owner : {detail::owner_of_statements(id), detail::owner_of_jobs(id)}) {
        Query last;
        last.kind = RecordKind::statement;
        last.owner = owner;
        last.newest_first = true;
        last.limit = 1;
        last.want_total = false;
        auto read_last = [&] { return storage->list(last); };
        auto newest = co_await from_storage<Page>(read_last);
        if (!newest) {
            co_return newest.error();
        }
        if (newest->records.empty()) {
            continue;
        }
        auto statement = detail::decode_statement(newest->records.front());
        if (!statement) {
            co_return statement.error();
        }
        found.next = std::max(found.next, statement->spec.id.value + 1);
        Query query;
        query.kind = RecordKind::statement;
        query.owner = owner;
        query.states = {detail::open_statement};
        query.limit = options.max_statements + 1000;
        query.want_total = false;
        auto read_open = [&] { return storage->list(query); };
        auto page = co_await from_storage<Page>(read_open);
        if (!page) {
            co_return page.error();
        }
        std::ranges::move(page->records, std::back_inserter(found.open));
    }
    co_return found;
}

/// Replaces what is known of its statements by what is durable. What an agent has said meanwhile
/// of one that is still open stays.
boost::asio::awaitable<Result<void>> HostImpl::load_statements(ActivePtr session) {
    SessionLife& life = *session->session;
    const SessionId id{session->key.id};
    auto found = co_await read_statements(id);
    if (!found) {
        co_return found.error();
    }
    life.next_statement = std::max(life.next_statement, found->next);
    auto before = std::exchange(life.open, {});
    for (const auto& stored : found->open) {
        auto record = detail::decode_statement(stored);
        if (!record) {
            co_return record.error();
        }
        const auto number = record->spec.id;
        const auto known = before.find(number);
        auto statement = known == before.end() ? std::make_shared<StatementLife>() : known->second;
        if (known == before.end()) {
            statement->record = std::move(*record);
            statement->record.output.clear();  // which early versions have stored with a cancel
            statement->record.version = ++live_version;
        } else {
            statement->record.cancel_requested = record->cancel_requested;
            statement->record.end_session_after = record->end_session_after;
        }
        statement->key = stored.key;
        statement->stored_version = stored.version;
        interrupt_agent(session, statement);
        life.open.emplace(number, std::move(statement));
    }
    if (life.part.facts && !life.open.empty()) {
        // That it runs is not stored. Clients have seen it, and its agent will say it again.
        StatementRecord& first = life.open.begin()->second->record;
        first.started = first.started.value_or(first.created);
    }
    for (const auto& [number, statement] : before) {
        if (!life.open.contains(number)) {
            leave_to_store(session, statement);
        }
    }
    session->progress.unsettled = !life.wrapped_up();
    wake_statements(id);
    co_return ok();
}

/// Shown as soon as all before it are durably over: the next host would take the first that is
/// open for the one that runs.
void HostImpl::statement_begun(const ActivePtr& session, const StatementPtr& statement) {
    const auto& open = session->session->open;
    statement->begun = statement->begun.value_or(clock->now());
    if (open.empty() || open.begin()->second != statement) {
        return;
    }
    detail::StatementObservation observation;
    observation.event = detail::StatementEvent::begun;
    observation.at = *statement->begun;
    if (detail::apply(statement->record, observation)) {
        statement_moved(session, statement);
    }
}

/// Its end is durable, although the commit seemed to fail: who asks now reads it from the store.
void HostImpl::leave_to_store(const ActivePtr& session, const StatementPtr& statement) {
    statement->ended = true;
    if (statement->end) {
        detail::apply(statement->record, *statement->end);
    }
    if (session->session->talk) {
        session->session->talk->settle(statement->record.spec.id);
    }
    for (const auto& waiter : std::exchange(statement->followers, {})) {
        waiter->wake(detail::WakeReason::changed);
    }
}

/// Its record has changed durably.
void HostImpl::session_changed(const ActivePtr& session, const BatchRecord& before) {
    SessionLife& life = *session->session;
    const auto& record = session->record;
    if (!life.part.claim.empty()) {
        claims[life.part.claim] = session->key;
    }
    const bool taken_now =
        before.phase <= BatchPhase::reserved && record.phase > BatchPhase::reserved;
    if (taken_now && !life.part.nonce.empty()) {
        remove_claim_file(session);
    }
    if (record.kill_requested && !before.kill_requested && !record.has_ended()) {
        ask_to_end(session);
    }
    if (record.has_ended() && !before.has_ended()) {
        cancel_task(life.idle);
        cancel_task(life.lifetime);
        if (life.talk) {
            spawn_cancellable(end_of_farewell(session, life.connection));
        }
        wrap_up(session);
    } else {
        watch_idleness(session);
    }
    refresh_status();
}

void HostImpl::tell_session(const ActivePtr& session, detail::SessionObservation observation) {
    SessionLife& life = *session->session;
    ++life.unsaved;
    ActiveApplication::Item item;
    item.at = clock->now();
    item.of_session = std::move(observation);
    item.stored = [this, told = std::weak_ptr(session)] {
        if (const auto still = told.lock()) {  // it waits in the session's own inbox
            --still->session->unsaved;
            agent_said(still);
        }
    };
    observe(session, std::move(item));
}

/// What the agent has said of its session is durable, or need not be.
void HostImpl::agent_said(const ActivePtr& session) {
    const SessionLife& life = *session->session;
    if (life.unsaved == 0 && life.talk) {
        life.talk->settle_session();
    }
}

void HostImpl::agent_connected(const AgentGreeting& greeting,
                               std::unique_ptr<AgentConnection> connection) {
    const auto known = claims.find(greeting.ticket);
    const auto found = known == claims.end() ? active.end() : active.find(known->second);
    if (found == active.end() || stage != Stage::ready) {
        return;  // it finds the line cut, and comes again
    }
    const ActivePtr session = found->second;
    SessionLife& life = *session->session;
    cancel_task(life.leave);
    life.talk.reset();
    life.connection = ++connections;
    for (const auto& [number, statement] : life.open) {
        statement->given_to = 0;
    }
    SessionRuntime::AttachRequest request;
    request.connection = std::move(connection);
    request.hello = greeting.hello;
    request.sink =
        std::make_shared<session_driver::AgentSink>(shared_from_this(), session, life.connection);
    try {
        life.talk = runtimes[life.runtime]->attach(std::move(request));
    } catch (const std::exception& problem) {
        log(LogLevel::error, session->name() + ": its runtime failed: " + problem.what());
        return;
    }
    session->progress.unsettled = true;
    give_statements(session);
    life.leave = spawn_cancellable(converse(session, life.talk, life.connection));
    if (session->record.kill_requested) {
        life.talk->close();
    }
    if (!greeting.resumes && session->record.phase > BatchPhase::reserved) {
        remove_claim_file(session);
    }
    refresh_status();
}

boost::asio::awaitable<void> HostImpl::converse(ActivePtr session,
                                                std::shared_ptr<Conversation> talk,
                                                std::uint64_t connection) {
    auto self = shared_from_this();
    auto call = [&] { return talk->run(); };
    auto over = co_await guarded<void>(call, Errc::backend_failed);
    if (!over) {
        log(LogLevel::info, session->name() + ": its agent is gone: " + over.error().text());
    }
    SessionLife& life = *session->session;
    if (life.connection != connection) {
        co_return;  // another one has come
    }
    life.talk.reset();
    life.leave.reset();
    if (stage != Stage::ready) {
        co_return;
    }
    if (session->progress.ending_itself && !over) {
        session->progress.ending_itself = false;  // nobody is there to be asked
        pump(session);
    }
    wrap_up(session);
    refresh_status();
}

}  // namespace sparkhost
