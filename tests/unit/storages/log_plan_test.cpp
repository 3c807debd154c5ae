// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/log_plan.hpp"

#include <boost/test/unit_test.hpp>

using sparkhost::detail::sqlite::LogPlan;

BOOST_AUTO_TEST_SUITE(log_plan)

BOOST_AUTO_TEST_CASE(a_short_log_is_left_alone) {
    LogPlan plan;
    BOOST_TEST(!plan.wants_move());
    plan.committed(LogPlan::step - 1);
    BOOST_TEST(!plan.wants_move());
    BOOST_TEST(!plan.wants_finish());
}

BOOST_AUTO_TEST_CASE(a_log_is_moved_step_by_step) {
    LogPlan plan;
    plan.committed(LogPlan::step);
    BOOST_TEST(plan.wants_move());
    plan.moved(LogPlan::step);
    BOOST_TEST(!plan.wants_move());
    plan.committed(2 * LogPlan::step);
    BOOST_TEST(plan.wants_move());
}

BOOST_AUTO_TEST_CASE(the_writer_finishes_when_little_is_left) {
    LogPlan plan;
    plan.committed(LogPlan::restart + 100);
    BOOST_TEST(!plan.wants_finish());
    plan.moved(LogPlan::restart + 100 - LogPlan::rest);
    BOOST_TEST(plan.wants_finish());
}

BOOST_AUTO_TEST_CASE(the_writer_does_not_finish_twice_in_a_row) {
    LogPlan plan;
    plan.committed(LogPlan::restart);
    plan.moved(LogPlan::restart);
    BOOST_TEST(plan.wants_finish());
    plan.finished();  // readers kept the log from starting anew
    plan.committed(LogPlan::restart + 1);
    BOOST_TEST(!plan.wants_finish());
    plan.committed(LogPlan::restart + LogPlan::step);
    plan.moved(LogPlan::restart + LogPlan::step);
    BOOST_TEST(plan.wants_finish());
}

BOOST_AUTO_TEST_CASE(a_log_that_started_anew_counts_from_zero) {
    LogPlan plan;
    plan.committed(LogPlan::restart);
    plan.moved(LogPlan::restart);
    plan.finished();
    plan.committed(3);
    BOOST_TEST(!plan.wants_move());
    BOOST_TEST(!plan.wants_finish());
    plan.moved(LogPlan::restart);  // a late report about the old log
    plan.committed(LogPlan::step);
    BOOST_TEST(plan.wants_move());
}

BOOST_AUTO_TEST_CASE(a_log_that_grew_too_long_is_finished_whatever_is_left) {
    LogPlan plan;
    plan.committed(LogPlan::ceiling);
    BOOST_TEST(plan.wants_finish());
}

BOOST_AUTO_TEST_CASE(a_failed_move_is_not_repeated_at_once) {
    LogPlan plan;
    plan.committed(LogPlan::step);
    plan.failed();
    BOOST_TEST(!plan.wants_move());
    plan.committed(2 * LogPlan::step);
    BOOST_TEST(plan.wants_move());
}

BOOST_AUTO_TEST_SUITE_END()
