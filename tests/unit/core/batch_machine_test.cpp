// SPDX-License-Identifier: Apache-2.0
#include "core/batch_machine.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>

namespace sparkhost::detail {

namespace batch_machine_test {

using P = BatchPhase;
using E = BatchEvent;
using A = ApplicationState;

constexpr std::array all_phases{P::accepted,      P::reserved, P::submitted, P::running,
                                P::attempt_ended, P::waiting,  P::ended,     P::released};
constexpr std::array all_events{E::admitted,        E::refused,  E::taken, E::process_started,
                                E::context_up,      E::ended,    E::lost,  E::kill_requested,
                                E::erase_requested, E::released, E::due,   E::progressed};
constexpr std::array all_application_states{A::submitted, A::started, A::context_up, A::ended};

Timestamp at(int seconds) {
    return Timestamp(std::chrono::seconds(seconds));
}

/// A record as it looks in this phase.
BatchRecord record_in(P phase) {
    BatchRecord record;
    record.id = BatchId{7};
    record.version = 5;
    record.spec.file = "/job.py";
    record.phase = phase;
    record.timeline.push_back({"accepted", at(1), {}});
    if (phase >= P::reserved) {
        record.ticket = "t-7-1";
        record.attempt = 1;
    }
    if (phase == P::attempt_ended || phase == P::waiting) {
        record.spec.retry.max_attempts = 2;
        record.attempts.push_back({.ticket = "t-7-1", .outcome = Outcome::failed, .ended = at(2)});
        record.next_attempt = NextAttempt{at(12), std::chrono::seconds(10)};
        record.timeline.push_back({"attempt_ended", at(2), {}});
    }
    if (phase >= P::ended) {
        record.outcome = Outcome::success;
    }
    return record;
}

ApplicationStatus report_of(A state) {
    ApplicationStatus report;
    report.ticket = "t-7-1";
    report.state = state;
    if (state >= A::started) {
        report.started = at(20);
    }
    if (state >= A::context_up) {
        report.context_up = at(30);
        report.application_id = "app-1";
        report.ui_url = "http://ui";
    }
    if (state == A::ended) {
        report.ended = at(40);
        report.outcome = Outcome::failed;
        report.exit_code = 3;
        report.reason = "boom";
    }
    return report;
}

BatchObservation observation_of(E event) {
    BatchObservation observation;
    observation.event = event;
    observation.at = at(100);
    observation.reason = "why";
    switch (event) {
        case E::admitted:
            observation.ticket = "t-7-1";
            observation.ticket_data = "data";
            observation.attempt = 1;
            break;
        case E::process_started:
            observation.report = report_of(A::started);
            break;
        case E::context_up:
            observation.report = report_of(A::context_up);
            break;
        case E::ended:
            observation.report = report_of(A::ended);
            break;
        case E::progressed:
            observation.report = report_of(A::submitted);
            observation.report->steps = {{"scheduled", at(10), "node-1"}};
            break;
        default:
            break;
    }
    return observation;
}

/// phase × event, written down by hand; what is not here is ignored.
const std::map<std::pair<P, E>, P>& table() {
    static const std::map<std::pair<P, E>, P> wanted{
        {{P::accepted, E::admitted}, P::reserved},
        {{P::accepted, E::refused}, P::ended},
        {{P::accepted, E::kill_requested}, P::ended},
        {{P::accepted, E::erase_requested}, P::ended},
        {{P::reserved, E::taken}, P::submitted},
        {{P::reserved, E::refused}, P::ended},
        {{P::reserved, E::process_started}, P::running},
        {{P::reserved, E::context_up}, P::running},
        {{P::reserved, E::ended}, P::ended},
        {{P::reserved, E::kill_requested}, P::reserved},
        {{P::reserved, E::erase_requested}, P::reserved},
        {{P::submitted, E::process_started}, P::running},
        {{P::submitted, E::context_up}, P::running},
        {{P::submitted, E::ended}, P::ended},
        {{P::submitted, E::lost}, P::ended},
        {{P::submitted, E::kill_requested}, P::submitted},
        {{P::submitted, E::erase_requested}, P::submitted},
        {{P::submitted, E::progressed}, P::submitted},
        {{P::running, E::progressed}, P::running},
        {{P::running, E::context_up}, P::running},
        {{P::running, E::ended}, P::ended},
        {{P::running, E::lost}, P::ended},
        {{P::running, E::kill_requested}, P::running},
        {{P::running, E::erase_requested}, P::running},
        {{P::attempt_ended, E::released}, P::waiting},
        {{P::attempt_ended, E::kill_requested}, P::ended},
        {{P::attempt_ended, E::erase_requested}, P::ended},
        {{P::waiting, E::due}, P::accepted},
        {{P::waiting, E::kill_requested}, P::ended},
        {{P::waiting, E::erase_requested}, P::ended},
        {{P::ended, E::released}, P::released},
        {{P::ended, E::erase_requested}, P::ended},
        {{P::released, E::erase_requested}, P::released},
    };
    return wanted;
}

std::vector<std::string> steps_of(const BatchRecord& record) {
    std::vector<std::string> steps;
    for (const auto& entry : record.timeline) {
        steps.push_back(entry.what);
    }
    return steps;
}

}  // namespace batch_machine_test

using namespace batch_machine_test;

BOOST_AUTO_TEST_SUITE(batch_machine)

BOOST_AUTO_TEST_CASE(every_phase_answers_every_event_as_the_table_says) {
    for (const auto phase : all_phases) {
        for (const auto event : all_events) {
            BOOST_TEST_CONTEXT(to_string(phase) << " + " << to_string(event)) {
                const auto wanted = table().find({phase, event});
                const auto before = record_in(phase);
                auto record = before;
                const auto events = apply(record, observation_of(event));
                if (wanted == table().end()) {
                    BOOST_TEST(events.empty());
                    BOOST_TEST(record == before);
                } else {
                    BOOST_TEST(events.size() == 1u);
                    BOOST_TEST(record.phase == wanted->second);
                    BOOST_TEST((record.updated == at(100)));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_edges_are_the_table) {
    std::size_t retried = 0;
    for (const auto& edge : batch_edges()) {
        BOOST_TEST_CONTEXT(to_string(edge.from) << " + " << to_string(edge.event)) {
            const auto wanted = table().find({edge.from, edge.event});
            BOOST_TEST_REQUIRE((wanted != table().end()));
            const bool again = edge.to == P::attempt_ended;
            BOOST_TEST(edge.to == (again ? P::attempt_ended : wanted->second));
            retried += again ? 1 : 0;
        }
    }
    BOOST_TEST(retried == 7u);
    BOOST_TEST(batch_edges().size() == table().size() + retried);
}

BOOST_AUTO_TEST_CASE(an_end_leads_on_where_the_batch_is_to_be_tried_again) {
    for (const auto& edge : batch_edges()) {
        if (edge.to != P::attempt_ended) {
            continue;
        }
        BOOST_TEST_CONTEXT(to_string(edge.from) << " + " << to_string(edge.event)) {
            auto record = record_in(edge.from);
            record.spec.retry.max_attempts = 2;
            record.spec.retry.delay = std::chrono::seconds(10);
            record.spec.retry.jitter = 0.5;
            record.spec.retry.causes = {RetryCause::failed, RetryCause::not_started,
                                        RetryCause::unknown};
            const auto single = apply(record, observation_of(edge.event));
            BOOST_TEST(single == std::vector<std::string>{"batch.attempt_ended"},
                       boost::test_tools::per_element());
            BOOST_TEST(record.phase == P::attempt_ended);
            BOOST_TEST(!record.has_ended());
            BOOST_TEST(record.outcome == Outcome::none);
            BOOST_TEST(record.reason == "");
            BOOST_TEST(!record.exit_code);
            BOOST_TEST_REQUIRE(record.attempts.size() == 1u);
            BOOST_TEST(record.attempts[0].ticket == (edge.from == P::accepted ? "" : "t-7-1"));
            BOOST_TEST(record.attempts[0].outcome ==
                       (edge.event == E::lost ? Outcome::unknown : Outcome::failed));
            BOOST_TEST(!record.attempts[0].reason.empty());
            BOOST_TEST((record.next_attempt->at == at(110)));
            BOOST_TEST(steps_of(record).back() == "attempt_ended");
        }
    }
}

BOOST_AUTO_TEST_CASE(what_was_killed_or_can_never_run_is_not_tried_again) {
    const auto end_of = [](P phase, BatchObservation observation, auto change) {
        auto record = record_in(phase);
        record.spec.retry.max_attempts = 3;
        change(record, observation);
        apply(record, observation);
        return record.phase;
    };
    const auto nothing = [](auto&, auto&) {};
    const auto wished = [](auto& record, auto&) { record.kill_requested = true; };
    BOOST_TEST(end_of(P::running, observation_of(E::ended), nothing) == P::attempt_ended);
    BOOST_TEST(end_of(P::running, observation_of(E::ended), wished) == P::ended);
    BOOST_TEST(end_of(P::reserved, observation_of(E::refused), wished) == P::ended);
    BOOST_TEST(end_of(P::running, observation_of(E::lost), nothing) == P::ended);
    BOOST_TEST(end_of(P::running, observation_of(E::ended), [](auto&, auto& seen) {
                   seen.report->outcome = Outcome::killed;
               }) == P::ended);
    BOOST_TEST(end_of(P::running, observation_of(E::ended), [](auto&, auto& seen) {
                   seen.report->outcome = Outcome::success;
               }) == P::ended);
    BOOST_TEST(end_of(P::accepted, observation_of(E::refused),
                      [](auto&, auto& seen) { seen.hopeless = true; }) == P::ended);
    BOOST_TEST(end_of(P::running, observation_of(E::ended), [](auto& record, auto&) {
                   record.spec.retry.causes = {RetryCause::not_started};
               }) == P::ended);
    BOOST_TEST(end_of(P::reserved, observation_of(E::refused), [](auto& record, auto&) {
                   record.spec.retry.causes = {RetryCause::failed};
               }) == P::ended);
    BOOST_TEST(end_of(P::running, observation_of(E::ended),
                      [](auto& record, auto&) { record.attempts.resize(2); }) == P::ended);
}

BOOST_AUTO_TEST_CASE(a_second_attempt_has_steps_and_a_ticket_of_its_own) {
    auto record = record_in(P::waiting);
    apply(record, observation_of(E::due));
    BOOST_TEST(!record.next_attempt);
    BOOST_TEST(record.ticket == "t-7-1");
    record.application_id = "app-1";
    auto admitted = observation_of(E::admitted);
    admitted.ticket = "t-7-2";
    admitted.attempt = 2;
    apply(record, admitted);
    BOOST_TEST(record.ticket == "t-7-2");
    BOOST_TEST(record.attempt == 2);
    BOOST_TEST(record.application_id == "");
    for (const auto event : {E::taken, E::process_started, E::context_up, E::ended}) {
        apply(record, observation_of(event));
    }
    BOOST_TEST(record.phase == P::ended);
    BOOST_TEST(record.outcome == Outcome::failed);
    const std::vector<std::string> wanted{"accepted",  "attempt_ended",   "requeued",   "admitted",
                                          "submitted", "process_started", "context_up", "ended"};
    BOOST_TEST(steps_of(record) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_shown_never_goes_back_however_often_it_is_tried) {
    auto record = record_in(P::accepted);
    record.spec.retry.max_attempts = 3;
    std::vector<BatchState> seen{record.state()};
    for (int attempt = 1; attempt <= 3; ++attempt) {
        for (const auto event :
             {E::admitted, E::taken, E::process_started, E::ended, E::released, E::due}) {
            apply(record, observation_of(event));
            seen.push_back(record.state());
        }
    }
    BOOST_TEST(std::is_sorted(seen.begin(), seen.end()));
    BOOST_TEST(seen.back() == BatchState::dead);
    BOOST_TEST(record.phase == P::released);
    BOOST_TEST(record.attempts.size() == 2u);
}

BOOST_AUTO_TEST_CASE(no_edge_goes_back) {
    for (const auto& edge : batch_edges()) {
        const bool next_attempt = edge.event == E::due;
        BOOST_TEST((next_attempt || edge.to >= edge.from));
    }
    for (const auto& edge : application_edges()) {
        BOOST_TEST(edge.to > edge.from);
    }
}

BOOST_AUTO_TEST_CASE(events_are_named_by_the_phase_entered_or_by_what_changed) {
    const std::map<std::pair<P, E>, std::string> names{
        {{P::accepted, E::admitted}, "batch.reserved"},
        {{P::accepted, E::kill_requested}, "batch.ended"},
        {{P::reserved, E::taken}, "batch.submitted"},
        {{P::reserved, E::kill_requested}, "batch.kill_requested"},
        {{P::submitted, E::erase_requested}, "batch.kill_requested"},
        {{P::submitted, E::process_started}, "batch.running"},
        {{P::running, E::context_up}, "batch.updated"},
        {{P::submitted, E::progressed}, "batch.updated"},
        {{P::running, E::ended}, "batch.ended"},
        {{P::running, E::lost}, "batch.ended"},
        {{P::ended, E::released}, "batch.released"},
        {{P::released, E::erase_requested}, "batch.updated"},
    };
    for (const auto& [key, name] : names) {
        BOOST_TEST_CONTEXT(to_string(key.first) << " + " << to_string(key.second)) {
            auto record = record_in(key.first);
            if (key.first == P::released) {
                record.kill_requested = true;
            }
            const auto events = apply(record, observation_of(key.second));
            BOOST_TEST_REQUIRE(events.size() == 1u);
            BOOST_TEST(events.front() == name);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_wish_said_again_changes_nothing) {
    for (const auto phase : {P::reserved, P::submitted, P::running}) {
        for (const auto wish : {E::kill_requested, E::erase_requested}) {
            auto record = record_in(phase);
            BOOST_TEST(apply(record, observation_of(wish)).size() == 1u);
            BOOST_TEST(record.kill_requested);
            BOOST_TEST(record.erase_requested == (wish == E::erase_requested));
            BOOST_TEST(apply(record, observation_of(wish)).empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_batch_killed_in_the_queue_is_killed_and_says_why) {
    auto record = record_in(P::accepted);
    apply(record, observation_of(E::kill_requested));
    BOOST_TEST(record.outcome == Outcome::killed);
    BOOST_TEST(record.kill_requested);
    BOOST_TEST(!record.reason.empty());
    const std::vector<std::string> wanted{"accepted", "kill_requested", "ended"};
    BOOST_TEST(steps_of(record) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_ends_without_a_report_is_failed_unknown_or_killed) {
    struct Row {
        P phase;
        E event;
        bool kill_requested;
        Outcome outcome;
    };
    const std::vector<Row> rows{
        {P::accepted, E::refused, false, Outcome::failed},
        {P::reserved, E::refused, false, Outcome::failed},
        {P::reserved, E::refused, true, Outcome::killed},
        {P::submitted, E::lost, false, Outcome::unknown},
        {P::submitted, E::lost, true, Outcome::killed},
        {P::running, E::lost, false, Outcome::unknown},
        {P::running, E::ended, true, Outcome::failed},  // the report knows best
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(to_string(row.phase) << " + " << to_string(row.event)) {
            auto record = record_in(row.phase);
            record.kill_requested = row.kill_requested;
            apply(record, observation_of(row.event));
            BOOST_TEST(record.outcome == row.outcome);
        }
    }
}

BOOST_AUTO_TEST_CASE(admission_enters_the_ticket) {
    auto record = record_in(P::accepted);
    apply(record, observation_of(E::admitted));
    BOOST_TEST(record.ticket == "t-7-1");
    BOOST_TEST(record.ticket_data == "data");
    BOOST_TEST(record.attempt == 1);
}

BOOST_AUTO_TEST_CASE(an_end_whose_states_before_were_never_seen_still_tells_their_times) {
    auto record = record_in(P::submitted);
    apply(record, observation_of(E::ended));
    const std::vector<std::string> wanted{"accepted", "process_started", "context_up", "ended"};
    BOOST_TEST(steps_of(record) == wanted, boost::test_tools::per_element());
    BOOST_TEST((record.timeline[1].at == at(20)));
    BOOST_TEST((record.timeline[2].at == at(30)));
    BOOST_TEST((record.timeline[3].at == at(40)));
    BOOST_TEST(record.application_id == "app-1");
    BOOST_TEST(record.ui_url == "http://ui");
    BOOST_TEST(*record.exit_code == 3);
    BOOST_TEST(record.reason == "boom");
}

BOOST_AUTO_TEST_CASE(a_whole_life_has_each_step_once_in_order) {
    auto record = record_in(P::accepted);
    for (const auto event : {E::admitted, E::taken, E::process_started, E::context_up,
                             E::context_up, E::kill_requested, E::ended, E::released}) {
        apply(record, observation_of(event));
    }
    const std::vector<std::string> wanted{
        "accepted",   "admitted",       "submitted", "process_started",
        "context_up", "kill_requested", "ended"};
    BOOST_TEST(steps_of(record) == wanted, boost::test_tools::per_element());
    BOOST_TEST(record.phase == P::released);
}

BOOST_AUTO_TEST_CASE(a_report_that_tells_nothing_new_is_no_observation) {
    for (const auto phase : all_phases) {
        for (const auto state : all_application_states) {
            BOOST_TEST_CONTEXT(to_string(phase) << " + " << to_string(state)) {
                const bool over = phase >= P::attempt_ended;
                const bool known = (phase == P::submitted && state == A::submitted) ||
                                   (phase == P::running && state <= A::started);
                const bool ticketless = phase == P::accepted;
                const auto observation = interpret(record_in(phase), report_of(state), at(100));
                BOOST_TEST(observation.has_value() == !(over || known || ticketless));
                if (observation) {
                    BOOST_TEST((observation->at == at(100)));
                    BOOST_TEST((observation->report == report_of(state)));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_same_context_reported_again_is_nothing_new) {
    auto record = record_in(P::running);
    auto first = interpret(record, report_of(A::context_up), at(100));
    BOOST_TEST_REQUIRE(first.has_value());
    apply(record, *first);
    BOOST_TEST(!interpret(record, report_of(A::context_up), at(101)).has_value());
}

BOOST_AUTO_TEST_CASE(effects_follow_from_phase_wish_and_progress) {
    using F = BatchEffect;
    struct Row {
        P phase;
        bool kill;
        BatchProgress progress;
        F effect;
    };
    const BatchProgress none{};
    const std::vector<Row> rows{
        {P::accepted, false, none, F::await_admission},
        {P::accepted, false, {.admitted = true}, F::reserve},
        {P::accepted, false, {.admitted = true, .reserving = true}, F::none},
        {P::reserved, false, none, F::submit},
        {P::reserved, false, {.submitting = true}, F::none},
        {P::reserved, false, {.submit_done = true}, F::none},
        {P::reserved, true, none, F::kill},
        {P::reserved, true, {.submitting = true}, F::kill},
        {P::reserved, true, {.submitting = true, .killing = true}, F::none},
        {P::reserved, true, {.kill_done = true}, F::none},
        {P::submitted, false, none, F::none},
        {P::submitted, true, none, F::kill},
        {P::submitted, true, {.killing = true}, F::none},
        {P::submitted, true, {.kill_done = true}, F::none},
        {P::running, false, none, F::none},
        {P::running, true, none, F::kill},
        {P::running, true, {.killing = true}, F::none},
        {P::running, true, {.kill_done = true}, F::none},
        {P::running, true, {.ending_itself = true}, F::none},
        {P::attempt_ended, false, none, F::release},
        {P::attempt_ended, false, {.releasing = true}, F::none},
        {P::attempt_ended, false, {.submitting = true}, F::none},
        {P::attempt_ended, false, {.killing = true}, F::none},
        {P::waiting, false, none, F::await_retry},
        {P::waiting, false, {.awaiting_retry = true}, F::none},
        {P::ended, false, {.unsettled = true}, F::none},
        {P::ended, false, none, F::release},
        {P::ended, true, none, F::release},
        {P::ended, false, {.releasing = true}, F::none},
        {P::ended, false, {.submitting = true}, F::none},
        {P::ended, true, {.killing = true}, F::none},
        {P::released, false, none, F::none},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(to_string(row.phase) << (row.kill ? " kill" : "")) {
            auto record = record_in(row.phase);
            record.kill_requested = row.kill;
            BOOST_TEST((next_effect(record, row.progress) == row.effect));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_erase_wish_is_done_once_the_batch_is_released) {
    auto record = record_in(P::released);
    record.erase_requested = true;
    BOOST_TEST((next_effect(record, {}) == BatchEffect::erase));
    BOOST_TEST((next_effect(record, {.erasing = true}) == BatchEffect::none));
    BOOST_TEST((next_effect(record, {.unsettled = true}) == BatchEffect::none));
    record.phase = P::ended;
    BOOST_TEST((next_effect(record, {}) == BatchEffect::release));
}

BOOST_AUTO_TEST_CASE(no_submit_ever_follows_a_kill_wish) {
    for (const auto phase : all_phases) {
        if (phase == P::accepted || phase == P::waiting) {
            continue;  // the wish has ended it
        }
        for (unsigned bits = 0; bits < 256; ++bits) {
            BatchProgress progress;
            progress.admitted = bits & 1u;
            progress.reserving = bits & 2u;
            progress.submitting = bits & 4u;
            progress.submit_done = bits & 8u;
            progress.killing = bits & 16u;
            progress.kill_done = bits & 32u;
            progress.releasing = bits & 64u;
            progress.erasing = bits & 128u;
            auto record = record_in(phase);
            record.kill_requested = true;
            const auto effect = next_effect(record, progress);
            BOOST_TEST((effect != BatchEffect::submit && effect != BatchEffect::reserve));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
