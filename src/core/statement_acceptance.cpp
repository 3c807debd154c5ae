// SPDX-License-Identifier: Apache-2.0

// Statements are accepted one after the other, durably. One that is asked for again with the same
// idempotency key is the first one, whatever has become of it and of its session.

#include "core/host_impl.hpp"
#include "core/session_json.hpp"
#include "core/statement_events.hpp"

#include <utility>

namespace sparkhost {

namespace statement_acceptance {

constexpr const char* number_scope = "statement";
constexpr const char* key_scope = "statement.idempotency";

/// Owner, session and key as one value; none of them contains a line end.
std::string key_value(SessionId session, const StatementSpec& spec) {
    return spec.owner + "\n" + std::to_string(session.value) + "\n" + spec.idempotency_key;
}

Error session_is_over(const ActiveApplication& session) {
    return Error(Errc::invalid_state,
                 session.name() + (session.record.has_ended() ? " has ended" : " is ending"));
}

bool takes_nothing(const ActiveApplication& session) {
    return session.gone || session.record.has_ended() || session.record.kill_requested ||
           session.session->end_asked;
}

Transaction acceptance(const StatementRecord& record, std::vector<UniqueKey> unique) {
    Insert insert;
    insert.kind = RecordKind::statement;
    insert.state = detail::open_statement;
    insert.owner = record.spec.job ? detail::owner_of_jobs(record.session)
                                   : detail::owner_of_statements(record.session);
    insert.body = detail::encode_statement(record);
    insert.unique = std::move(unique);
    UniqueKey number;
    number.scope = number_scope;
    number.value = HostImpl::number_of(record.session, record.spec.id);
    insert.unique.push_back(std::move(number));
    Transaction transaction;
    transaction.inserts.push_back(std::move(insert));
    return transaction;
}

}  // namespace statement_acceptance

/// What a statement is found by: its session's number and its own.
std::string HostImpl::number_of(SessionId session, StatementId id) {
    return std::to_string(session.value) + "/" + std::to_string(id.value);
}

UniqueKey HostImpl::key_of_statement(const StatementRecord& record) const {
    UniqueKey key;
    key.scope = statement_acceptance::key_scope;
    key.value = statement_acceptance::key_value(record.session, record.spec);
    key.fingerprint = detail::fingerprint(record.spec);
    key.keep_until = record.created + options.idempotency_retention;
    return key;
}

/// Nothing, where the request has no key or its key is not known (any more).
boost::asio::awaitable<Result<std::optional<StatementRecord>>> HostImpl::repeated_statement(
    SessionId session, StatementSpec spec) {
    using Found = std::optional<StatementRecord>;
    if (spec.idempotency_key.empty()) {
        co_return Found();
    }
    const auto value = statement_acceptance::key_value(session, spec);
    auto named = [&] { return storage->find_unique(statement_acceptance::key_scope, value); };
    auto key = co_await from_storage<RecordKey>(named);
    if (!key) {
        co_return key.error().is(Errc::not_found) ? Result<Found>(Found()) : key.error();
    }
    auto read = [&] { return storage->find(*key); };
    auto stored = co_await from_storage<Record>(read);
    if (!stored) {  // its session is being erased
        co_return stored.error().is(Errc::not_found) ? Result<Found>(Found()) : stored.error();
    }
    auto first = detail::decode_statement(*stored);
    if (!first) {
        co_return first.error();
    }
    if (first->created + options.idempotency_retention < clock->now()) {
        co_return Found();
    }
    if (detail::fingerprint(first->spec) != detail::fingerprint(spec)) {
        co_return Error(Errc::already_exists,
                        "this key was used for another request (statement " +
                            std::to_string(first->spec.id.value) +
                            "); use a new key for a new request",
                        "idempotency_key");
    }
    const auto open = find_open(session, first->spec.id);
    co_return open ? Found(open->record) : Found(std::move(*first));
}

/// The same where its key has just been met: then there is a first one.
boost::asio::awaitable<Result<StatementRecord>> HostImpl::first_statement(SessionId session,
                                                                          StatementSpec spec) {
    auto first = co_await repeated_statement(session, std::move(spec));
    if (!first) {
        co_return first.error();
    }
    co_return *first ? Result<StatementRecord>(std::move(**first))
                     : Error(Errc::conflict, "the statement made with this key is just going away");
}

boost::asio::awaitable<void> HostImpl::accept_statements(ActivePtr session) {
    SessionLife& life = *session->session;
    while (!life.arrivals.empty()) {
        auto spec = std::move(life.arrivals.front().spec);
        auto accepted = co_await accept_statement(session, std::move(spec));
        const auto done = std::move(life.arrivals.front().done);
        life.arrivals.pop_front();
        done(std::move(accepted));
    }
    life.accepting = false;
    give_statements(session);
    watch_idleness(session);
    wrap_up(session);
}

/// Without a key the transaction need not be kept for a second try.
boost::asio::awaitable<Result<CommitResult>> HostImpl::commit_acceptance(
    const StatementRecord& record) {
    std::vector<UniqueKey> unique;
    if (!record.spec.idempotency_key.empty()) {
        unique.push_back(key_of_statement(record));
    }
    const bool keyed = !unique.empty();
    auto transaction = statement_acceptance::acceptance(record, std::move(unique));
    const auto event = statement_driver::event_of(record, "statement.accepted", record.created, 1);
    statement_driver::add_event(transaction, RecordKey{RecordKind::statement, -1}, event);
    if (keyed) {
        co_return co_await accept(RecordKind::statement, std::move(transaction), record.created);
    }
    auto commit = [&] { return storage->commit(std::move(transaction)); };
    co_return co_await from_storage<CommitResult>(commit);
}

boost::asio::awaitable<Result<StatementRecord>> HostImpl::accept_statement(ActivePtr session,
                                                                           StatementSpec spec) {
    SessionLife& life = *session->session;
    const SessionId id{session->key.id};
    if (storage_suspect) {
        co_return availability().error();  // numbers are read again first
    }
    if (statement_acceptance::takes_nothing(*session)) {
        auto first = co_await repeated_statement(id, std::move(spec));
        if (first && *first) {
            co_return std::move(**first);
        }
        co_return first ? statement_acceptance::session_is_over(*session) : first.error();
    }
    auto statement = std::make_shared<StatementLife>();
    StatementRecord& record = statement->record;
    record.session = id;
    record.spec = std::move(spec);
    record.spec.id = StatementId{life.next_statement};
    record.created = clock->now();
    auto committed = co_await commit_acceptance(record);
    if (!committed) {
        co_return committed.error();
    }
    if (committed->duplicate && committed->duplicate->scope == statement_acceptance::number_scope) {
        co_return Error(Errc::conflict, "the statement's number was taken by someone else");
    }
    if (committed->duplicate) {
        co_return co_await first_statement(id, record.spec);
    }
    auto event = statement_driver::event_of(record, "statement.accepted", record.created, 1);
    statement->key = RecordKey{RecordKind::statement, committed->ids.front()};
    statement->ever_given = false;
    record.version = ++live_version;
    ++life.next_statement;
    life.open.emplace(record.spec.id, statement);
    session->progress.unsettled = true;
    event.sequence = committed->last_sequence;
    std::vector<Event> events;
    events.push_back(std::move(event));
    publish(Subject(record.session), std::move(events), committed->last_sequence);
    give_statements(session);
    co_return record;
}

}  // namespace sparkhost
