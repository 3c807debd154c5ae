// SPDX-License-Identifier: Apache-2.0

// What batches, sessions and statements have in common when somebody asks for one: names,
// idempotency keys.

#include "core/batch_json.hpp"
#include "core/host_impl.hpp"
#include "core/session_json.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

namespace acceptance_words {

std::string noun(RecordKind kind) {
    switch (kind) {
        case RecordKind::session:
            return "session";
        case RecordKind::statement:
            return "statement";
        case RecordKind::batch:
            break;
    }
    return "batch";
}
std::string name_scope(RecordKind kind) {
    return noun(kind) + ".name";
}
std::string key_scope(RecordKind kind) {
    return noun(kind) + ".idempotency";
}

/// Owner and key as one value; neither contains a line end.
std::string key_value(const BatchSpec& spec) {
    return spec.owner + "\n" + spec.idempotency_key;
}

std::string name_of(RecordKey key) {
    return noun(key.kind) + " " + std::to_string(key.id);
}

}  // namespace acceptance_words

Transaction HostImpl::acceptance(RecordKind kind, const BatchRecord& record, std::string body,
                                 const BatchSpec& asked,
                                 const std::string& request_fingerprint) const {
    using namespace acceptance_words;
    Insert insert;
    insert.kind = kind;
    insert.state = detail::stored_state(record);
    insert.owner = asked.owner;
    insert.body = std::move(body);
    // The key first: a repeated request has the same name, too, and must find the first one.
    if (!asked.idempotency_key.empty()) {
        UniqueKey key;
        key.scope = key_scope(kind);
        key.value = key_value(asked);
        key.fingerprint = request_fingerprint;
        key.keep_until = record.created + options.idempotency_retention;
        insert.unique.push_back(std::move(key));
    }
    if (!asked.name.empty()) {
        UniqueKey name;
        name.scope = name_scope(kind);
        name.value = asked.name;
        insert.unique.push_back(std::move(name));
    }
    Event event;
    event.version = 1;
    event.state = "starting";
    NewEvent entry;
    entry.subject = RecordKey{kind, -1};
    entry.at = record.created;
    entry.type = noun(kind) + ".accepted";
    entry.body = detail::encode_event(event);
    Transaction transaction;
    transaction.inserts.push_back(std::move(insert));
    transaction.events.push_back(std::move(entry));
    return transaction;
}

boost::asio::awaitable<Result<CommitResult>> HostImpl::accept(RecordKind kind,
                                                              Transaction transaction,
                                                              Timestamp now) {
    auto commit = [&] { return storage->commit(transaction); };
    auto committed = co_await from_storage<CommitResult>(commit);
    if (!committed || !committed->duplicate ||
        committed->duplicate->scope != acceptance_words::key_scope(kind)) {
        co_return committed;
    }
    const RecordKey first = committed->duplicate->holder;
    const bool forgotten = co_await forget_expired_key(first, std::min(now, kept_until()));
    if (forgotten) {
        committed = co_await from_storage<CommitResult>(commit);
    }
    co_return committed;
}

/// Whether somebody has been quicker. Called for each acceptance when it is over.
bool HostImpl::was_met_early(const Result<CommitResult>& accepted, RecordKind kind) {
    const bool met = accepted && !accepted->ids.empty() &&
                     met_early.contains(RecordKey{kind, accepted->ids.front()});
    if (submits_in_flight + opening_sessions == 0) {
        met_early.clear();
    }
    return met;
}

Result<RecordKey> HostImpl::judge_duplicate(const CommitResult::Duplicate& duplicate,
                                            const std::string& name,
                                            const std::string& request_fingerprint) {
    using namespace acceptance_words;
    const auto holder = name_of(duplicate.holder);
    if (duplicate.scope == name_scope(duplicate.holder.kind)) {
        return Error(Errc::already_exists, holder + " has the name '" + name + "'", "name");
    }
    if (duplicate.fingerprint != request_fingerprint) {
        return Error(Errc::already_exists,
                     "this key was used for another request (" + holder +
                         "); use a new key for a new request",
                     "idempotency_key");
    }
    return duplicate.holder;
}

Error HostImpl::made_but_deleted(RecordKey first) {
    return Error(Errc::already_exists,
                 acceptance_words::name_of(first) +
                     ", made with this key, has been deleted; use a new key to run it again",
                 "idempotency_key");
}

/// Whether its key is known: such a request is to be answered and adds nothing to what there is.
boost::asio::awaitable<bool> HostImpl::is_repeated(RecordKind kind, const BatchSpec& spec) {
    using namespace acceptance_words;
    if (spec.idempotency_key.empty()) {
        co_return false;
    }
    auto call = [&] { return storage->find_unique(key_scope(kind), key_value(spec)); };
    auto holder = co_await from_storage<RecordKey>(call);
    co_return holder.has_value();
}

/// The store drops keys whose time has passed only when it is pruned. True if it has been now,
/// because this one may be among them.
boost::asio::awaitable<bool> HostImpl::forget_expired_key(RecordKey first, Timestamp now) {
    auto accepted = co_await accepted_at(first);
    const bool erased = !accepted && accepted.error().is(Errc::not_found);
    if (!erased && (!accepted || *accepted + options.idempotency_retention >= now)) {
        co_return false;
    }
    PruneRequest request;
    request.unique_before = now;
    auto prune = [&] { return storage->prune(request); };
    auto pruned = co_await from_storage<std::int64_t>(prune);
    co_return pruned.has_value();
}

boost::asio::awaitable<Result<Timestamp>> HostImpl::accepted_at(RecordKey key) {
    if (key.kind != RecordKind::statement) {
        auto application = co_await application_of(key);
        co_return application ? Result<Timestamp>(application->created) : application.error();
    }
    auto call = [&] { return storage->find(key); };
    auto stored = co_await from_storage<Record>(call);
    if (!stored) {
        co_return stored.error();
    }
    auto statement = detail::decode_statement(*stored);
    co_return statement ? Result<Timestamp>(statement->created) : statement.error();
}

boost::asio::awaitable<Result<RecordKey>> HostImpl::find_name(RecordKind kind, std::string name) {
    using namespace acceptance_words;
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const TaskGuard guard(*this);
    auto call = [&] { return storage->find_unique(name_scope(kind), name); };
    auto key = co_await from_storage<RecordKey>(call);
    if (!key && key.error().is(Errc::not_found)) {
        co_return Error(Errc::not_found, "there is no " + noun(kind) + " named '" + name + "'");
    }
    co_return key;
}

/// A batch, or what a session runs in.
boost::asio::awaitable<Result<BatchRecord>> HostImpl::application_of(RecordKey key) {
    if (key.kind == RecordKind::batch) {
        const BatchId id{key.id};
        co_return co_await find(id);
    }
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const SessionId id{key.id};
    auto session = co_await read_session(id);  // listings read logs, and are no sign of life
    if (!session) {
        co_return session.error();
    }
    session->application.version = session->version;
    co_return std::move(session->application);
}

boost::asio::awaitable<Result<ActivePtr>> HostImpl::acquire(RecordKey key) {
    auto found = active.find(key);
    if (found != active.end()) {
        co_return found->second;
    }
    if (key.kind == RecordKind::batch) {
        const BatchId id{key.id};
        auto record = co_await read_record(id);
        if (!record) {
            co_return record.error();
        }
        found = active.find(key);
        co_return found != active.end() ? found->second : activate(key, std::move(*record));
    }
    auto call = [&] { return storage->find(key); };
    auto stored = co_await from_storage<Record>(call);
    found = active.find(key);
    if (found != active.end()) {
        co_return found->second;  // somebody was quicker
    }
    if (!stored && stored.error().is(Errc::not_found)) {
        co_return Error(Errc::not_found, "there is no " + acceptance_words::name_of(key));
    }
    if (!stored) {
        co_return stored.error();
    }
    // One that has changed since it was read meets a conflict when it is written, and is read
    // again.
    co_return revive(*stored);
}

Result<ActivePtr> HostImpl::revive(const Record& stored) {
    if (stored.key.kind == RecordKind::session) {
        auto session = detail::decode_session(stored);
        return session ? Result<ActivePtr>(activate_session(
                             stored.key, std::move(session->application), std::move(session->part)))
                       : session.error();
    }
    auto record = detail::decode_batch(stored);
    return record ? Result<ActivePtr>(activate(stored.key, std::move(*record))) : record.error();
}

}  // namespace sparkhost
