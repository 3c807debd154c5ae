// SPDX-License-Identifier: Apache-2.0
#include "core/session_machine.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <map>
#include <string>

namespace sparkhost::detail {

namespace session_machine_test {

using S = StatementState;
using E = StatementEvent;
using A = SessionState;
using Words = std::vector<std::string>;

constexpr std::array all_statement_states{S::waiting, S::running, S::cancelling, S::cancelled,
                                          S::available};
constexpr std::array all_statement_events{E::begun, E::cancel_requested, E::finished, E::cancelled};

Timestamp moment(int seconds) {
    return Timestamp(std::chrono::seconds(seconds));
}

StatementRecord statement_in(S state) {
    StatementRecord record;
    record.spec.code = "1";
    if (state == S::running) {
        record.started = moment(1);
    }
    record.cancel_requested = state == S::cancelling;
    if (state == S::cancelled || state == S::available) {
        record.result.emplace();
        record.result->outcome =
            state == S::cancelled ? StatementOutcome::cancelled : StatementOutcome::ok;
    }
    return record;
}

StatementObservation observation_of(E event) {
    StatementObservation observation;
    observation.event = event;
    observation.at = moment(9);
    if (event == E::cancelled) {
        observation.result.outcome = StatementOutcome::cancelled;
    }
    return observation;
}

/// state × event, written down by hand; what is not here changes nothing.
const std::map<std::pair<S, E>, S>& wanted() {
    static const std::map<std::pair<S, E>, S> table{
        {{S::waiting, E::begun}, S::running},
        {{S::waiting, E::cancel_requested}, S::cancelling},
        {{S::waiting, E::finished}, S::available},
        {{S::waiting, E::cancelled}, S::cancelled},
        {{S::running, E::cancel_requested}, S::cancelling},
        {{S::running, E::finished}, S::available},
        {{S::running, E::cancelled}, S::cancelled},
        {{S::cancelling, E::begun}, S::cancelling},
        {{S::cancelling, E::finished}, S::available},
        {{S::cancelling, E::cancelled}, S::cancelled},
    };
    return table;
}

/// A session as it looks in this state, with `open` statements.
SessionRecord session_in(A state) {
    SessionRecord record;
    record.application.phase = BatchPhase::running;
    if (state != A::starting) {
        record.facts.emplace();
    }
    record.open_statements = state == A::busy ? 1 : 0;
    record.application.kill_requested = state == A::shutting_down;
    return record;
}

/// Does to a session what the event stands for.
void happen(SessionRecord& record, std::string_view event) {
    auto end = [&](Outcome outcome) {
        record.application.phase = BatchPhase::ended;
        record.application.outcome = outcome;
    };
    if (event == "ready" || event == "ready_with_work") {
        record.facts.emplace();
        record.open_statements = event == "ready" ? 0 : 2;
    } else if (event == "statement_accepted") {
        ++record.open_statements;
    } else if (event == "last_statement_ended") {
        record.open_statements = 0;
    } else if (event == "end_requested") {
        record.application.kill_requested = true;
    } else if (event == "ended") {
        end(Outcome::success);
    } else if (event == "killed") {
        end(Outcome::killed);
    } else if (event == "failed") {
        end(Outcome::failed);
    } else {
        BOOST_ERROR("an event that nobody knows: " << event);
    }
}

BOOST_AUTO_TEST_SUITE(session_machine_suite)

BOOST_AUTO_TEST_CASE(a_statement_moves_as_the_table_says_and_in_no_other_way) {
    for (const auto state : all_statement_states) {
        for (const auto event : all_statement_events) {
            BOOST_TEST_CONTEXT(to_string(state) << " " << to_string(event)) {
                const auto before = statement_in(state);
                auto record = before;
                const bool changed = apply(record, observation_of(event));
                const auto found = wanted().find({state, event});
                BOOST_TEST(changed == (found != wanted().end()));
                BOOST_TEST((record.state() == (found == wanted().end() ? state : found->second)));
                BOOST_TEST(changed == !(record == before));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_session_moves_as_the_table_says) {
    BOOST_TEST(session_edges().size() >= 15u);
    for (const auto& edge : session_edges()) {
        BOOST_TEST_CONTEXT(to_string(edge.from) << " " << edge.event) {
            auto record = session_in(edge.from);
            BOOST_TEST_REQUIRE((record.state() == edge.from));
            happen(record, edge.event);
            BOOST_TEST((record.state() == edge.to));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_later_cancel_may_only_shorten_the_time_of_the_session) {
    auto record = statement_in(S::running);
    auto cancel = observation_of(E::cancel_requested);
    BOOST_TEST(apply(record, cancel));
    BOOST_TEST(!apply(record, cancel));
    cancel.end_session_after = std::chrono::seconds{5};
    BOOST_TEST(apply(record, cancel));
    cancel.end_session_after = std::chrono::seconds{9};
    BOOST_TEST(!apply(record, cancel));
    cancel.end_session_after = std::chrono::seconds{2};
    BOOST_TEST(apply(record, cancel));
    BOOST_TEST((record.end_session_after == std::chrono::seconds{2}));
}

BOOST_AUTO_TEST_CASE(the_first_begin_and_the_end_leave_their_times) {
    auto record = statement_in(S::waiting);
    apply(record, observation_of(E::begun));
    BOOST_TEST((record.started == moment(9)));
    auto again = observation_of(E::begun);
    again.at = moment(10);
    BOOST_TEST(!apply(record, again));
    apply(record, ended_with({}, moment(11)));
    BOOST_TEST((record.completed == moment(11)));
    BOOST_TEST(record.progress == 1.0);
}

BOOST_AUTO_TEST_CASE(a_claim_is_for_one_agent_and_not_for_a_session_that_is_to_end) {
    SessionPart part;
    BatchRecord application;
    application.phase = BatchPhase::submitted;
    SessionObservation claim;
    claim.event = SessionEvent::claimed;
    claim.nonce = "a";
    claim.resume_hash = "h1";
    BOOST_TEST(apply(part, application, claim, moment(1)) == Words{"session.claimed"},
               boost::test_tools::per_element());
    claim.resume_hash = "h2";  // the same agent, whose first grant was lost
    BOOST_TEST(apply(part, application, claim, moment(2)).size() == 1u);
    BOOST_TEST(part.resume_hash == "h2");
    claim.nonce = "b";
    BOOST_TEST(apply(part, application, claim, moment(3)).empty());
    BOOST_TEST(part.nonce == "a");

    SessionPart wanted_dead;
    application.kill_requested = true;
    BOOST_TEST(apply(wanted_dead, application, claim, moment(3)).empty());
    BOOST_TEST(wanted_dead.nonce == "");
    application.kill_requested = false;
    application.phase = BatchPhase::ended;
    BOOST_TEST(apply(wanted_dead, application, claim, moment(3)).empty());
}

BOOST_AUTO_TEST_CASE(that_spark_is_there_is_known_once) {
    SessionPart part;
    BatchRecord application;
    application.phase = BatchPhase::running;
    SessionObservation ready;
    ready.event = SessionEvent::ready;
    ready.facts.application_id = "local-1";
    ready.facts.ui_url = "http://ui";
    BOOST_TEST(apply(part, application, ready, moment(4)) == Words{"session.ready"},
               boost::test_tools::per_element());
    BOOST_TEST(application.application_id == "local-1");
    BOOST_TEST(application.ui_url == "http://ui");
    BOOST_TEST(application.timeline.back().what == "ready");
    BOOST_TEST(apply(part, application, ready, moment(5)).empty());
}

BOOST_AUTO_TEST_CASE(the_first_reason_of_an_end_counts_and_is_told_with_the_backends) {
    SessionPart part;
    BatchRecord application;
    application.phase = BatchPhase::running;
    SessionObservation ending;
    ending.event = SessionEvent::ending;
    BOOST_TEST(apply(part, application, ending, moment(1)).empty());
    ending.reason = "idle for 5 s";
    BOOST_TEST(apply(part, application, ending, moment(1)).size() == 1u);
    ending.reason = "its agent has ended";
    BOOST_TEST(apply(part, application, ending, moment(1)).empty());
    application.reason = "exit status 0";
    explain_end(part, application);
    BOOST_TEST(application.reason == "idle for 5 s (exit status 0)");

    SessionPart silent;
    BatchRecord other;
    other.reason = "killed by SIGKILL";
    explain_end(silent, other);
    BOOST_TEST(other.reason == "killed by SIGKILL");
}

BOOST_AUTO_TEST_CASE(a_reason_that_comes_after_the_end_is_still_told) {
    SessionPart part;
    BatchRecord application;
    application.phase = BatchPhase::ended;
    application.reason = "exit status 13";
    SessionObservation ending;
    ending.event = SessionEvent::ending;
    ending.reason = "Spark could not be started";
    BOOST_TEST(apply(part, application, ending, moment(1)).size() == 1u);
    BOOST_TEST(application.reason == "Spark could not be started (exit status 13)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace session_machine_test

}  // namespace sparkhost::detail
