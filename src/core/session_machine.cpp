// SPDX-License-Identifier: Apache-2.0
#include "core/session_machine.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sparkhost::detail {

namespace session_machine {

using S = StatementState;
using E = StatementEvent;

constexpr std::array statement_table{
    StatementEdge{S::waiting, E::begun, S::running},
    StatementEdge{S::waiting, E::cancel_requested, S::cancelling},
    StatementEdge{S::waiting, E::finished, S::available},
    StatementEdge{S::waiting, E::cancelled, S::cancelled},
    StatementEdge{S::running, E::cancel_requested, S::cancelling},
    StatementEdge{S::running, E::finished, S::available},
    StatementEdge{S::running, E::cancelled, S::cancelled},
    StatementEdge{S::cancelling, E::begun, S::cancelling},
    StatementEdge{S::cancelling, E::cancel_requested, S::cancelling},
    StatementEdge{S::cancelling, E::finished, S::available},
    StatementEdge{S::cancelling, E::cancelled, S::cancelled},
};

using A = SessionState;
constexpr std::array session_table{
    SessionEdge{A::starting, "ready", A::idle},
    SessionEdge{A::starting, "ready_with_work", A::busy},
    SessionEdge{A::idle, "statement_accepted", A::busy},
    SessionEdge{A::busy, "last_statement_ended", A::idle},
    SessionEdge{A::starting, "end_requested", A::shutting_down},
    SessionEdge{A::idle, "end_requested", A::shutting_down},
    SessionEdge{A::busy, "end_requested", A::shutting_down},
    SessionEdge{A::starting, "failed", A::dead},
    SessionEdge{A::idle, "failed", A::dead},
    SessionEdge{A::busy, "failed", A::dead},
    SessionEdge{A::shutting_down, "failed", A::dead},
    SessionEdge{A::idle, "ended", A::success},
    SessionEdge{A::busy, "ended", A::success},
    SessionEdge{A::shutting_down, "ended", A::success},
    SessionEdge{A::shutting_down, "killed", A::killed},
};

const StatementEdge* find_edge(S from, E event) {
    for (const auto& edge : statement_table) {
        if (edge.from == from && edge.event == event) {
            return &edge;
        }
    }
    return nullptr;
}

void add_entry(BatchRecord& application, std::string_view what, Timestamp at) {
    application.timeline.push_back({std::string(what), at, {}});
}

}  // namespace session_machine

std::vector<std::string> apply(SessionPart& part, BatchRecord& application,
                               const SessionObservation& observation, Timestamp at) {
    using session_machine::add_entry;
    at = std::max(at, application.created);  // the wall clock may jump
    switch (observation.event) {
        case SessionEvent::prepared:
            // Goes with the ticket, and has no event of its own.
            part.claim = observation.claim;
            part.secret_hash = observation.secret_hash;
            part.driver_files = observation.driver_files;
            return {};
        case SessionEvent::claimed:
            if (application.has_ended() || application.kill_requested ||
                (!part.nonce.empty() && part.nonce != observation.nonce)) {
                return {};
            }
            if (part.nonce.empty()) {
                add_entry(application, "claimed", at);
            }
            part.nonce = observation.nonce;
            part.resume_hash = observation.resume_hash;
            application.updated = at;
            return {"session.claimed"};
        case SessionEvent::ready:
            if (part.facts || application.has_ended()) {
                return {};
            }
            part.facts = observation.facts;
            if (!observation.facts.application_id.empty()) {
                application.application_id = observation.facts.application_id;
            }
            if (!observation.facts.ui_url.empty()) {
                application.ui_url = observation.facts.ui_url;
            }
            add_entry(application, "ready", at);
            application.updated = at;
            return {"session.ready"};
        case SessionEvent::ending:
            if (!part.end_reason.empty() || observation.reason.empty()) {
                return {};
            }
            part.end_reason = observation.reason;
            if (application.has_ended()) {
                explain_end(part, application);
            }
            application.updated = at;
            return {"session.updated"};
    }
    return {};
}

void explain_end(const SessionPart& part, BatchRecord& application) {
    if (part.end_reason.empty()) {
        return;
    }
    application.reason = application.reason.empty()
                             ? part.end_reason
                             : part.end_reason + " (" + application.reason + ")";
}

std::span<const StatementEdge> statement_edges() {
    return session_machine::statement_table;
}

std::span<const SessionEdge> session_edges() {
    return session_machine::session_table;
}

StatementObservation ended_with(StatementResult result, Timestamp at) {
    StatementObservation observation;
    observation.event = result.outcome == StatementOutcome::cancelled ? StatementEvent::cancelled
                                                                      : StatementEvent::finished;
    observation.at = at;
    observation.result = std::move(result);
    return observation;
}

bool apply(StatementRecord& statement, const StatementObservation& observation) {
    if (!session_machine::find_edge(statement.state(), observation.event)) {
        return false;
    }
    switch (observation.event) {
        case StatementEvent::begun:
            if (statement.started) {
                return false;
            }
            statement.started = std::max(observation.at, statement.created);
            return true;
        case StatementEvent::cancel_requested: {
            // A later wish may add or shorten the time after which the session is ended.
            const auto& after = observation.end_session_after;
            const bool sooner =
                after && (!statement.end_session_after || *after < *statement.end_session_after);
            if (statement.cancel_requested && !sooner) {
                return false;
            }
            statement.cancel_requested = true;
            if (sooner) {
                statement.end_session_after = after;
            }
            return true;
        }
        case StatementEvent::finished:
        case StatementEvent::cancelled:
            statement.result = observation.result;
            statement.completed =
                std::max(observation.at, statement.started.value_or(statement.created));
            statement.progress = 1;
            return true;
    }
    return false;
}

StatementResult cancelled_before_it_ran() {
    StatementResult result;
    result.outcome = StatementOutcome::cancelled;
    result.interrupted = true;
    result.error_name = "KeyboardInterrupt";
    result.error_value = "cancelled before it ran";
    return result;
}

StatementResult result_of_session_end(const std::string& reason) {
    StatementResult result;
    result.outcome = StatementOutcome::cancelled;
    result.error_name = "SessionEnded";
    result.error_value = "the session has ended" + (reason.empty() ? "" : ": " + reason);
    return result;
}

std::string_view to_string(StatementEvent event) {
    switch (event) {
        case StatementEvent::begun:
            return "begun";
        case StatementEvent::cancel_requested:
            return "cancel_requested";
        case StatementEvent::finished:
            return "finished";
        case StatementEvent::cancelled:
            return "cancelled";
    }
    return "unknown";
}

}  // namespace sparkhost::detail
