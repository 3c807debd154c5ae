// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_SESSION_MACHINE_HPP
#define SPARKHOST_SRC_CORE_SESSION_MACHINE_HPP

// The lives of a session and of its statements as decisions: no I/O, no clock, no Asio. A
// session's application is a batch machine's; here is what a session adds. docs/states.md draws
// both, and a test compares the drawings with these tables.

#include <sparkhost/backend.hpp>
#include <sparkhost/session.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail {

/// What is stored of a session beside its application.
struct SessionPart {
    SessionSpec spec{};         ///< as it was asked for
    std::string runtime{};      ///< Traits::name of the one that speaks its kinds
    std::string claim{};        ///< what its agent calls its ticket; empty before it has one
    std::string secret_hash{};  ///< of the one-time secret
    /// What a submit hands over; kept until the backend has taken it.
    std::vector<DriverFile> driver_files{};
    std::string nonce{};                  ///< of the agent that has claimed it; empty: none has
    std::string resume_hash{};            ///< of the key that this agent comes back with
    std::optional<SessionFacts> facts{};  ///< its Spark is there
    std::string end_reason{};             ///< in the agent's words, or in those of who ended it
    std::int64_t statements{0};           ///< accepted, when the record was written
    bool operator==(const SessionPart&) const = default;
};

/// What has become known about a session, its application aside.
enum class SessionEvent {
    prepared,  ///< what is to be launched and claimed is known
    claimed,   ///< an agent may claim its ticket
    ready,     ///< its Spark is there
    ending     ///< why it ends
};

struct SessionObservation {
    SessionEvent event{SessionEvent::prepared};
    std::string claim{};                     ///< prepared
    std::string secret_hash{};               ///< prepared
    std::vector<DriverFile> driver_files{};  ///< prepared
    std::string nonce{};                     ///< claimed
    std::string resume_hash{};               ///< claimed
    SessionFacts facts{};                    ///< ready
    std::string reason{};                    ///< ending
};

/// Changes session and application as the observation demands and says which events the log gets.
/// Empty: nothing new, both are untouched. A claim of a session that is to end changes nothing.
std::vector<std::string> apply(SessionPart& part, BatchRecord& application,
                               const SessionObservation& observation, Timestamp at);

/// A session that has just ended gets the reason that is known best.
void explain_end(const SessionPart& part, BatchRecord& application);

/// What has become known about a statement.
enum class StatementEvent {
    begun,             ///< the agent runs it
    cancel_requested,  ///< somebody wants it to stop
    finished,          ///< it has run to its end, well or not
    cancelled          ///< it was stopped, or will never run
};

struct StatementEdge {
    StatementState from;
    StatementEvent event;
    StatementState to;
};
std::span<const StatementEdge> statement_edges();

struct StatementObservation {
    StatementEvent event{StatementEvent::begun};
    Timestamp at{};
    std::optional<std::chrono::milliseconds> end_session_after{};  ///< cancel_requested
    StatementResult result{};                                      ///< finished, cancelled
};
/// The event that a result amounts to.
StatementObservation ended_with(StatementResult result, Timestamp at);

/// Changes the statement; false: nothing new, and it is untouched.
bool apply(StatementRecord& statement, const StatementObservation& observation);

/// What a statement came to that was cancelled before any agent knew it.
StatementResult cancelled_before_it_ran();
/// What a statement that its session has taken along came to.
StatementResult result_of_session_end(const std::string& reason);

/// The states of a session as clients see them. Each follows from what is stored; the table says
/// what leads from one to another.
struct SessionEdge {
    SessionState from;
    std::string_view event;
    SessionState to;
};
std::span<const SessionEdge> session_edges();

std::string_view to_string(StatementEvent event);

}  // namespace sparkhost::detail

#endif
