// SPDX-License-Identifier: Apache-2.0
#include "backends/local/application_tracker.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::detail::local {

namespace {

Timestamp at(int milliseconds) {
    return Timestamp(std::chrono::milliseconds(milliseconds));
}

ApplicationTracker tracked(std::string_view journal) {
    ApplicationTracker tracker("t-1");
    for (const auto& entry : parse_journal(journal)) {
        tracker.apply(entry);
    }
    return tracker;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(application_tracker)

BOOST_AUTO_TEST_CASE(each_line_moves_the_report_forward) {
    struct Row {
        const char* line;
        bool changes;
        ApplicationState state;
    };
    const Row rows[] = {
        {"1 claimed 10 20 boot", false, ApplicationState::submitted},
        {"2 process 11 21", false, ApplicationState::submitted},
        {"3 started", true, ApplicationState::started},
        {"3 started", false, ApplicationState::started},
        {"4 connected 3.5.9", false, ApplicationState::started},
        {"5 application local-1", true, ApplicationState::context_up},
        {"5 state RUNNING", false, ApplicationState::context_up},
        {"6 application local-2", false, ApplicationState::context_up},
        {"3 started", false, ApplicationState::context_up},
        {"7 ended exit 0", true, ApplicationState::ended},
        {"8 ended exit 1", false, ApplicationState::ended},
    };
    ApplicationTracker tracker("t-1");
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.line) {
            BOOST_TEST(tracker.apply(*parse_journal_line(row.line)) == row.changes);
            BOOST_TEST(tracker.status().state == row.state);
        }
    }
    ApplicationStatus expected;
    expected.ticket = "t-1";
    expected.state = ApplicationState::ended;
    expected.outcome = Outcome::success;
    expected.exit_code = 0;
    expected.application_id = "local-1";
    expected.started = at(3);
    expected.context_up = at(5);
    expected.ended = at(7);
    BOOST_TEST(tracker.status() == expected);
}

BOOST_AUTO_TEST_CASE(the_end_becomes_an_outcome) {
    struct Row {
        const char* journal;
        Outcome outcome;
        int exit_code;
        const char* reason;
    };
    const Row rows[] = {
        {"1 started\n2 ended exit 0\n", Outcome::success, 0, ""},
        {"1 started\n2 ended exit 3\n", Outcome::failed, 3, "the driver exited with status 3"},
        {"1 started\n2 ended signal 9\n", Outcome::failed, 137, "the driver was ended by signal 9"},
        {"1 exec_failed 2 /x: No such file\n2 ended failed 127\n", Outcome::failed, 127,
         "the driver could not be started: /x: No such file"},
        {"1 ended failed 126\n", Outcome::failed, 126, "the driver could not be started"},
        {"1 started\n2 kill_requested\n3 ended signal 15\n", Outcome::killed, 143,
         "killed on request"},
        {"1 started\n2 kill_requested\n3 ended exit 0\n", Outcome::killed, 0, "killed on request"},
        {"1 started\n2 state KILLED\n3 ended exit 0\n", Outcome::success, 0, ""},
        {"1 started\n2 kill_requested\n3 ended unknown\n", Outcome::unknown, -1,
         "the supervisor was killed; how the application ended is not known"},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.journal) {
            const auto tracker = tracked(row.journal);
            BOOST_TEST(tracker.has_ended());
            BOOST_TEST(tracker.status().outcome == row.outcome);
            BOOST_TEST(tracker.status().exit_code.value_or(-1) == row.exit_code);
            BOOST_TEST(tracker.status().reason == row.reason);
        }
    }
}

BOOST_AUTO_TEST_CASE(only_failures_are_explained) {
    auto failed = tracked("1 ended exit 1\n");
    failed.explain("SomeError: x");
    BOOST_TEST(failed.status().reason == "the driver exited with status 1: SomeError: x");
    auto again = tracked("1 ended exit 1\n");
    again.explain("");
    BOOST_TEST(again.status().reason == "the driver exited with status 1");
    auto killed = tracked("1 kill_requested\n2 ended exit 1\n");
    killed.explain("SomeError: x");
    BOOST_TEST(killed.status().reason == "killed on request");
}

BOOST_AUTO_TEST_CASE(a_killed_claim_ends_what_never_started) {
    ApplicationTracker tracker("t-1");
    tracker.apply_killed_before_start(at(9));
    BOOST_TEST(tracker.status().outcome == Outcome::killed);
    BOOST_TEST((tracker.status().ended == at(9)));
    BOOST_TEST(tracker.status().reason == "killed before it was started");
    BOOST_TEST(!tracker.status().exit_code.has_value());
    tracker.apply_killed_before_start(at(10));
    BOOST_TEST((tracker.status().ended == at(9)));
}

BOOST_AUTO_TEST_CASE(the_telling_line_of_a_log_is_found) {
    struct Row {
        std::string log;
        std::string line;
    };
    const Row rows[] = {
        {"", ""},
        {"all is well\n", ""},
        {"Traceback (most recent call last):\n  File \"a.py\", line 1\n"
         "ZeroDivisionError: division by zero\n",
         "ZeroDivisionError: division by zero"},
        {"java.lang.IllegalStateException: no\n\tat org.Error.main(A.java:1)\n",
         "java.lang.IllegalStateException: no"},
        {"26/11/21 ERROR Main: Exception in task\nshutting down\n",
         "26/11/21 ERROR Main: Exception in task"},
        {"ValueError: first\nINFO 0 Errors counted\n", "ValueError: first"},
        {"ValueError: first\nKeyError: 'second'\n", "KeyError: 'second'"},
        {"KeyError: without an end of line", "KeyError: without an end of line"},
        {"KeyError: cr\r\n", "KeyError: cr"},
        {"AssertionError\n", "AssertionError"},
        {"KeyError: \xFF\n", "KeyError: \xEF\xBF\xBD"},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.log) {
            BOOST_TEST(last_error_line(row.log) == row.line);
        }
    }
    BOOST_TEST(last_error_line("KeyError: " + std::string(5000, 'x')).size() == 1000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::local
