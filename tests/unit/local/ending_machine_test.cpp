// SPDX-License-Identifier: Apache-2.0
#include "supervisor/ending_machine.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace {

using sparkhost::supervisor::EndingMachine;
using Step = EndingMachine::Step;
using std::chrono::milliseconds;

constexpr EndingMachine::Time begin{std::chrono::seconds{100}};
constexpr milliseconds grace{500};

}  // namespace

BOOST_AUTO_TEST_SUITE(ending_machine)

BOOST_AUTO_TEST_CASE(while_the_driver_runs_nothing_is_due) {
    EndingMachine machine(grace);
    BOOST_TEST(!machine.deadline().has_value());
    BOOST_CHECK(machine.on_time(begin) == Step::none);
    BOOST_CHECK(machine.on_orphans() == Step::none);
}

BOOST_AUTO_TEST_CASE(a_kill_terminates_the_group_and_after_the_grace_kills_all) {
    EndingMachine machine(grace);
    BOOST_CHECK(machine.on_kill_requested(begin) == Step::terminate_group);
    BOOST_CHECK(machine.deadline() == begin + grace);
    BOOST_CHECK(machine.on_time(begin + grace - milliseconds{1}) == Step::none);
    BOOST_CHECK(machine.on_time(begin + grace) == Step::kill_all);
    BOOST_CHECK(machine.on_time(begin + 2 * grace) == Step::none);
    BOOST_TEST(!machine.deadline().has_value());
}

BOOST_AUTO_TEST_CASE(a_second_kill_changes_nothing) {
    EndingMachine machine(grace);
    machine.on_kill_requested(begin);
    BOOST_CHECK(machine.on_kill_requested(begin + milliseconds{100}) == Step::none);
    BOOST_CHECK(machine.deadline() == begin + grace);
}

BOOST_AUTO_TEST_CASE(what_a_driver_leaves_behind_is_terminated_and_after_the_grace_killed) {
    EndingMachine machine(grace);
    BOOST_CHECK(machine.on_child_over(begin) == Step::terminate_all);
    BOOST_CHECK(machine.on_orphans() == Step::none);
    BOOST_CHECK(machine.on_kill_requested(begin) == Step::none);
    BOOST_CHECK(machine.on_time(begin + grace) == Step::kill_all);
}

BOOST_AUTO_TEST_CASE(a_driver_that_obeys_does_not_prolong_the_grace) {
    EndingMachine machine(grace);
    machine.on_kill_requested(begin);
    BOOST_CHECK(machine.on_child_over(begin + milliseconds{400}) == Step::terminate_all);
    BOOST_CHECK(machine.deadline() == begin + grace);
}

BOOST_AUTO_TEST_CASE(after_the_grace_whatever_appears_is_killed) {
    EndingMachine machine(grace);
    machine.on_kill_requested(begin);
    machine.on_time(begin + grace);
    BOOST_CHECK(machine.on_orphans() == Step::kill_all);
    BOOST_CHECK(machine.on_child_over(begin + grace) == Step::kill_all);
    BOOST_CHECK(machine.on_orphans() == Step::kill_all);
}

BOOST_AUTO_TEST_CASE(no_grace_kills_at_once) {
    EndingMachine machine(milliseconds{0});
    machine.on_kill_requested(begin);
    BOOST_CHECK(machine.on_time(begin) == Step::kill_all);
}

BOOST_AUTO_TEST_SUITE_END()
