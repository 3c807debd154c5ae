// SPDX-License-Identifier: Apache-2.0

// The way of an accepted statement: given to the agent in order, its result durable before anybody
// sees it and before the agent may forget it.

#include "core/batch_json.hpp"
#include "core/host_impl.hpp"
#include "core/session_json.hpp"
#include "core/statement_events.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

namespace statement_driver {

/// Code given to an agent and not run yet, far below what an agent refuses.
constexpr std::size_t most_given = 4u << 20;
constexpr std::size_t cost_of_statement = 200;

std::size_t cost(const StatementLife& statement) {
    return statement.record.spec.code.size() + cost_of_statement;
}

/// Takes what an agent says of a statement. A later connection says everything again from the
/// first byte: what is known already is passed over.
class StatementSink final : public OutputSink {
public:
    StatementSink(std::shared_ptr<HostImpl> host, ActivePtr session, StatementPtr statement)
        : host_(std::move(host)), session_(std::move(session)), statement_(std::move(statement)) {}

    void output(Stream stream, std::string chunk) override {
        if (!host_) {
            return;
        }
        begun();
        const auto begin = std::exchange(seen_, seen_ + chunk.size());
        if (seen_ <= statement_->output_size) {
            return;
        }
        chunk.erase(0, statement_->output_size - std::min(begin, statement_->output_size));
        statement_->output_size = seen_;
        auto& output = statement_->record.output;
        if (!output.empty() && output.back().stream == stream &&
            output.back().text.size() < largest_chunk) {
            output.back().text += chunk;
        } else {
            OutputChunk piece{stream, std::move(chunk)};
            output.push_back(std::move(piece));
        }
        for (const auto& waiter : std::exchange(statement_->followers, {})) {
            waiter->wake(detail::WakeReason::changed);
        }
    }
    void progress(double fraction) override {
        if (host_ && statement_->record.progress != fraction) {
            begun();
            statement_->record.progress = fraction;
            host_->statement_moved(session_, statement_);
        }
    }
    void unheeded(std::int64_t interrupts) override {
        if (host_) {
            statement_->record.unheeded_interrupts = interrupts;
            host_->statement_moved(session_, statement_);
        }
    }
    void close() { host_.reset(); }

private:
    static constexpr std::size_t largest_chunk = 64u << 10;

    void begun() { host_->statement_begun(session_, statement_); }

    std::shared_ptr<HostImpl> host_;
    ActivePtr session_;
    StatementPtr statement_;
    std::size_t seen_{0};
};

Event event_of(const StatementRecord& record, std::string type, Timestamp at,
               std::int64_t stored_version) {
    Event event;
    event.at = at;
    event.type = std::move(type);
    event.session = record.session;
    event.statement = record.spec.id;
    event.version = stored_version;
    event.state = to_string(record.state());
    if (record.result) {
        event.reason = record.result->error_name;
    }
    return event;
}

void add_event(Transaction& transaction, RecordKey subject, const Event& event) {
    NewEvent entry;
    entry.subject = subject;
    entry.at = event.at;
    entry.type = event.type;
    entry.body = detail::encode_event(event);
    transaction.events.push_back(std::move(entry));
}

/// What wishes, and its end if it is known, make of what is stored of a statement.
struct Change {
    std::vector<detail::StatementObservation> observations{};  ///< those that change anything
    std::vector<Event> events{};
    Transaction transaction{};
};

Change change_of(const StatementLife& statement, const std::deque<StatementLife::Wish>& wishes) {
    Change change;
    auto next = statement.record;
    auto end = statement.end;
    const auto take = [&](const detail::StatementObservation& observation, const char* type) {
        if (detail::apply(next, observation)) {
            change.observations.push_back(observation);
            auto event = event_of(next, type, observation.at, statement.stored_version + 1);
            add_event(change.transaction, statement.key, event);
            change.events.push_back(std::move(event));
        }
    };
    for (const auto& wish : wishes) {
        take(wish.observation, "statement.cancel_requested");
        if (!statement.ever_given && !end) {  // no agent can know it
            end = detail::ended_with(detail::cancelled_before_it_ran(), wish.observation.at);
        }
    }
    if (end) {
        detail::StatementObservation begun;
        begun.at = statement.begun.value_or(end->at);
        if (statement.begun && detail::apply(next, begun)) {
            change.observations.push_back(begun);
        }
        take(*end, "statement.ended");
    }
    if (!next.result) {
        next.output.clear();  // its agent says it again to the next host, from the first byte
    }
    Update update;
    update.key = statement.key;
    update.expected_version = statement.stored_version;
    update.state = next.result ? detail::ended_statement : detail::open_statement;
    update.body = detail::encode_statement(next);
    change.transaction.updates.push_back(std::move(update));
    return change;
}

}  // namespace statement_driver

std::size_t SessionLife::given_size() const {
    std::size_t size = 0;
    for (const auto& [number, statement] : open) {
        size += statement->given_to == 0 ? 0 : statement_driver::cost(*statement);
    }
    return size;
}

/// Gives the agent that is connected what it has not got, in order, as much as it will take.
void HostImpl::give_statements(const ActivePtr& session) {
    SessionLife& life = *session->session;
    if (!life.talk || stage != Stage::ready) {
        return;
    }
    auto given = life.given_size();
    for (const auto& [number, statement] : life.open) {
        if (statement->given_to != 0 || statement->end) {
            continue;
        }
        if (statement->committing && !statement->ever_given) {
            return;  // cancelled before it is given; those behind it must not come first
        }
        const auto size = statement_driver::cost(*statement);
        if (given != 0 && given + size > statement_driver::most_given) {
            return;
        }
        given += size;
        statement->given_to = life.connection;
        statement->ever_given = true;
        if (statement->record.cancel_requested) {
            // before it is given, so that it cannot begin
            life.talk->interrupt(InterruptRequest{number, statement->record.end_session_after});
        }
        ++life.executing;
        spawn(run_statement(session, statement, life.talk, life.connection));
    }
}

/// Now, unless the next one has begun: then it was over by that.
Timestamp HostImpl::end_of(const SessionLife& life, const StatementLife& statement) const {
    const auto now = clock->now();
    const auto next = life.open.upper_bound(statement.record.spec.id);
    const bool begun = next != life.open.end() && next->second->begun;
    return begun ? std::min(now, *next->second->begun) : now;
}

boost::asio::awaitable<void> HostImpl::run_statement(ActivePtr session, StatementPtr statement,
                                                     std::shared_ptr<Conversation> talk,
                                                     std::uint64_t connection) {
    auto self = shared_from_this();
    SessionLife& life = *session->session;
    auto sink = std::make_shared<statement_driver::StatementSink>(self, session, statement);
    auto spec = statement->record.spec;
    auto call = [&] { return talk->execute(std::move(spec), sink); };
    auto result = co_await guarded<StatementResult>(call, Errc::backend_failed);
    sink->close();
    --life.executing;
    const bool ours = statement->given_to == connection;
    if (ours && !statement->ended && !statement->end) {
        if (result) {
            statement->end = detail::ended_with(std::move(*result), end_of(life, *statement));
        } else if (result.error().is(Errc::invalid_argument) ||
                   result.error().is(Errc::not_supported)) {
            StatementResult refused;
            refused.outcome = StatementOutcome::error;
            refused.error_name = "StatementRefused";
            refused.error_value = result.error().text();
            statement->end = detail::ended_with(std::move(refused), clock->now());
        } else {
            statement->given_to = 0;  // the next conversation, or the session's end, has the rest
        }
        pump_statement(session, statement);
    }
    wrap_up(session);
}

void HostImpl::pump_statement(ActivePtr session, StatementPtr statement) {
    if (statement->committing || (statement->wishes.empty() && !statement->end)) {
        return;
    }
    const bool unreachable = stage > Stage::stopping || (storage_suspect && stage != Stage::ready);
    if (statement->ended || session->gone || unreachable) {
        for (const auto& wish : std::exchange(statement->wishes, {})) {
            wish.done(statement->ended ? Result<StatementRecord>(statement->record)
                      : session->gone  ? Result<StatementRecord>(Errc::not_found)
                                       : Result<StatementRecord>(Errc::stopped));
        }
        return;
    }
    if (storage_suspect || (storage_retrying && statement->wishes.empty())) {
        return;
    }
    statement->committing = true;
    spawn(commit_statement(std::move(session), std::move(statement)));
}

boost::asio::awaitable<void> HostImpl::commit_statement(ActivePtr session, StatementPtr statement) {
    auto wishes = std::exchange(statement->wishes, {});
    auto change = statement_driver::change_of(*statement, wishes);
    Result<void> stored = ok();
    if (!change.events.empty()) {
        auto commit = [&] { return storage->commit(std::move(change.transaction)); };
        auto committed = co_await from_storage<CommitResult>(commit);
        if (committed) {
            statement_stored(session, statement, std::move(change.observations),
                             std::move(change.events), committed->last_sequence);
        } else {
            stored = committed.error();
        }
    }
    if (!stored && stored.error().is(Errc::conflict)) {
        log(LogLevel::error, session->name() + ": a statement was changed by someone else");
        storage_lost(stored.error());  // reads everything again
    } else if (!stored && stored.error().is(Errc::storage_failed)) {
        log(LogLevel::debug,
            session->name() + ": a statement could not be stored: " + stored.error().text());
    }
    for (const auto& wish : wishes) {
        wish.done(stored ? Result<StatementRecord>(statement->record)
                         : Result<StatementRecord>(stored.error()));
    }
    statement->committing = false;
    interrupt_agent(session, statement);
    give_statements(session);
    pump_statement(session, statement);
}

/// What the agent has said meanwhile of a running statement stays.
void HostImpl::statement_stored(const ActivePtr& session, const StatementPtr& statement,
                                std::vector<detail::StatementObservation> observations,
                                std::vector<Event> events, std::int64_t last) {
    ++statement->stored_version;
    for (const auto& observation : observations) {
        detail::apply(statement->record, observation);
    }
    auto sequence = last - static_cast<std::int64_t>(events.size());
    for (auto& event : events) {
        event.sequence = ++sequence;
    }
    statement_moved(session, statement);
    if (statement->record.result) {
        statement_ended(session, statement);
    }
    publish(Subject(statement->record.session), std::move(events), last);
}

/// Something that is not stored, or has just been, is new to who looks at it.
void HostImpl::statement_moved(const ActivePtr& session, const StatementPtr& statement) {
    statement->record.version = ++live_version;
    wake(Subject(SessionId{session->key.id}, statement->record.spec.id));
}

/// Its result is durable: now it may be shown, and forgotten by the agent.
void HostImpl::statement_ended(const ActivePtr& session, const StatementPtr& statement) {
    SessionLife& life = *session->session;
    statement->record.version = statement->stored_version;
    life.open.erase(statement->record.spec.id);
    leave_to_store(session, statement);
    if (!life.open.empty() && life.open.begin()->second->begun) {
        statement_begun(session, life.open.begin()->second);
    }
    count([](HostStatus& s) { ++s.statements; });
    give_statements(session);
    watch_idleness(session);
    wrap_up(session);
}

}  // namespace sparkhost
