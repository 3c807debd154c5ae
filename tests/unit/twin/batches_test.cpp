// SPDX-License-Identifier: Apache-2.0

// Batches in the deterministic twin: hosts die at every effect, and their successors, too.

#include "twin.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::twin {

namespace batches_test {

void expect_nothing_wrong(const Scenario& scenario, const Reach& reach) {
    const auto found = explore(scenario, reach);
    for (const auto& violation : found.violations) {
        BOOST_ERROR(violation.text);
    }
    BOOST_TEST(found.schedules > 1u);
    BOOST_TEST_MESSAGE("twin: " << found.schedules << " schedules of: " << scenario.name);
}

Scenario submit_and(Step step) {
    Scenario scenario;
    scenario.name = "submit, " + step.name + " at each effect";
    scenario.steps = {submits(spec_of("", "key")), meddling(std::move(step))};
    return scenario;
}

/// At each effect a request, a delay and a crash; of the second crashes a sample.
Reach meddling_reach() {
    Reach reach;
    reach.meddles = true;
    reach.holds_meddled = true;
    reach.stride = 61;
    return reach;
}

Reach delays_only() {
    Reach reach;
    reach.meddles = true;
    reach.delays = true;
    reach.crashes = false;
    return reach;
}

Reach jumps_only() {
    Reach reach;
    reach.crashes = false;
    reach.jumps = {std::chrono::hours(5), std::chrono::hours(-5)};
    return reach;
}

Scenario retention() {
    Scenario scenario;
    scenario.name = "retention";
    scenario.steps = {submits(spec_of())};
    scenario.forgets = true;
    scenario.configure = [](HostOptions& options) {
        options.batch_retention = std::chrono::seconds(60);
    };
    scenario.move = [](Twin& twin) { return twin.pass_time(std::chrono::minutes(3)); };
    return scenario;
}

BOOST_AUTO_TEST_SUITE(twin_batches)

BOOST_AUTO_TEST_CASE(a_batch_is_submitted_once_and_its_end_is_known) {
    Scenario scenario;
    scenario.name = "submit";
    scenario.steps = {submits(spec_of())};
    Reach reach;
    reach.jumps = {std::chrono::hours(5), std::chrono::hours(-5)};
    expect_nothing_wrong(scenario, reach);
}

BOOST_AUTO_TEST_CASE(a_request_that_is_repeated_with_its_key_is_answered_with_the_first_batch) {
    Scenario scenario;
    scenario.name = "submit with a repeated key";
    scenario.steps = {submits(spec_of("nightly", "key")), submits(spec_of("nightly", "key"))};
    Reach reach;
    reach.jumps = {std::chrono::hours(5), std::chrono::hours(-5)};
    expect_nothing_wrong(scenario, reach);
}

BOOST_AUTO_TEST_CASE(a_kill_that_was_answered_is_final) {
    expect_nothing_wrong(submit_and(kills(BatchId{0})), meddling_reach());
}

BOOST_AUTO_TEST_CASE(a_kill_that_was_answered_is_final_whatever_is_delayed) {
    expect_nothing_wrong(submit_and(kills(BatchId{0})), delays_only());
}

BOOST_AUTO_TEST_CASE(a_batch_that_was_deleted_does_not_come_back) {
    expect_nothing_wrong(submit_and(erases(BatchId{0})), meddling_reach());
}

BOOST_AUTO_TEST_CASE(a_kill_that_overtakes_the_acceptance_is_not_forgotten) {
    for (const auto& each : {kills(BatchId{0}), erases(BatchId{0})}) {
        Schedule schedule;
        schedule.meddled = schedule.held = 2;  // it is stored, and the host does not know yet
        for (const auto& violation : run(submit_and(each), schedule).violations) {
            BOOST_ERROR(violation.text);
        }
    }
}

BOOST_AUTO_TEST_CASE(two_batches_take_turns_in_one_slot) {
    Scenario scenario;
    scenario.name = "two batches and one slot";
    scenario.steps = {submits(spec_of("", "a")), submits(spec_of("", "b"))};
    scenario.configure = [](HostOptions& options) { options.max_running = 1; };
    scenario.set_up = [](Twin& twin) { twin.programs["batch-1"] = {Outcome::failed, 3}; };
    Reach reach;
    reach.stride = 5;
    expect_nothing_wrong(scenario, reach);
}

BOOST_AUTO_TEST_CASE(a_batch_that_its_backend_refuses_ends_as_failed) {
    for (const char* operation : {"reserve", "submit"}) {
        Scenario scenario;
        scenario.name = std::string("refused by ") + operation;
        scenario.steps = {submits(spec_of())};
        scenario.set_up = [operation](Twin& twin) {
            twin.applications->cluster->fail_next(operation, Errc::backend_failed, never);
        };
        expect_nothing_wrong(scenario, {});
    }
}

BOOST_AUTO_TEST_CASE(what_has_been_kept_for_long_enough_is_erased) {
    Scenario scenario = retention();
    scenario.check = [](Twin& twin) {
        if (twin.stored() != 0) {
            twin.complain(Fault::stuck, "it is kept for too long");
        }
    };
    Reach reach;
    reach.stride = 3;
    expect_nothing_wrong(scenario, reach);
}

BOOST_AUTO_TEST_CASE(a_wall_clock_that_jumps_erases_nothing_that_has_not_ended) {
    expect_nothing_wrong(retention(), jumps_only());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace batches_test

}  // namespace sparkhost::twin
