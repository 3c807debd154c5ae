// SPDX-License-Identifier: Apache-2.0
#include "core/batch_machine.hpp"

#include "core/retry.hpp"
#include "core/timeline.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sparkhost::detail {

namespace {

using P = BatchPhase;
using E = BatchEvent;

constexpr std::array edges{
    BatchEdge{P::accepted, E::admitted, P::reserved},
    BatchEdge{P::accepted, E::refused, P::ended},
    BatchEdge{P::accepted, E::refused, P::attempt_ended},
    BatchEdge{P::accepted, E::kill_requested, P::ended},
    BatchEdge{P::accepted, E::erase_requested, P::ended},
    BatchEdge{P::reserved, E::taken, P::submitted},
    BatchEdge{P::reserved, E::refused, P::ended},
    BatchEdge{P::reserved, E::refused, P::attempt_ended},
    BatchEdge{P::reserved, E::kill_requested, P::reserved},
    BatchEdge{P::reserved, E::erase_requested, P::reserved},
    BatchEdge{P::reserved, E::process_started, P::running},
    BatchEdge{P::reserved, E::context_up, P::running},
    BatchEdge{P::reserved, E::ended, P::ended},
    BatchEdge{P::reserved, E::ended, P::attempt_ended},
    BatchEdge{P::submitted, E::kill_requested, P::submitted},
    BatchEdge{P::submitted, E::erase_requested, P::submitted},
    BatchEdge{P::submitted, E::process_started, P::running},
    BatchEdge{P::submitted, E::context_up, P::running},
    BatchEdge{P::submitted, E::ended, P::ended},
    BatchEdge{P::submitted, E::ended, P::attempt_ended},
    BatchEdge{P::submitted, E::progressed, P::submitted},
    BatchEdge{P::submitted, E::lost, P::ended},
    BatchEdge{P::submitted, E::lost, P::attempt_ended},
    BatchEdge{P::running, E::kill_requested, P::running},
    BatchEdge{P::running, E::erase_requested, P::running},
    BatchEdge{P::running, E::context_up, P::running},
    BatchEdge{P::running, E::ended, P::ended},
    BatchEdge{P::running, E::ended, P::attempt_ended},
    BatchEdge{P::running, E::progressed, P::running},
    BatchEdge{P::running, E::lost, P::ended},
    BatchEdge{P::running, E::lost, P::attempt_ended},
    BatchEdge{P::attempt_ended, E::released, P::waiting},
    BatchEdge{P::attempt_ended, E::kill_requested, P::ended},
    BatchEdge{P::attempt_ended, E::erase_requested, P::ended},
    BatchEdge{P::waiting, E::due, P::accepted},
    BatchEdge{P::waiting, E::kill_requested, P::ended},
    BatchEdge{P::waiting, E::erase_requested, P::ended},
    BatchEdge{P::ended, E::erase_requested, P::ended},
    BatchEdge{P::ended, E::released, P::released},
    BatchEdge{P::released, E::erase_requested, P::released},
};

using A = ApplicationState;
constexpr std::array application_table{
    ApplicationEdge{A::submitted, A::started}, ApplicationEdge{A::submitted, A::context_up},
    ApplicationEdge{A::submitted, A::ended},   ApplicationEdge{A::started, A::context_up},
    ApplicationEdge{A::started, A::ended},     ApplicationEdge{A::context_up, A::ended},
};

const BatchEdge* find_edge(BatchPhase from, BatchEvent event) {
    for (const auto& edge : edges) {
        if (edge.from == from && edge.event == event) {
            return &edge;
        }
    }
    return nullptr;
}

/// Times a report carries are entered even when the states in between were never seen.
void add_report_times(BatchRecord& record, const ApplicationStatus& report) {
    merge_steps(record, report.steps);
    if (report.started) {
        add_entry(record, "process_started", not_before(*report.started, record, {}));
    }
    if (report.context_up) {
        add_entry(record, "context_up", not_before(*report.context_up, record, {"process_started"}),
                  report.application_id);
    }
    if (!report.application_id.empty()) {
        record.application_id = report.application_id;
    }
    if (!report.ui_url.empty()) {
        record.ui_url = report.ui_url;
    }
}

void end(BatchRecord& record, Outcome outcome, Timestamp at, const std::string& reason) {
    record.phase = BatchPhase::ended;
    record.outcome = outcome;
    record.reason = reason;
    add_entry(record, "ended", not_before(at, record, {"process_started", "context_up"}), reason);
}

void apply_end(BatchRecord& record, const BatchObservation& observation) {
    switch (observation.event) {
        case BatchEvent::refused:
            end(record, record.kill_requested ? Outcome::killed : Outcome::failed, observation.at,
                observation.reason);
            break;
        case BatchEvent::lost:
            end(record, record.kill_requested ? Outcome::killed : Outcome::unknown, observation.at,
                observation.reason);
            break;
        case BatchEvent::ended:
            record.exit_code = observation.report->exit_code;
            end(record, observation.report->outcome,
                observation.report->ended.value_or(observation.at), observation.report->reason);
            break;
        default:
            end(record, Outcome::killed, observation.at,
                record.next_attempt ? "killed while it waited for its next attempt"
                                    : "killed while it waited in the queue");
            record.next_attempt.reset();
            break;
    }
}

std::optional<RetryCause> cause_of(const BatchRecord& record, const BatchObservation& observation) {
    if (record.outcome == Outcome::unknown) {
        return RetryCause::unknown;
    }
    if (record.outcome != Outcome::failed || observation.hopeless) {
        return std::nullopt;
    }
    const auto& report = observation.report;
    const bool ran = report && (report->started || report->exit_code);
    return ran ? RetryCause::failed : RetryCause::not_started;
}

bool is_tried_again(const BatchRecord& record, const BatchObservation& observation) {
    const auto cause = cause_of(record, observation);
    return cause && !record.kill_requested &&
           is_retried(record.spec.retry, record.attempts.size() + 1, *cause);
}

/// Once any attempt has been shown as running, the batch is.
std::optional<Timestamp> start_of(const BatchRecord& before, const BatchRecord& record) {
    for (const char* what : {"process_started", "context_up"}) {
        if (const auto* entry = find_entry(record, what)) {
            return entry->at;
        }
    }
    return before.phase == BatchPhase::running ? std::optional(before.updated) : std::nullopt;
}

/// The end that has just been entered is not the batch's, only this attempt's.
void put_aside(BatchRecord& record, const BatchRecord& before,
               const BatchObservation& observation) {
    BatchAttempt attempt;
    // A ticket that an attempt before had is not this one's.
    const bool has_ticket = before.phase != BatchPhase::accepted;
    attempt.ticket = has_ticket ? record.ticket : std::string();
    attempt.ticket_data = has_ticket ? record.ticket_data : std::string();
    attempt.outcome = std::exchange(record.outcome, Outcome::none);
    attempt.exit_code = std::exchange(record.exit_code, std::nullopt);
    attempt.reason = std::exchange(record.reason, {});
    attempt.application_id = has_ticket ? record.application_id : std::string();
    attempt.started = start_of(before, record);
    attempt.ended = record.timeline.back().at;
    record.timeline.back().what = "attempt_ended";
    record.attempts.push_back(std::move(attempt));
    NextAttempt next;
    next.delay = delay_after(record.spec.retry, record.attempts.size(), observation.chance);
    next.at = observation.at + next.delay;
    record.next_attempt = next;
    record.phase = BatchPhase::attempt_ended;
}

void enter_ticket(BatchRecord& record, const BatchObservation& observation) {
    record.ticket = observation.ticket;
    record.ticket_data = observation.ticket_data;
    record.attempt = observation.attempt;
    record.application_id.clear();  // of the attempt before
    record.ui_url.clear();
    record.log_tail.clear();
    if (observation.launch) {
        record.spec = *observation.launch;
    }
    add_entry(record, "admitted", observation.at);
}

void apply_wish(BatchRecord& record, const BatchObservation& observation) {
    if (observation.event == BatchEvent::erase_requested) {
        record.erase_requested = true;
    }
    if (record.phase < BatchPhase::ended && !record.kill_requested) {
        record.kill_requested = true;
        add_entry(record, "kill_requested", observation.at, observation.reason);
    }
}

bool is_repeated_wish(const BatchRecord& record, BatchEvent event) {
    return (event == E::kill_requested && record.kill_requested) ||
           (event == E::erase_requested && record.erase_requested);
}

std::string event_name(const BatchRecord& before, const BatchRecord& after, BatchEvent event) {
    if (event == E::due) {
        return "batch.requeued";
    }
    if (before.phase != after.phase) {
        return "batch." + std::string(to_string(after.phase));
    }
    return event == E::kill_requested || (event == E::erase_requested && !before.kill_requested)
               ? "batch.kill_requested"
               : "batch.updated";
}

}  // namespace

std::span<const BatchEdge> batch_edges() {
    return edges;
}
std::span<const ApplicationEdge> application_edges() {
    return application_table;
}

std::string_view to_string(BatchEvent event) {
    switch (event) {
        case E::admitted:
            return "admitted";
        case E::refused:
            return "refused";
        case E::taken:
            return "taken";
        case E::process_started:
            return "process_started";
        case E::context_up:
            return "context_up";
        case E::ended:
            return "ended";
        case E::lost:
            return "lost";
        case E::kill_requested:
            return "kill_requested";
        case E::erase_requested:
            return "erase_requested";
        case E::released:
            return "released";
        case E::due:
            return "due";
        case E::progressed:
            return "progressed";
    }
    return "unknown";
}

std::string_view to_string(ApplicationState state) {
    switch (state) {
        case A::submitted:
            return "submitted";
        case A::started:
            return "started";
        case A::context_up:
            return "context_up";
        case A::ended:
            return "ended";
    }
    return "unknown";
}

std::vector<std::string> apply(BatchRecord& record, const BatchObservation& seen) {
    const BatchEdge* edge = find_edge(record.phase, seen.event);
    if (!edge || is_repeated_wish(record, seen.event)) {
        return {};
    }
    const BatchRecord before = record;
    BatchObservation observation = seen;
    observation.at = std::max(seen.at, record.updated);
    if (observation.event == E::kill_requested || observation.event == E::erase_requested) {
        apply_wish(record, observation);
    }
    if (observation.report) {
        add_report_times(record, *observation.report);
    }
    if (observation.event == E::admitted) {
        enter_ticket(record, observation);
    }
    if (observation.event == E::due) {
        record.next_attempt.reset();
        add_entry(record, "requeued", observation.at);
    }
    if (edge->to == P::submitted && edge->from != P::submitted) {
        add_entry(record, "submitted", observation.at);
    }
    if (edge->to == P::ended && edge->from != P::ended) {
        apply_end(record, observation);
        if (is_tried_again(record, observation)) {
            put_aside(record, before, observation);
        }
    } else {
        record.phase = edge->to;
    }
    if (record == before) {
        return {};
    }
    record.updated = observation.at;
    return {event_name(before, record, observation.event)};
}

std::optional<BatchObservation> interpret(const BatchRecord& record,
                                          const ApplicationStatus& report, Timestamp now) {
    BatchObservation observation;
    observation.at = now;
    observation.report = report;
    switch (report.state) {
        case A::submitted:
            observation.event = E::taken;
            break;
        case A::started:
            observation.event = E::process_started;
            break;
        case A::context_up:
            observation.event = E::context_up;
            break;
        case A::ended:
            observation.event = E::ended;
            break;
    }
    BatchRecord trial = record;
    if (!apply(trial, observation).empty()) {
        return observation;
    }
    observation.event = E::progressed;
    if (has_new_step(record, report.steps) && !apply(trial, observation).empty()) {
        return observation;
    }
    return std::nullopt;
}

BatchEffect next_effect(const BatchRecord& record, const BatchProgress& progress) {
    using F = BatchEffect;
    const bool kill_wanted = record.kill_requested && !progress.killing && !progress.kill_done &&
                             !progress.ending_itself;
    switch (record.phase) {
        case P::accepted:
            if (!progress.admitted) {
                return F::await_admission;
            }
            return progress.reserving ? F::none : F::reserve;
        case P::reserved:
            if (record.kill_requested) {
                return kill_wanted ? F::kill : F::none;
            }
            return progress.submitting || progress.submit_done ? F::none : F::submit;
        case P::submitted:
        case P::running:
            return kill_wanted ? F::kill : F::none;
        case P::waiting:
            return progress.awaiting_retry ? F::none : F::await_retry;
        case P::attempt_ended:
        case P::ended:
            // A submit still in flight must have come back before what it used is removed.
            return progress.releasing || progress.submitting || progress.killing ||
                           progress.unsettled
                       ? F::none
                       : F::release;
        case P::released:
            return record.erase_requested && !progress.erasing && !progress.unsettled ? F::erase
                                                                                      : F::none;
    }
    return F::none;
}

}  // namespace sparkhost::detail
