// SPDX-License-Identifier: Apache-2.0

// What callers ask for statements, on the strand.

#include "core/host_impl.hpp"
#include "core/session_json.hpp"
#include "core/validate.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

namespace statement_operations {

Error unknown_statement(SessionId session, StatementId id) {
    return Error(Errc::not_found,
                 "session " + std::to_string(session.value) + " has no statement " +
                     std::to_string(id.value),
                 "statement");
}

/// What lies after `position`, as much as is given at a time. Whoever asks for a position within a
/// character gets the rest of it.
std::vector<OutputChunk> output_after(const std::vector<OutputChunk>& output,
                                      std::size_t position) {
    constexpr std::size_t at_a_time = 1u << 20;
    std::vector<OutputChunk> rest;
    std::size_t begin = 0;
    std::size_t given = 0;
    for (const auto& chunk : output) {
        const auto end = begin + chunk.text.size();
        if (end > position) {
            const auto from = position > begin ? position - begin : 0;
            OutputChunk piece{chunk.stream, chunk.text.substr(from)};
            given += piece.text.size();
            rest.push_back(std::move(piece));
        }
        if (given >= at_a_time) {
            break;
        }
        begin = end;
    }
    return rest;
}

/// Whether a request with this key is being accepted: this one adds nothing to what there is.
bool is_arriving(const SessionLife& life, const std::string& key) {
    return !key.empty() && std::ranges::any_of(life.arrivals, [&](const auto& arrival) {
        return arrival.key == key;
    });
}

}  // namespace statement_operations

boost::asio::awaitable<Result<StatementRecord>> HostImpl::execute(SessionId id,
                                                                  StatementSpec spec) {
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const TaskGuard guard(*this);
    heard_of(id);
    auto holder = co_await read_session(id);
    if (!holder) {
        co_return holder.error();
    }
    if (spec.kind.empty()) {
        spec.kind = holder->spec.kind;
    }
    if (auto valid = detail::validate_key(spec.idempotency_key); !valid) {
        co_return valid.error();
    }
    auto first = co_await repeated_statement(id, spec);  // also where nothing new is taken
    if (!first) {
        co_return first.error();
    }
    if (*first) {
        co_return std::move(**first);
    }
    const auto session = find_active(id);
    if (!session || session->record.has_ended()) {
        co_return Error(Errc::invalid_state, "session " + std::to_string(id.value) + " has ended");
    }
    SessionLife& life = *session->session;
    if (auto valid = detail::validate(spec, runtime_traits[life.runtime].kinds); !valid) {
        co_return valid.error();
    }
    const bool full = life.open.size() + life.arrivals.size() >= options.max_statements;
    if (full && !statement_operations::is_arriving(life, spec.idempotency_key)) {
        co_return Error(Errc::rejected, session->name() + " has " +
                                            std::to_string(options.max_statements) +
                                            " statements waiting; try again later");
    }
    auto ask = [&](std::function<void(Result<StatementRecord>)> done) {
        auto key = spec.idempotency_key;
        SessionLife::Accept arrival{std::move(spec), std::move(done), std::move(key)};
        life.arrivals.push_back(std::move(arrival));
        watch_idleness(session);
        if (!std::exchange(life.accepting, true)) {
            spawn(accept_statements(session));
        }
    };
    co_return co_await detail::await_callback<Result<StatementRecord>>(std::move(ask));
}

boost::asio::awaitable<Result<StatementRecord>> HostImpl::find_statement(SessionId session,
                                                                         StatementId id) {
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    heard_of(session);
    if (const auto statement = find_open(session, id)) {
        co_return statement->record;
    }
    const TaskGuard guard(*this);
    auto named = [&] { return storage->find_unique("statement", number_of(session, id)); };
    auto key = co_await from_storage<RecordKey>(named);
    if (!key && key.error().is(Errc::not_found)) {
        auto holder = co_await read_session(session);
        co_return holder ? statement_operations::unknown_statement(session, id) : holder.error();
    }
    if (!key) {
        co_return key.error();
    }
    auto read = [&] { return storage->find(*key); };
    auto stored = co_await from_storage<Record>(read);
    if (const auto statement = find_open(session, id)) {
        co_return statement->record;  // its acceptance has become known meanwhile
    }
    if (!stored) {
        co_return stored.error().is(Errc::not_found)
            ? statement_operations::unknown_statement(session, id)
            : stored.error();
    }
    co_return detail::decode_statement(*stored);
}

StatementPtr HostImpl::find_open(SessionId session, StatementId id) const {
    const auto application = find_active(session);
    if (!application) {
        return nullptr;
    }
    const auto& open = application->session->open;
    const auto found = open.find(id);
    return found == open.end() ? nullptr : found->second;
}

boost::asio::awaitable<Result<StatementPage>> HostImpl::list_statements(StatementQuery query) {
    auto holder = co_await find_session(query.session);
    if (!holder) {
        co_return holder.error();
    }
    const TaskGuard guard(*this);
    Query stored_query;
    stored_query.kind = RecordKind::statement;
    stored_query.owner = query.jobs ? detail::owner_of_jobs(query.session)
                                    : detail::owner_of_statements(query.session);
    stored_query.offset = std::max<std::int64_t>(0, query.offset);
    stored_query.limit = query.limit;
    stored_query.newest_first = query.newest_first;
    auto call = [&] { return storage->list(std::move(stored_query)); };
    auto page = co_await from_storage<Page>(call);
    if (!page) {
        co_return page.error();
    }
    StatementPage result;
    result.total = page->total;
    for (const auto& stored : page->records) {
        auto record = detail::decode_statement(stored);
        if (!record) {
            co_return record.error();
        }
        const auto open = find_open(query.session, record->spec.id);
        result.statements.push_back(open ? open->record : std::move(*record));
    }
    co_return result;
}

boost::asio::awaitable<Result<StatementRecord>> HostImpl::interrupt(SessionId session,
                                                                    InterruptRequest request) {
    auto found = co_await find_statement(session, request.statement);
    if (!found || found->has_ended()) {
        co_return found;
    }
    const TaskGuard guard(*this);
    const auto application = find_active(session);
    const auto statement = find_open(session, request.statement);
    if (!application || !statement) {  // it has ended since
        co_return co_await find_statement(session, request.statement);
    }
    StatementLife::Wish wish;
    wish.observation.event = detail::StatementEvent::cancel_requested;
    wish.observation.at = clock->now();
    wish.observation.end_session_after = request.end_session_after;
    auto ask = [&](std::function<void(Result<StatementRecord>)> done) {
        wish.done = std::move(done);
        statement->wishes.push_back(std::move(wish));
        pump_statement(application, statement);
    };
    co_return co_await detail::await_callback<Result<StatementRecord>>(std::move(ask));
}

/// Statements run in the order of their numbers: what runs is the first that is not over.
boost::asio::awaitable<Result<void>> HostImpl::interrupt_current(SessionId id) {
    auto record = co_await find_session(id);
    if (!record) {
        co_return record.error();
    }
    const auto session = find_active(id);
    if (!session || session->session->open.empty()) {
        co_return ok();
    }
    InterruptRequest request;
    request.statement = session->session->open.begin()->first;
    auto interrupted = co_await interrupt(id, request);
    co_return interrupted ? ok() : Result<void>(interrupted.error());
}

boost::asio::awaitable<Result<std::optional<std::vector<OutputChunk>>>>
HostImpl::output_or_register(Subject subject, std::size_t position, WaiterPtr waiter) {
    using Output = std::optional<std::vector<OutputChunk>>;
    const SessionId session{subject.id};
    const StatementId id{subject.statement};
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    for (;;) {
        if (const auto statement = find_open(session, id)) {
            if (statement->output_size > position) {
                co_return Output(
                    statement_operations::output_after(statement->record.output, position));
            }
            statement->followers.push_back(std::move(waiter));
            co_return Output();
        }
        auto record = co_await find_statement(session, id);
        if (!record) {
            co_return record.error();
        }
        if (record->has_ended()) {
            co_return Output(statement_operations::output_after(record->output, position));
        }
        // its acceptance has become known while it was read
    }
}

/// Passes a durable cancel on to the agent that has the statement. Saying it again is harmless.
void HostImpl::interrupt_agent(const ActivePtr& session, const StatementPtr& statement) {
    const auto& record = statement->record;
    const auto& talk = session->session->talk;
    if (talk && record.cancel_requested && !record.result && statement->given_to != 0) {
        talk->interrupt(InterruptRequest{record.spec.id, record.end_session_after});
    }
}

}  // namespace sparkhost
