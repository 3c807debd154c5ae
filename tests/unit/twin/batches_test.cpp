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
    BOOST_TEST_MESSAGE("twin: " << found.schedules << " schedules of: " << scenario.name);
}

}  // namespace batches_test

BOOST_AUTO_TEST_SUITE(twin_batches)

BOOST_AUTO_TEST_CASE(a_batch_is_submitted_once_and_its_end_is_known) {
    Scenario scenario;
    scenario.name = "submit";
    scenario.steps = {submits(spec_of())};
    batches_test::expect_nothing_wrong(scenario, {});
}

BOOST_AUTO_TEST_CASE(a_request_that_is_repeated_with_its_key_is_answered_with_the_first_batch) {
    Scenario scenario;
    scenario.name = "submit with a repeated key";
    scenario.steps = {submits(spec_of("nightly", "key")), submits(spec_of("nightly", "key"))};
    batches_test::expect_nothing_wrong(scenario, {});
}

BOOST_AUTO_TEST_CASE(a_kill_that_was_answered_is_final) {
    Scenario scenario;
    scenario.name = "submit, kill at each effect";
    scenario.steps = {submits(spec_of("", "key")), meddling(kills(BatchId{0}))};
    Reach reach;
    reach.meddles = true;
    reach.delays = true;
    reach.holds_meddled = true;
    reach.stride = 5;
    batches_test::expect_nothing_wrong(scenario, reach);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::twin
