// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/tracking_machine.hpp"

#include "backends/yarn/failure_words.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

using namespace detail::yarn;
using namespace std::chrono_literals;
using detail::guarded::JournalLine;
using detail::guarded::TicketFacts;

namespace tracking_test {

using Do = TrackingDecision::Do;

const std::string id = "application_1_0001";

TicketFacts facts_of(bool claimed, bool kill_requested = false, std::string error = {}) {
    TicketFacts facts;
    facts.prepared = true;
    facts.intended = id;
    facts.drivers = {id};
    if (claimed) {
        facts.claimed = Timestamp{};
        facts.claimed_by = id;
    }
    facts.kill_requested = kill_requested;
    facts.error = std::move(error);
    return facts;
}

AppSight app_in(AppState state, FinalStatus final_status = FinalStatus::undefined,
                std::string diagnostics = {}) {
    AppSight app;
    app.id = id;
    app.state = state;
    app.final_status = final_status;
    app.diagnostics = std::move(diagnostics);
    return app;
}

TrackingRules rules() {
    TrackingRules rules;
    rules.lost_after = 60s;
    rules.agent_address = "tcp:host:1";
    return rules;
}

TrackingDecision decide(const TicketFacts& facts, AppSight app) {
    TrackingSight sight;
    sight.app = std::move(app);
    sight.since_kill = 10s;
    return decide_tracking(facts, sight, rules());
}

TrackingDecision decide_missing(const TicketFacts& facts, std::chrono::milliseconds missing_for) {
    TrackingSight sight;
    sight.missing_for = missing_for;
    return decide_tracking(facts, sight, rules());
}

/// What a ResourceManager makes of an AM whose process has failed.
std::string am_failed(int code, const std::string& error_output) {
    const std::string number = std::to_string(code);
    return "Application " + id +
           " failed 1 times due to AM Container for appattempt_1_0001_000001 "
           "exited with  exitCode: " +
           number +
           "\nFailing this attempt.Diagnostics: [2026-11-20 "
           "20:20:55.629]Exception from container-launch.\nContainer id: container_1_0001_01_000001"
           "\nExit code: " +
           number +
           "\n\n[2026-11-20 20:20:55.699]Container exited with a "
           "non-zero exit code " +
           number +
           ". Error file: prelaunch.err.\nLast 4096 bytes of "
           "prelaunch.err :\nLast 4096 bytes of stderr :\n" +
           error_output +
           "\n\n\nFor more "
           "detailed output, check the application tracking page: http://rm/cluster/app/" +
           id + " Then click on links to logs of each attempt.\n. Failing the application.";
}

const std::string threw =
    "26/11/20 20:21:14 ERROR ApplicationMaster: User class threw exception: \n"
    "java.lang.IllegalStateException: boom (on purpose)\n\tat JPi.main(JPi.java:11)\n"
    "26/11/20 20:21:14 INFO ApplicationMaster: Final app status: FAILED, exitCode: 15, (reason: "
    "User class threw exception: java.lang.IllegalStateException: boom (on purpose)\n"
    "\tat JPi.main(JPi.java:11)\n)\n26/11/20 20:21:14 INFO SparkContext: Invoking stop()";
const std::string python_exited =
    "26/11/20 20:20:55 INFO ApplicationMaster: Final app status: FAILED, exitCode: 1, (reason: "
    "User application exited with status 1)\n26/11/20 20:20:55 INFO SparkContext: stopping";

}  // namespace tracking_test

BOOST_AUTO_TEST_SUITE(yarn_tracking_machine)

using namespace tracking_test;

BOOST_AUTO_TEST_CASE(the_end_of_an_application_that_had_its_claim_is_the_managers_word) {
    struct Row {
        AppState state;
        FinalStatus final_status;
        bool kill_requested;
        std::string error;
        Outcome outcome;
    };
    using S = AppState;
    using F = FinalStatus;
    const std::vector<Row> rows{{S::finished, F::succeeded, false, "", Outcome::success},
                                {S::finished, F::succeeded, true, "", Outcome::success},
                                {S::finished, F::failed, false, "", Outcome::failed},
                                {S::finished, F::failed, true, "", Outcome::killed},
                                {S::finished, F::failed, true, "java.lang.X: y", Outcome::failed},
                                {S::finished, F::undefined, false, "", Outcome::failed},
                                {S::finished, F::killed, false, "", Outcome::killed},
                                {S::failed, F::failed, false, "", Outcome::failed},
                                {S::failed, F::failed, false, "java.lang.X: y", Outcome::failed},
                                {S::failed, F::failed, true, "", Outcome::killed},
                                {S::killed, F::killed, false, "", Outcome::killed},
                                {S::killed, F::killed, true, "java.lang.X: y", Outcome::killed}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& row = rows[i];
        BOOST_TEST_CONTEXT("row " << i) {
            const auto decision = decide(facts_of(true, row.kill_requested, row.error),
                                         app_in(row.state, row.final_status));
            BOOST_TEST((decision.what == Do::finish));
            BOOST_TEST(to_string(decision.end.outcome) == to_string(row.outcome));
            BOOST_TEST((decision.end.exit_code == 0) == (row.outcome == Outcome::success));
            if (row.outcome == Outcome::failed && !row.error.empty()) {
                BOOST_TEST(decision.end.reason == row.error);
                BOOST_TEST(!decision.look_into_log);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_an_application_without_its_claim_takes_the_claim_first) {
    for (const auto state : {AppState::finished, AppState::failed, AppState::killed}) {
        const auto decision = decide(facts_of(false), app_in(state, FinalStatus::succeeded));
        BOOST_TEST((decision.what == Do::seal));
        BOOST_TEST((decision.end.outcome != Outcome::success));
    }
    const auto blind =
        decide(facts_of(false), app_in(AppState::failed, FinalStatus::failed, am_failed(1, "")));
    BOOST_TEST(blind.end.reason.find("tcp:host:1") != std::string::npos);
    BOOST_TEST((blind.end.exit_code == 1));
    const auto queue =
        decide(facts_of(false),
               app_in(AppState::failed, FinalStatus::failed,
                      "Application " + id + " submitted by user u to unknown queue: nope"));
    BOOST_TEST(queue.end.reason ==
               "the application could not be started: submitted by user u to unknown queue: nope");
    const auto killed = decide(facts_of(false, true), app_in(AppState::failed));
    BOOST_TEST((killed.end.outcome == Outcome::killed));
}

BOOST_AUTO_TEST_CASE(an_application_that_no_manager_knows_is_lost_only_after_a_while) {
    BOOST_TEST((decide_missing(facts_of(true), 59s).what == Do::nothing));
    const auto lost = decide_missing(facts_of(true), 60s);
    BOOST_TEST((lost.what == Do::finish));
    BOOST_TEST((lost.end.outcome == Outcome::unknown));
    BOOST_TEST((decide_missing(facts_of(true, true), 60s).end.outcome == Outcome::killed));
    const auto never = decide_missing(facts_of(false), 60s);
    BOOST_TEST((never.what == Do::seal));
    BOOST_TEST((never.end.outcome == Outcome::failed));
    auto ended = facts_of(true);
    ended.main_ended = true;
    BOOST_TEST((decide_missing(ended, 59s).what == Do::nothing));
    BOOST_TEST((decide_missing(ended, 60s).end.outcome == Outcome::success));
    ended.error = "java.lang.X";
    BOOST_TEST((decide_missing(ended, 60s).end.outcome == Outcome::failed));
    BOOST_TEST(decide_missing(ended, 60s).end.reason == "java.lang.X");
}

BOOST_AUTO_TEST_CASE(what_runs_goes_on_and_a_kill_is_said_again) {
    for (const auto state : {AppState::submitted, AppState::accepted, AppState::running}) {
        BOOST_TEST((decide(facts_of(true), app_in(state)).what == Do::nothing));
        BOOST_TEST((decide(facts_of(true, true), app_in(state)).what == Do::kill_again));
    }
    TrackingSight just_told;
    just_told.app = app_in(AppState::running);
    just_told.since_kill = 9s;
    BOOST_TEST((decide_tracking(facts_of(true, true), just_told, rules()).what == Do::nothing));
    TicketFacts unknown;
    unknown.intended = id;  // it may not have been posted
    BOOST_TEST((decide(unknown, app_in(AppState::finished)).what == Do::nothing));
}

BOOST_AUTO_TEST_CASE(what_is_killed_is_over_when_its_process_is) {
    TicketFacts facts = facts_of(true, true);
    facts.guard_is_there = true;
    TrackingSight sight;
    sight.app = app_in(AppState::killed);
    BOOST_TEST((decide_tracking(facts, sight, rules()).what == Do::nothing), "it is about to die");
    sight.over_for = 10s;
    BOOST_TEST((decide_tracking(facts, sight, rules()).what == Do::finish), "for ever");
    sight.over_for = 0s;
    facts.guard_is_there = false;
    BOOST_TEST((decide_tracking(facts, sight, rules()).what == Do::finish), "it has died");
    facts.guard_is_there = true;
    sight.app = app_in(AppState::finished, FinalStatus::succeeded);
    BOOST_TEST((decide_tracking(facts, sight, rules()).what == Do::finish), "it went by itself");
}

BOOST_AUTO_TEST_CASE(the_log_is_looked_into_where_neither_guard_nor_diagnostics_say_why) {
    struct Row {
        std::string error;
        std::string output;
        bool look;
        std::string reason;
    };
    const std::string of_interpreter =
        "org.apache.spark.SparkUserAppException: User application exited with 1";
    const std::vector<Row> rows{
        {"java.lang.X: y", python_exited, false, "java.lang.X: y"},
        {of_interpreter, python_exited, true, "User application exited with status 1"},
        {"", threw, false, "java.lang.IllegalStateException: boom (on purpose)"},
        {of_interpreter, threw, false, "java.lang.IllegalStateException: boom (on purpose)"}};
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.error << " / " << row.output) {
            const auto decision =
                decide(facts_of(true, false, row.error),
                       app_in(AppState::failed, FinalStatus::failed, am_failed(1, row.output)));
            BOOST_TEST(decision.look_into_log == row.look);
            BOOST_TEST(decision.end.reason == row.reason);
        }
    }
}

BOOST_AUTO_TEST_CASE(diagnostics_have_the_exit_code_and_the_most_telling_words) {
    struct Row {
        std::string diagnostics;
        std::optional<int> exit_code;
        std::string reason;
        bool telling;
    };
    const std::vector<Row> rows{
        {"", {}, "", false},
        {am_failed(15, threw), 15, "java.lang.IllegalStateException: boom (on purpose)", true},
        {am_failed(1, python_exited), 1, "User application exited with status 1", false},
        {am_failed(13,
                   "ERROR ApplicationMaster: Uncaught exception: \n"
                   "java.lang.ClassNotFoundException: NoSuchClass\n\tat java.base/x"),
         13, "java.lang.ClassNotFoundException: NoSuchClass", true},
        {am_failed(1, "Error: Could not find or load main class org.apache.spark.deploy.yarn.X"), 1,
         "Error: Could not find or load main class org.apache.spark.deploy.yarn.X", true},
        {"User class threw exception: java.lang.X: y\n\tat z", {}, "java.lang.X: y", true},
        {"User application exited with status 3", 3, "User application exited with status 3",
         false},
        {"Application " + id +
             " failed 1 times due to AM Container for appattempt_1_0001_000001 exited with  "
             "exitCode: -1000\nFailing this attempt.Diagnostics: [2026-11-20 20:20:55.629]File "
             "does not exist: hdfs://n:8020/user/sparkhost/app.jar\njava.io.FileNotFoundException",
         {},
         "File does not exist: hdfs://n:8020/user/sparkhost/app.jar",
         true},
        {"Application " + id +
             " failed 1 times due to AM Container for appattempt_1_0001_000001 exited with  "
             "exitCode: -104\nFailing this attempt.Diagnostics: [2026-11-20 20:20:55.629]Container "
             "[pid=1,containerID=container_1_0001_01_000001] is running 9B beyond the 'PHYSICAL' "
             "memory limit. Current usage: 1.0 GB of 1 GB physical memory used.\nDump",
         {},
         "is running 9B beyond the 'PHYSICAL' memory limit. Current usage: 1.0 GB of 1 GB physical "
         "memory used.",
         true}};
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.diagnostics) {
            const auto words = failure_words(row.diagnostics);
            BOOST_TEST((words.exit_code == row.exit_code));
            BOOST_TEST(words.reason == row.reason);
            BOOST_TEST(words.telling == row.telling);
        }
    }
}

BOOST_AUTO_TEST_CASE(words_from_a_cluster_are_short_and_text) {
    const auto words = failure_words("User class threw exception: \xff" + std::string(5000, 'x'));
    BOOST_TEST(words.reason.size() <= 1010u);
    BOOST_TEST(words.reason.find('\xff') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_same_reason_to_wait_has_the_same_words) {
    const std::string figures =
        " Details : AM Partition = <DEFAULT_PARTITION> ; Queue's Absolute "
        "used capacity = ";
    const std::string first =
        "[Sun Nov 22 10:00:00 +0000 2026] Application is added to the "
        "scheduler and is not yet activated. Queue's AM resource limit "
        "exceeded. " +
        figures + "90.0 % ; ";
    BOOST_TEST(waiting_words(first) ==
               "Application is added to the scheduler and is not yet activated. Queue's AM "
               "resource limit exceeded.");
    BOOST_TEST(waiting_words("AM container is launched, waiting for AM container to Register") ==
               "");
    BOOST_TEST(waiting_words("") == "");

    auto facts = facts_of(false);
    auto app = app_in(AppState::accepted, FinalStatus::undefined, first);
    BOOST_TEST(!news_of(facts, app, false).has_value());  // perhaps it is taken at once
    const auto line = news_of(facts, app, true);
    BOOST_TEST_REQUIRE(line.has_value());
    apply(facts, *line);
    app.diagnostics = "[Sun Nov 22 11:00:00 +0000 2026]" + first.substr(first.find(']') + 1);
    BOOST_TEST(!news_of(facts, app, true).has_value());
    app.am_container = "container_1_0001_01_000001";
    app.am_host = "node:8042";
    facts.worker = log_place(app);
    app.diagnostics = "[…] Something else";
    BOOST_TEST(!news_of(facts, app, true).has_value());
}

BOOST_AUTO_TEST_CASE(where_it_runs_is_written_down_once_for_its_log) {
    auto facts = facts_of(false);
    auto app = app_in(AppState::accepted);
    app.am_container = "container_e08_1_0001_01_000001";
    app.user = "alice";
    BOOST_TEST(!news_of(facts, app, false).has_value());
    app.am_host = "node:8042";
    const auto line = news_of(facts, app, false);
    BOOST_TEST_REQUIRE(line.has_value());
    apply(facts, *line);
    BOOST_TEST(facts.worker == "node:8042/container_e08_1_0001_01_000001/alice");
    BOOST_TEST(!news_of(facts, app, false).has_value());
}

BOOST_AUTO_TEST_CASE(an_application_that_runs_has_its_context_and_the_managers_address) {
    auto app = app_in(AppState::running);
    app.tracking_url = "http://rm:8088/proxy/application_1_0001/";
    BOOST_TEST(!news_of(facts_of(false), app, true).has_value());
    auto facts = facts_of(true);
    apply(facts, {JournalLine::What::application, {}, id, "http://node:4040"});  // the guard's
    const auto line = news_of(facts, app, true);
    BOOST_TEST_REQUIRE(line.has_value());
    apply(facts, *line);
    BOOST_TEST(facts.ui_url == app.tracking_url);
    BOOST_TEST(!news_of(facts, app, true).has_value());
    app.tracking_url = "N/A";
    BOOST_TEST(!news_of(facts, app, true).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
