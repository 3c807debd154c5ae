// SPDX-License-Identifier: Apache-2.0
#include "rest/conditional.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace std::chrono_literals;
using detail::rest::parse_if_none_match;
using detail::rest::parse_target;
using detail::rest::parse_wait;

BOOST_AUTO_TEST_SUITE(rest_conditional)

BOOST_AUTO_TEST_CASE(tags_match_the_versions_they_name) {
    struct Row {
        std::string header;
        bool given;
        std::vector<std::int64_t> matching;
        std::vector<std::int64_t> others;
    };
    const std::vector<Row> rows{
        {"", false, {}, {0, 1}},
        {"\"7\"", true, {7}, {0, 6, 77}},
        {"W/\"7\"", true, {7}, {6}},
        {" \"1\" ,\t\"2\", W/\"3\"", true, {1, 2, 3}, {0, 4}},
        {"*", true, {0, 1, 99}, {}},
        {"7", true, {}, {7}},
        {"\"x\"", true, {}, {0}},
        {"\"\"", true, {}, {0}},
        {"\"7", true, {}, {7}},
        {"\"7x\"", true, {}, {7}},
        {"\"99999999999999999999\"", true, {}, {0}},
        {",,", false, {}, {0}},
    };
    for (const Row& row : rows) {
        BOOST_TEST_CONTEXT(row.header) {
            const auto tags = parse_if_none_match(row.header);
            BOOST_TEST(tags.given == row.given);
            for (const auto version : row.matching) {
                BOOST_TEST(tags.matches(version), version);
            }
            for (const auto version : row.others) {
                BOOST_TEST(!tags.matches(version), version);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(without_a_duration_nobody_waits) {
    const auto wait = parse_wait<BatchState>(*parse_target("/x?state=nonsense"), 300s, true);
    BOOST_TEST_REQUIRE(wait.has_value());
    BOOST_TEST(!wait->duration.has_value());
    BOOST_TEST(!wait->not_state.has_value());
}

BOOST_AUTO_TEST_CASE(durations_are_whole_seconds_cut_to_the_longest) {
    BOOST_TEST((parse_wait<BatchState>(*parse_target("/x?wait=30"), 300s, true)->duration == 30s));
    BOOST_TEST((parse_wait<BatchState>(*parse_target("/x?wait=30s"), 300s, true)->duration == 30s));
    BOOST_TEST((parse_wait<BatchState>(*parse_target("/x?wait=0"), 300s, true)->duration == 0s));
    BOOST_TEST((parse_wait<BatchState>(*parse_target("/x?wait=4000000000"), 300s, true)->duration ==
                300s));
}

BOOST_AUTO_TEST_CASE(a_state_to_leave_can_stand_for_a_tag) {
    const auto wait = parse_wait<BatchState>(*parse_target("/x?wait=1&state=running"), 300s, false);
    BOOST_TEST_REQUIRE(wait.has_value());
    BOOST_TEST((wait->not_state == BatchState::running));
}

BOOST_AUTO_TEST_CASE(each_kind_of_object_has_its_own_states) {
    const auto session = parse_wait<SessionState>(*parse_target("/x?wait=1&state=busy"), 9s, false);
    BOOST_TEST((session->not_state == SessionState::busy));
    const auto statement =
        parse_wait<StatementState>(*parse_target("/x?wait=1&state=waiting"), 9s, false);
    BOOST_TEST((statement->not_state == StatementState::waiting));
    const auto words = [](const auto& refused) { return refused.error().detail; };
    const auto target = *parse_target("/x?wait=1&state=running");
    BOOST_TEST(parse_wait<BatchState>(target, 9s, false).has_value());
    BOOST_TEST(parse_wait<StatementState>(target, 9s, false).has_value());
    BOOST_TEST(words(parse_wait<SessionState>(target, 9s, false)) ==
               "'running' is not a state of a session; use starting, idle, busy, shutting_down, "
               "success, dead or killed");
    BOOST_TEST(words(parse_wait<StatementState>(*parse_target("/x?wait=1&state=ok"), 9s, false)) ==
               "'ok' is not a state of a statement; use waiting, running, cancelling, cancelled or "
               "available");
    BOOST_TEST(words(parse_wait<BatchState>(*parse_target("/x?wait=1&state=idle"), 9s, false)) ==
               "'idle' is not a state of a batch; use starting, running, success, dead or killed");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_waited_for_is_refused_with_its_field) {
    struct Row {
        std::string target;
        bool conditional;
        std::string field;
    };
    const std::vector<Row> rows{
        {"/x?wait=", true, "wait"},
        {"/x?wait=s", true, "wait"},
        {"/x?wait=-1", true, "wait"},
        {"/x?wait=1.5", true, "wait"},
        {"/x?wait=1m", true, "wait"},
        {"/x?wait=30ss", true, "wait"},
        {"/x?wait=99999999999", true, "wait"},
        {"/x?wait=30", false, "wait"},
        {"/x?wait=30&state=", true, "state"},
        {"/x?wait=30&state=idle", false, "state"},
        {"/x?wait=30&state=RUNNING", false, "state"},
    };
    for (const Row& row : rows) {
        BOOST_TEST_CONTEXT(row.target) {
            const auto wait =
                parse_wait<BatchState>(*parse_target(row.target), 300s, row.conditional);
            BOOST_TEST_REQUIRE(wait.has_error());
            BOOST_TEST(wait.error().is(Errc::invalid_argument));
            BOOST_TEST(wait.error().field == row.field);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
