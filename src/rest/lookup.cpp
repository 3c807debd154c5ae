// SPDX-License-Identifier: Apache-2.0
#include "rest/lookup.hpp"

#include "rest/conditional.hpp"
#include "rest/router_state.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace sparkhost::detail::rest {

namespace lookups {

// What batches, sessions and statements differ in: who is asked, and with what.

struct Batches {
    using Record = BatchRecord;
    using State = BatchState;
    using Change = ChangeRequest;
    static Change change_of(const Record& record) {
        Change change;
        change.id = record.id;
        return change;
    }
    static Awaitable<Record> wait(Host* host, Change change) {
        return host->wait_for_change(change);
    }
    static Awaitable<Record> find(Host* host, Change change) { return host->find(change.id); }
};

struct SessionObjects {
    using Record = SessionRecord;
    using State = SessionState;
    using Change = SessionChangeRequest;
    static Change change_of(const Record& record) {
        Change change;
        change.id = record.id;
        return change;
    }
    static Awaitable<Record> wait(Host* host, Change change) {
        return host->sessions().wait_for_change(change);
    }
    static Awaitable<Record> find(Host* host, Change change) {
        return host->sessions().find(change.id);
    }
};

struct Statements {
    using Record = StatementRecord;
    using State = StatementState;
    using Change = StatementChangeRequest;
    static Change change_of(const Record& record) {
        Change change;
        change.session = record.session;
        change.id = record.spec.id;
        return change;
    }
    static Awaitable<Record> wait(Host* host, Change change) {
        return host->sessions().wait_for_change(change);
    }
    static Awaitable<Record> find(Host* host, Change change) {
        return host->sessions().find_statement(change.session, change.id);
    }
};

/// Waits for the change, but cancellation gives the present record instead of an error.
template <class Objects>
Awaitable<typename Objects::Record> wait_for_change(Host* host, typename Objects::Change change) {
    co_await asio::this_coro::throw_if_cancelled(false);
    Result<typename Objects::Record> changed = Errc::timed_out;
    try {
        changed = co_await Objects::wait(host, change);
    } catch (const boost::system::system_error& failure) {
        if (failure.code() != asio::error::operation_aborted) {
            throw;
        }
    }
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none && !changed) {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        changed = co_await Objects::find(host, change);
    }
    co_return changed;
}

/// `find` finds the object; it is begun only when the request makes sense.
template <class Objects>
Awaitable<Observed<typename Objects::Record>> observe(StatePtr state,
                                                      Awaitable<typename Objects::Record> find,
                                                      std::string if_none_match, Target target) {
    const IfNoneMatch seen = parse_if_none_match(if_none_match);
    const auto wait =
        parse_wait<typename Objects::State>(target, state->options.max_wait, seen.given);
    if (!wait) {
        co_return wait.error();
    }
    auto found = co_await std::move(find);
    if (!found) {
        co_return found.error();
    }
    Observed<typename Objects::Record> observed;
    observed.record = std::move(*found);
    const bool unchanged = wait->not_state ? observed.record.state() == *wait->not_state
                                           : seen.matches(observed.record.version);
    if (wait->duration && unchanged) {
        auto change = Objects::change_of(observed.record);
        change.seen_version = observed.record.version;
        change.not_state = wait->not_state;
        change.timeout = *wait->duration;
        auto changed = co_await wait_for_change<Objects>(state->host, change);
        if (!changed && !changed.error().is(Errc::timed_out)) {
            co_return changed.error();
        }
        if (changed) {
            observed.record = std::move(*changed);
        }
    }
    observed.not_modified = seen.matches(observed.record.version);
    co_return observed;
}

/// The id that the text is; nothing where it is a name.
Result<std::optional<std::int64_t>> parse_id(const std::string& text) {
    if (!std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
        return std::optional<std::int64_t>();
    }
    std::int64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
        return Error(Errc::invalid_argument, "For input string: \"" + text + "\"");
    }
    return std::optional<std::int64_t>(value);
}

/// `Id` and `objects` belong together: BatchId and the host, SessionId and its sessions.
template <class Record, class Id, class Objects>
Awaitable<Record> find_by_text(Objects objects, std::string text) {
    const auto id = parse_id(text);
    if (!id) {
        co_return id.error();
    }
    if (*id) {
        const Id known{**id};
        co_return co_await objects->find(known);
    }
    co_return co_await objects->find(std::move(text));
}

const BatchRecord& application_of(const BatchRecord& record) {
    return record;
}
const BatchRecord& application_of(const SessionRecord& record) {
    return record.application;
}

Awaitable<LogPage> read_part(Host* host, BatchId id, LogAssembly::Read part, int attempt) {
    BatchLogRequest request;
    request.id = id;
    request.attempt = attempt;
    request.offset = part.offset;
    request.limit = part.limit;
    return host->read_log(request);
}

Awaitable<LogPage> read_part(Host* host, SessionId id, LogAssembly::Read part, int) {
    SessionLogRequest request;
    request.id = id;
    request.offset = part.offset;
    request.limit = part.limit;
    return host->sessions().read_log(request);
}

template <class Record>
Awaitable<LogView> read_view(Host* host, Record record, LogViewRequest request) {
    LogAssembly assembly(request.window, log_suffix(application_of(record)), request.max_bytes);
    while (const auto wanted = assembly.next()) {
        auto page = co_await read_part(host, record.id, *wanted, request.attempt);
        if (!page) {
            co_return page.error();
        }
        assembly.add(std::move(*page));
    }
    co_return assembly.take();
}

template <class Record>
asio::awaitable<WithLog<Record>> add_log(Host* host, Record record) {
    WithLog<Record> shown;
    if (application_of(record).phase == BatchPhase::running) {
        LogViewRequest request;
        request.window.size = object_log_lines;
        request.max_bytes = std::numeric_limits<std::size_t>::max();
        // A log that cannot be read is no reason to hide the object.
        if (auto view = co_await read_view(host, record, request)) {
            shown.log = std::move(view->lines);
            shown.record = std::move(record);
            co_return shown;
        }
    }
    shown.log = kept_log(application_of(record));
    shown.record = std::move(record);
    co_return shown;
}

}  // namespace lookups

Awaitable<BatchRecord> find_batch(Host* host, std::string id_or_name) {
    return lookups::find_by_text<BatchRecord, BatchId>(host, std::move(id_or_name));
}

Awaitable<SessionRecord> find_session(Host* host, std::string id_or_name) {
    auto sessions = std::make_shared<Sessions>(host->sessions());
    return lookups::find_by_text<SessionRecord, SessionId>(std::move(sessions),
                                                           std::move(id_or_name));
}

Awaitable<Observed<BatchRecord>> observe_batch(StatePtr state, std::string id,
                                               std::string if_none_match, Target target) {
    auto find = find_batch(state->host, std::move(id));
    return lookups::observe<lookups::Batches>(std::move(state), std::move(find),
                                              std::move(if_none_match), std::move(target));
}

Awaitable<Observed<SessionRecord>> observe_session(StatePtr state, std::string id,
                                                   std::string if_none_match, Target target) {
    auto find = find_session(state->host, std::move(id));
    return lookups::observe<lookups::SessionObjects>(std::move(state), std::move(find),
                                                     std::move(if_none_match), std::move(target));
}

Awaitable<Observed<StatementRecord>> observe_statement(StatePtr state, SessionId session,
                                                       StatementId id, std::string if_none_match,
                                                       Target target) {
    auto find = state->host->sessions().find_statement(session, id);
    return lookups::observe<lookups::Statements>(std::move(state), std::move(find),
                                                 std::move(if_none_match), std::move(target));
}

Awaitable<LogView> read_log_view(Host* host, BatchRecord record, LogViewRequest request) {
    if (request.attempt > 0 && request.attempt <= static_cast<int>(record.attempts.size())) {
        const auto& earlier = record.attempts[static_cast<std::size_t>(request.attempt) - 1];
        record.phase = BatchPhase::ended;
        record.outcome = earlier.outcome;
        record.reason = earlier.reason;
    }
    return lookups::read_view(host, std::move(record), request);
}

Awaitable<LogView> read_log_view(Host* host, SessionRecord record, LogViewRequest request) {
    return lookups::read_view(host, std::move(record), request);
}

asio::awaitable<LivyBatch> with_log(Host* host, BatchRecord record) {
    return lookups::add_log(host, std::move(record));
}

asio::awaitable<LivySession> with_log(Host* host, SessionRecord record) {
    return lookups::add_log(host, std::move(record));
}

}  // namespace sparkhost::detail::rest
