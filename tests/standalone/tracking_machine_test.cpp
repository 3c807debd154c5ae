// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/tracking_machine.hpp"
#include "backends/guarded/poll_machine.hpp"
#include "backends/standalone/submission_machine.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace sparkhost::test::alone {

using namespace detail::guarded;
using namespace detail::standalone;
using namespace std::chrono_literals;

namespace tracking_test {

using Do = TrackingDecision::Do;

TicketFacts facts_of(bool claimed, bool kill_requested = false, std::string error = {}) {
    TicketFacts facts;
    facts.prepared = true;
    facts.drivers = {"driver-1"};
    if (claimed) {
        facts.claimed = Timestamp{};
        facts.claimed_by = "driver-1";
    }
    facts.kill_requested = kill_requested;
    facts.error = std::move(error);
    return facts;
}

TrackingDecision decide(const TicketFacts& facts, DriverState state,
                        std::chrono::milliseconds missing_for = 0ms, std::string message = {}) {
    TrackingSight sight;
    sight.driver.state = state;
    sight.driver.message = std::move(message);
    sight.missing_for = missing_for;
    sight.since_kill = 10s;
    TrackingRules rules;
    rules.lost_after = 60s;
    rules.agent_address = "tcp:host:1";
    return decide_tracking(facts, sight, rules);
}

}  // namespace tracking_test

BOOST_AUTO_TEST_SUITE(standalone_machines)

using namespace tracking_test;

BOOST_AUTO_TEST_CASE(the_end_of_a_driver_that_had_its_claim_is_the_masters_word) {
    struct Row {
        DriverState state;
        bool kill_requested;
        std::string error;
        Outcome outcome;
    };
    const std::vector<Row> rows{{DriverState::finished, false, "", Outcome::success},
                                {DriverState::finished, true, "", Outcome::success},
                                {DriverState::failed, false, "", Outcome::failed},
                                {DriverState::failed, false, "java.lang.X: y", Outcome::failed},
                                {DriverState::failed, true, "", Outcome::killed},
                                {DriverState::failed, true, "java.lang.X: y", Outcome::failed},
                                {DriverState::error, false, "", Outcome::failed},
                                {DriverState::error, true, "", Outcome::killed},
                                {DriverState::killed, false, "", Outcome::killed},
                                {DriverState::killed, true, "", Outcome::killed}};
    for (const auto& row : rows) {
        const auto decision = decide(facts_of(true, row.kill_requested, row.error), row.state);
        BOOST_TEST((decision.what == Do::finish));
        BOOST_TEST(to_string(decision.end.outcome) == to_string(row.outcome));
        if (row.outcome == Outcome::failed && !row.error.empty()) {
            BOOST_TEST(decision.end.reason == row.error);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_a_driver_without_its_claim_takes_the_claim_first) {
    for (const auto state :
         {DriverState::finished, DriverState::failed, DriverState::error, DriverState::killed}) {
        const auto decision = decide(facts_of(false), state, 0ms, "no such jar");
        BOOST_TEST((decision.what == Do::seal));
        BOOST_TEST((decision.end.outcome != Outcome::success));
    }
    BOOST_TEST(decide(facts_of(false), DriverState::failed).end.reason.find("tcp:host:1") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_driver_that_no_master_knows_is_lost_only_after_a_while) {
    BOOST_TEST((decide(facts_of(true), DriverState::missing, 59s).what == Do::nothing));
    const auto lost = decide(facts_of(true), DriverState::missing, 60s);
    BOOST_TEST((lost.what == Do::finish));
    BOOST_TEST((lost.end.outcome == Outcome::unknown));
    BOOST_TEST((decide(facts_of(false), DriverState::missing, 60s).what == Do::seal));
    auto ended = facts_of(true);
    ended.main_ended = true;
    BOOST_TEST((decide(ended, DriverState::missing).end.outcome == Outcome::success));
    ended.error = "java.lang.X";
    BOOST_TEST((decide(ended, DriverState::missing).end.outcome == Outcome::failed));
}

BOOST_AUTO_TEST_CASE(a_main_that_has_returned_ended_well_though_the_master_was_away) {
    auto facts = facts_of(true);
    facts.main_ended = true;
    BOOST_TEST((decide(facts, DriverState::error).end.outcome == Outcome::success));
    BOOST_TEST((decide(facts, DriverState::failed).end.outcome == Outcome::failed));
}

BOOST_AUTO_TEST_CASE(what_runs_goes_on_and_a_kill_is_said_again) {
    BOOST_TEST((decide(facts_of(true), DriverState::running).what == Do::nothing));
    BOOST_TEST((decide(facts_of(true, true), DriverState::running).what == Do::kill_again));
    BOOST_TEST((decide(TicketFacts{}, DriverState::finished).what == Do::nothing));
}

BOOST_AUTO_TEST_CASE(nothing_is_posted_where_a_driver_is_known_or_the_claim_is_taken) {
    const SubmissionMachine machine;
    ClaimSight free;
    ClaimSight held;
    held.held = true;
    ClaimSight killed;
    killed.killed = true;
    TicketFacts empty;
    BOOST_TEST(std::holds_alternative<SubmissionStep>(machine.begin(empty, free)));
    BOOST_TEST(std::get<Result<void>>(machine.begin(empty, held)).has_value());
    BOOST_TEST(std::get<Result<void>>(machine.begin(facts_of(false), free)).has_value());
    const auto refused = std::get<Result<void>>(machine.begin(empty, killed));
    BOOST_TEST(refused.error().is(Errc::invalid_state));
    TicketFacts gave_up;
    gave_up.end = TicketEnd{Outcome::failed, {}, "no such thing", {}};
    const auto again = std::get<Result<void>>(machine.begin(gave_up, killed));
    BOOST_TEST(again.error().is(Errc::backend_failed));
}

BOOST_AUTO_TEST_CASE(a_refusal_counts_only_once_the_claim_is_taken) {
    SubmissionMachine machine;
    SubmissionAnswer answer;
    answer.verdict = SubmissionAnswer::Verdict::refused;
    answer.words = "no";
    const auto move = machine.posted(answer);
    BOOST_TEST((std::get<SubmissionStep>(move).what == SubmissionStep::Do::seal));
    ClaimSight held;
    held.held = true;
    BOOST_TEST(std::get<Result<void>>(machine.sealed(held)).has_value());
    BOOST_TEST(std::get<Result<void>>(machine.sealed({})).error().is(Errc::backend_failed));
    answer.verdict = SubmissionAnswer::Verdict::not_now;
    BOOST_TEST(std::get<Result<void>>(machine.posted(answer)).error().is(Errc::indeterminate));
}

BOOST_AUTO_TEST_CASE(looks_come_slower_while_nothing_changes_and_at_once_in_a_hurry) {
    PollMachine poll(1000ms, 10s);
    BOOST_TEST((poll.looked(true, 0ms) == 1000ms));
    BOOST_TEST((poll.looked(true, 0ms) == 1000ms));
    auto last = 0ms;
    for (int i = 0; i < 20; ++i) {
        const auto next = poll.looked(false, 0ms);
        BOOST_TEST((next >= last));
        last = next;
    }
    BOOST_TEST((last == 10s));
    poll.hurry();
    BOOST_TEST((poll.looked(false, 0ms) == 62ms));
    BOOST_TEST((poll.looked(false, 0ms) == 124ms));
}

BOOST_AUTO_TEST_CASE(looks_that_take_long_are_rare_whatever_the_hurry) {
    PollMachine poll(1000ms, 10s);
    poll.looked(true, 0ms);
    BOOST_TEST((poll.rest() == 62ms));
    poll.hurry();
    BOOST_TEST((poll.looked(true, 500ms) == 2000ms));
    BOOST_TEST((poll.rest() == 2000ms));
    poll.looked(true, 60s);
    BOOST_TEST((poll.rest() == 10s));
    poll.hurry();
    BOOST_TEST((poll.looked(true, 5ms) >= 62ms));
    BOOST_TEST((poll.rest() == 62ms));
}

BOOST_AUTO_TEST_CASE(a_kill_takes_nothing_back_that_is_newer_than_what_it_read) {
    auto known = facts_of(true);
    apply(known, {JournalLine::What::application, Timestamp{}, "app-1", "http://ui"});
    auto read = facts_of(true);  // before the report was on disk
    apply(read, {JournalLine::What::driver, Timestamp{}, "driver-0", {}});
    apply(read, {JournalLine::What::kill_requested, Timestamp{}, {}, {}});
    apply(read, {JournalLine::What::intended, Timestamp{}, "driver-2", {}});
    take_over_kill(known, read);
    BOOST_TEST(known.kill_requested);
    BOOST_TEST(known.intended == "driver-2");
    BOOST_TEST((known.drivers == std::vector<std::string>{"driver-1", "driver-0"}));
    BOOST_TEST(known.application_id == "app-1");
    BOOST_TEST((status_of("t", known).state == ApplicationState::context_up));
    TicketEnd killed;
    killed.outcome = Outcome::killed;
    read.end = killed;
    take_over_kill(known, read);
    BOOST_TEST((known.end == killed));
    TicketEnd later;
    later.outcome = Outcome::failed;
    read.end = later;
    take_over_kill(known, read);
    BOOST_TEST((known.end == killed));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::alone
