// SPDX-License-Identifier: Apache-2.0

// What callers ask for sessions, on the strand.

#include "core/host_impl.hpp"
#include "core/session_json.hpp"
#include "core/site_rules.hpp"
#include "core/validate.hpp"
#include "hop.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost {

Error unknown_session(SessionId id) {
    return Error(Errc::not_found, "there is no session " + std::to_string(id.value), "session");
}

namespace session_operations {

/// What clients see of a session. `accepted` and `open` count its statements.
SessionRecord show(const BatchRecord& application, const detail::SessionPart& part,
                   std::int64_t accepted, std::size_t open) {
    SessionRecord record;
    record.id = SessionId{application.id.value};
    record.spec = part.spec;
    record.application = application;
    record.facts = part.facts;
    record.statements = accepted;
    record.open_statements = static_cast<std::int64_t>(open);
    record.version = application.version + accepted + (accepted - record.open_statements);
    return record;
}

SessionRecord show(const ActiveApplication& session) {
    const SessionLife& life = *session.session;
    return show(session.shown(), life.part, life.next_statement, life.open.size());
}

Result<SessionRecord> show_stored(const Record& stored) {
    auto session = detail::decode_session(stored);
    if (!session) {
        return session.error();
    }
    return show(session->application, session->part, session->part.statements, 0);
}

}  // namespace session_operations

boost::asio::awaitable<Result<SessionRecord>> HostImpl::open_session(SessionSpec spec) {
    if (auto valid = detail::validate(spec); !valid) {
        co_return valid.error();
    }
    const auto backend = backend_index(spec.spec);
    if (!backend) {
        co_return no_backend(spec.spec.backend);
    }
    if (auto allowed = detail::apply_site_rules(options, traits[*backend], spec.spec); !allowed) {
        co_return allowed.error();
    }
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const TaskGuard guard(*this);
    auto runtime = runtime_for(spec.kind);
    if (!runtime) {
        co_return runtime.error();
    }
    if (auto dialled = doors->address_for(traits[*backend]); !dialled) {
        co_return dialled.error();
    }
    const bool full = count_sessions() + opening_sessions >= options.max_sessions;
    bool repeated = false;
    if (full) {
        repeated = co_await is_repeated(RecordKind::session, spec.spec);
    }
    if (full && !repeated) {
        co_return Error(Errc::rejected, "there are " + std::to_string(options.max_sessions) +
                                            " sessions already; close one, or try again later");
    }
    BatchRecord application;
    application.version = 1;
    application.created = application.updated = clock->now();
    const auto request_fingerprint = detail::fingerprint(spec);
    detail::add_default_conf(options, spec.spec);
    application.spec = spec.spec;
    application.spec.backend = traits[*backend].name;
    application.timeline.push_back(TimelineEntry{"accepted", application.created, {}});
    detail::SessionPart part;
    part.runtime = runtime_traits[*runtime].name;
    part.spec = std::move(spec);
    ++opening_sessions;
    auto transaction =
        acceptance(RecordKind::session, application, detail::encode_session(application, part),
                   part.spec.spec, request_fingerprint);
    auto committed =
        co_await accept(RecordKind::session, std::move(transaction), application.created);
    --opening_sessions;
    const bool met = was_met_early(committed, RecordKind::session);
    if (!committed) {
        co_return committed.error();
    }
    if (committed->duplicate) {
        auto first =
            judge_duplicate(*committed->duplicate, part.spec.spec.name, request_fingerprint);
        if (!first) {
            co_return first.error();
        }
        const SessionId id{first->id};
        auto made = co_await read_session(id);
        if (!made && made.error().is(Errc::not_found)) {
            co_return made_but_deleted(*first);
        }
        co_return made;
    }
    application.id = BatchId{committed->ids.front()};
    const SessionId id{application.id.value};
    ActivePtr session;
    if (!met) {
        session = activate_session(key_of(id), std::move(application), std::move(part));
    } else if (const auto known = active.find(key_of(id)); known != active.end()) {
        session = known->second;  // and nothing, if it has come to its end since
    }
    SessionRecord record;
    if (session) {
        record = session_operations::show(*session);
    } else {
        auto found = co_await read_session(id);
        if (!found) {
            co_return found;
        }
        record = std::move(*found);
    }
    Event event;
    event.sequence = committed->last_sequence;
    event.at = record.application.created;
    event.type = "session.accepted";
    event.session = id;
    event.version = 1;
    event.state = to_string(record.state());
    std::vector<Event> events;
    events.push_back(std::move(event));
    publish(id, std::move(events), committed->last_sequence);
    if (session) {
        pump(std::move(session));
    }
    co_return record;
}

Result<std::size_t> HostImpl::runtime_for(const std::string& kind) const {
    if (runtimes.empty()) {
        return Error(Errc::not_supported, "this host has no runtime for sessions");
    }
    std::string spoken;
    for (std::size_t index = 0; index < runtimes.size(); ++index) {
        for (const auto& known : runtime_traits[index].kinds) {
            if (known == kind) {
                return index;
            }
            spoken += (spoken.empty() ? "" : ", ") + known;
        }
    }
    if (kind.empty()) {
        return std::size_t{0};  // its statements say their kinds
    }
    return Error(Errc::invalid_argument, "'" + kind + "' is not spoken here; use " + spoken,
                 "kind");
}

boost::asio::awaitable<Result<SessionRecord>> HostImpl::read_session(SessionId id) {
    if (const auto session = find_active(id)) {
        co_return session_operations::show(*session);
    }
    const TaskGuard guard(*this);
    auto call = [&] { return storage->find(key_of(id)); };
    auto stored = co_await from_storage<Record>(call);
    if (const auto session = find_active(id)) {
        co_return session_operations::show(*session);
    }
    if (!stored && stored.error().is(Errc::not_found)) {
        co_return unknown_session(id);
    }
    if (!stored) {
        co_return stored.error();
    }
    co_return session_operations::show_stored(*stored);
}

boost::asio::awaitable<Result<SessionRecord>> HostImpl::find_session(SessionId id) {
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    heard_of(id);
    co_return co_await read_session(id);
}

boost::asio::awaitable<Result<SessionRecord>> HostImpl::find_session_named(std::string name) {
    auto key = co_await find_name(RecordKind::session, std::move(name));
    if (!key) {
        co_return key.error();
    }
    const SessionId id{key->id};
    heard_of(id);
    co_return co_await read_session(id);
}

boost::asio::awaitable<Result<SessionPage>> HostImpl::list_sessions(SessionQuery query) {
    if (auto available = co_await until_ready(); !available) {
        co_return available.error();
    }
    const TaskGuard guard(*this);
    Query stored_query;
    stored_query.kind = RecordKind::session;
    stored_query.owner = query.owner;
    stored_query.offset = std::max<std::int64_t>(0, query.offset);
    stored_query.limit = query.limit;
    stored_query.newest_first = query.newest_first;
    if (query.after) {
        stored_query.after = query.after->value;
    }
    auto call = [&] { return storage->list(std::move(stored_query)); };
    auto page = co_await from_storage<Page>(call);
    if (!page) {
        co_return page.error();
    }
    SessionPage result;
    result.total = page->total;
    for (std::size_t i = 0; i < page->records.size(); ++i) {
        if (i > 0 && i % detail::items_at_a_time == 0) {
            co_await detail::let_others_run();
        }
        const auto& stored = page->records[i];
        const auto session = find_active(SessionId{stored.key.id});
        auto record = session ? Result<SessionRecord>(session_operations::show(*session))
                              : session_operations::show_stored(stored);
        if (!record) {
            co_return record.error();
        }
        result.sessions.push_back(std::move(*record));
    }
    co_return result;
}

boost::asio::awaitable<Result<SessionRecord>> HostImpl::close_session(SessionId id) {
    auto wished = co_await wish(key_of(id), detail::BatchEvent::kill_requested);
    if (!wished && wished.error().is(Errc::not_found)) {
        co_return unknown_session(id);
    }
    if (!wished) {
        co_return wished.error();
    }
    co_return co_await read_session(id);
}

}  // namespace sparkhost
