// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SESSION_HPP
#define SPARKHOST_SESSION_HPP

#include <sparkhost/batch.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost {

/// Number of a session in its store.
struct SessionId {
    std::int64_t value{-1};
    auto operator<=>(const SessionId&) const = default;
};

/// Number of a statement in its session: 0, 1, 2 …
struct StatementId {
    std::int64_t value{-1};
    auto operator<=>(const StatementId&) const = default;
};

/// An interactive application: `spec` without a file, and the language it speaks.
struct SessionSpec {
    /// Default kind of its statements: "pyspark", "sql" …; empty: each statement says its own.
    std::string kind{};
    BatchSpec spec{};  ///< resources, conf, names; `file` and `args` are the runtime's to fill
    /// Ended after so long without a statement. Zero: never.
    /// Empty: HostOptions::session_idle_timeout.
    std::optional<std::chrono::seconds> idle_timeout{};
    /// Ended so long after it was accepted, whatever it does. Empty: never.
    std::optional<std::chrono::seconds> ttl{};
    /// Ended and erased when nobody has asked for it for so long: a sign of life is every
    /// operation that names the session, its log aside, which listings show, too. After a restart
    /// of the host the time begins anew. Empty: never.
    std::optional<std::chrono::seconds> heartbeat_timeout{};

    bool operator==(const SessionSpec&) const = default;
};

/// Code to run in a session.
struct StatementSpec {
    StatementId id{};    ///< given by the host
    std::string kind{};  ///< empty: the session's
    std::string code{};  ///< UTF-8
    /// `code` is a serialized function in base64, whose value is to come back serialized:
    /// StatementResult::data["application/octet-stream"], in base64. Jobs wait, run and are
    /// interrupted as other statements are, and share their numbers.
    bool job{false};
    std::string owner{};  ///< who asks, as the host application authenticated it; empty: anonymous
    /// The same key from the same owner in the same session gives the first statement again (same
    /// request) or Errc::already_exists (another request), also when the session has ended
    /// meanwhile. Empty: none.
    std::string idempotency_key{};
    bool operator==(const StatementSpec&) const = default;
};

/// Where a statement's code wrote.
enum class OutputStream { standard_output, standard_error };

/// A piece of what a statement's code wrote: bytes, characters whole.
struct OutputChunk {
    OutputStream stream{OutputStream::standard_output};
    std::string text{};
    bool operator==(const OutputChunk&) const = default;
};

/// How a statement came to its end.
enum class StatementOutcome {
    ok,
    error,      ///< its code failed
    cancelled,  ///< it was interrupted, or ended before it ran
    forgotten   ///< it ran, but its result had been settled before and is no longer kept
};

/// What a statement came to.
struct StatementResult {
    StatementOutcome outcome{StatementOutcome::ok};
    /// An interrupt was under way. Code that caught it and ended well keeps its `ok`.
    bool interrupted{false};
    /// MIME type → content (text, or base64 for binary types). Bytes as the code gave them.
    std::map<std::string, std::string> data{};
    std::vector<std::string> notes{};  ///< what was left out, in words
    std::string error_name{};          ///< exception class; where it did not succeed
    std::string error_value{};
    std::vector<std::string> traceback{};
    bool operator==(const StatementResult&) const = default;
};

/// What is known of a session once its Spark is there.
struct SessionFacts {
    std::string application_id{};
    std::string ui_url{};           ///< empty: none
    std::string spark_version{};    ///< "4.3.0"
    std::string runtime_version{};  ///< of the language, "3.11.2"
    std::int64_t pid{0};            ///< of the agent, on its machine
    bool operator==(const SessionFacts&) const = default;
};

/// Why a session ended, in the agent's words.
struct SessionEnd {
    std::string reason{};  ///< "closed", "spark_failed", …: docs/agent_protocol.md
    std::string detail{};
};

/// A file that a running session shall have: for its code, in its working folder and on its
/// executors (`data`); as classes (`jar`); as a module that can be imported (`python`).
struct SessionFile {
    enum class Use { data, jar, python };
    Use use{Use::data};
    std::string uri{};  ///< as Spark takes it; without a scheme a path on the driver's machine
    bool operator==(const SessionFile&) const = default;
};

/// What could stand before a cursor.
struct Completion {
    std::vector<std::string> candidates{};  ///< each takes the place of what it `replaces`
    std::size_t replaces{0};                ///< so many characters before the cursor
};

/// Asks a statement to stop.
struct InterruptRequest {
    StatementId statement{};
    /// When it still runs after so long, the whole session is ended. Empty: never.
    std::optional<std::chrono::milliseconds> end_session_after{};
};

/// What a client is shown of a session; Livy's words.
enum class SessionState {
    starting,       ///< accepted, or its Spark is not there yet
    idle,           ///< nothing runs and nothing waits
    busy,           ///< a statement runs or waits
    shutting_down,  ///< its end has been asked for
    success,        ///< ended, and its driver said so itself
    dead,           ///< ended by a failure
    killed          ///< ended because somebody asked for it
};

/// A session as it is stored.
struct SessionRecord {
    SessionId id{};
    /// Grows with each change, also of its statements' number and ends; the ETag of the routes.
    std::int64_t version{0};
    SessionSpec spec{};
    /// Its application, brought on its way as a batch's is. `id` is the session's; `spec` is what
    /// is launched, once it has a ticket.
    BatchRecord application{};
    std::optional<SessionFacts> facts{};  ///< once its Spark is there
    std::int64_t statements{0};           ///< accepted so far: the next one's number
    std::int64_t open_statements{0};      ///< of these, neither ended nor cancelled

    bool has_ended() const noexcept { return application.has_ended(); }
    SessionState state() const noexcept;
    bool operator==(const SessionRecord&) const = default;
};

/// Which sessions, oldest first unless `newest_first`.
struct SessionQuery {
    std::string owner{};               ///< empty: everybody's
    std::int64_t offset{0};            ///< skip so many
    std::optional<SessionId> after{};  ///< keyset cursor: only those after it in the order asked
    std::size_t limit{100};
    bool newest_first{false};
};

struct SessionPage {
    std::vector<SessionRecord> sessions{};
    std::int64_t total{0};  ///< how many match, not only those on this page
};

/// What a client is shown of a statement; Livy's words. Code that failed is `available`, too.
enum class StatementState { waiting, running, cancelling, cancelled, available };

/// A statement: what is stored of it, and, while it runs, what the agent says.
struct StatementRecord {
    SessionId session{};
    /// Differs whenever the statement does, its output aside. Not stored while it is open, so it
    /// may jump at a restart.
    std::int64_t version{0};
    StatementSpec spec{};
    bool cancel_requested{false};
    /// When it still runs so long after the cancel, the session is ended. Empty: never.
    std::optional<std::chrono::milliseconds> end_session_after{};
    std::optional<StatementResult> result{};  ///< once it is over
    Timestamp created{};
    std::optional<Timestamp> started{};    ///< the agent has said that it runs
    std::optional<Timestamp> completed{};  ///< its result is there
    double progress{0};                    ///< 0 … 1, of its Spark tasks
    std::int64_t unheeded_interrupts{0};   ///< so many have reached the code, and it went on
    std::vector<OutputChunk> output{};     ///< so far

    bool has_ended() const noexcept { return result.has_value(); }
    StatementState state() const noexcept;
    bool operator==(const StatementRecord&) const = default;
};

/// Which statements of a session, oldest first unless `newest_first`.
struct StatementQuery {
    SessionId session{};
    std::int64_t offset{0};  ///< skip so many
    std::size_t limit{100};  ///< 0: none, for the total alone
    bool newest_first{false};
    bool jobs{false};  ///< jobs, instead of statements that are not
};

struct StatementPage {
    std::vector<StatementRecord> statements{};
    std::int64_t total{0};
};

inline SessionState SessionRecord::state() const noexcept {
    if (has_ended()) {
        switch (application.outcome) {
            case Outcome::success:
                return SessionState::success;
            case Outcome::killed:
                return SessionState::killed;
            default:
                return SessionState::dead;
        }
    }
    if (application.kill_requested) {
        return SessionState::shutting_down;
    }
    if (!facts) {
        return SessionState::starting;
    }
    return open_statements > 0 ? SessionState::busy : SessionState::idle;
}

inline StatementState StatementRecord::state() const noexcept {
    if (result) {
        return result->outcome == StatementOutcome::cancelled ? StatementState::cancelled
                                                              : StatementState::available;
    }
    if (cancel_requested) {
        return StatementState::cancelling;
    }
    return started ? StatementState::running : StatementState::waiting;
}

inline constexpr std::string_view to_string(SessionState state) noexcept {
    switch (state) {
        case SessionState::starting:
            return "starting";
        case SessionState::idle:
            return "idle";
        case SessionState::busy:
            return "busy";
        case SessionState::shutting_down:
            return "shutting_down";
        case SessionState::success:
            return "success";
        case SessionState::dead:
            return "dead";
        case SessionState::killed:
            return "killed";
    }
    return "unknown";
}

inline constexpr std::string_view to_string(StatementState state) noexcept {
    switch (state) {
        case StatementState::waiting:
            return "waiting";
        case StatementState::running:
            return "running";
        case StatementState::cancelling:
            return "cancelling";
        case StatementState::cancelled:
            return "cancelled";
        case StatementState::available:
            return "available";
    }
    return "unknown";
}

inline constexpr std::string_view to_string(StatementOutcome outcome) noexcept {
    switch (outcome) {
        case StatementOutcome::ok:
            return "ok";
        case StatementOutcome::error:
            return "error";
        case StatementOutcome::cancelled:
            return "cancelled";
        case StatementOutcome::forgotten:
            return "forgotten";
    }
    return "unknown";
}

}  // namespace sparkhost

#endif
