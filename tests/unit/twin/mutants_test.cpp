// SPDX-License-Identifier: Apache-2.0

// The twin finds what it is there to find: hosts with one fault each.

#include "mutants.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::twin {

namespace mutants_test {

void expect_found(Scenario scenario, Reach reach, Mutation mutation, Fault fault) {
    const auto sound = explore(scenario, reach);
    BOOST_TEST(sound.violations.empty(), "the scenario fails without the fault, too");
    reach.sought = fault;
    scenario.mutation = std::move(mutation);
    const auto found = explore(scenario, reach);
    BOOST_TEST(found.found(fault), "it has not been found to be: " << to_word(fault));
    BOOST_TEST_MESSAGE("found in "
                       << found.schedules << " schedules: "
                       << (found.violations.empty() ? "" : found.violations.back().text));
}

Reach once() {
    Reach reach;
    reach.twice = false;
    return reach;
}

Scenario one_batch() {
    Scenario scenario;
    scenario.name = "submit";
    scenario.steps = {submits(spec_of())};
    return scenario;
}

BOOST_AUTO_TEST_SUITE(twin_mutants)

BOOST_AUTO_TEST_CASE(a_host_that_submits_before_it_persists_the_ticket_starts_a_batch_twice) {
    expect_found(one_batch(), once(), submits_before_persisting_the_ticket(), Fault::doubled);
}

BOOST_AUTO_TEST_CASE(a_host_that_forgets_to_persist_the_ticket_starts_a_batch_twice) {
    expect_found(one_batch(), once(), forgets_to_persist_the_ticket(), Fault::doubled);
}

BOOST_AUTO_TEST_CASE(a_host_that_acknowledges_before_the_commit_loses_a_batch) {
    Scenario scenario;
    scenario.name = "two batches and one slot";
    scenario.steps = {submits(spec_of()), submits(spec_of())};
    scenario.configure = [](HostOptions& options) { options.max_running = 1; };
    expect_found(scenario, once(), acknowledges_before_the_commit(), Fault::lost);
}

BOOST_AUTO_TEST_CASE(a_host_that_mints_a_new_token_at_recovery_starts_a_batch_twice) {
    expect_found(one_batch(), once(), mints_a_new_token_at_recovery(), Fault::doubled);
}

BOOST_AUTO_TEST_CASE(a_kill_that_ignores_an_inflight_submit_is_found_out) {
    Scenario scenario;
    scenario.name = "submit, kill while it is on its way";
    scenario.steps = {submits(spec_of()), meddling(kills(BatchId{0}))};
    Reach reach;
    reach.crashes = false;
    reach.meddles = true;
    reach.holds_meddled = true;
    expect_found(scenario, reach, kill_ignores_an_inflight_submit(), Fault::started_after_kill);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mutants_test

}  // namespace sparkhost::twin
