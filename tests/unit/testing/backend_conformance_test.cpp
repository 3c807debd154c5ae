// SPDX-License-Identifier: Apache-2.0
#include "broken_backends.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>

namespace sparkhost::testing {
namespace backend_conformance_test {

/// What the kit says about a backend in one case; empty: it conforms.
std::string verdict(const std::string& name, test::FakeBackendFixture::Make make,
                    BackendConformanceOptions options = {}) {
    const auto cases = backend_conformance_cases(options);
    const auto found = std::find_if(cases.begin(), cases.end(),
                                    [&](const auto& each) { return each.name == name; });
    BOOST_TEST_REQUIRE((found != cases.end()), "there is no case " << name);
    test::FakeBackendFixture fixture(std::move(make));
    try {
        run_backend_case(*found, fixture);
    } catch (const ConformanceFailure& failure) {
        return failure.what();
    }
    return {};
}

template <class Broken>
std::unique_ptr<Backend> make(std::shared_ptr<test::FakeWorld> world) {
    return std::make_unique<Broken>(std::move(world));
}

struct Row {
    const char* what;
    test::FakeBackendFixture::Make make;
    const char* name;
    const char* words;  ///< part of the verdict
};

BackendConformanceOptions hasty() {
    return {.race_rounds = 4, .patience = std::chrono::milliseconds(300)};
}

void expect_verdicts(const std::vector<Row>& rows, const BackendConformanceOptions& options = {}) {
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.what << " in " << row.name) {
            const auto text = verdict(row.name, row.make, options);
            BOOST_TEST((text.find(row.words) != std::string::npos), "the verdict is: " << text);
        }
    }
}

}  // namespace backend_conformance_test

BOOST_AUTO_TEST_SUITE(backend_conformance)

namespace kit = backend_conformance_test;

BOOST_AUTO_TEST_CASE(names_of_cases_are_unique) {
    std::set<std::string> names;
    for (const auto& each : backend_conformance_cases()) {
        BOOST_TEST(names.insert(each.name).second, each.name);
    }
    BOOST_TEST(names.size() >= 45u);
}

BOOST_AUTO_TEST_CASE(declared_deviations_leave_cases_out) {
    const auto has = [](const BackendConformanceOptions& options, const std::string& name) {
        const auto cases = backend_conformance_cases(options);
        return std::any_of(cases.begin(), cases.end(),
                           [&](const auto& each) { return each.name == name; });
    };
    BOOST_TEST(has({}, "the_context_is_reported"));
    BOOST_TEST(!has({.reports_context = false}, "the_context_is_reported"));
    BOOST_TEST(!has({.keeps_stores_apart = false}, "another_store_sees_nothing_of_this_one"));
    BOOST_TEST(!has({.serves_logs = false}, "the_log_has_what_was_printed"));
    BOOST_TEST(has({.serves_logs = false}, "logs_are_declared_as_not_served"));
}

BOOST_AUTO_TEST_CASE(a_wrong_declaration_is_noticed) {
    const auto text =
        kit::verdict("it_has_a_name", kit::make<test::PlayingBackend>, {.serves_logs = false});
    BOOST_TEST((text.find("serves_logs") != std::string::npos), text);
}

BOOST_AUTO_TEST_CASE(user_code_that_runs_twice_is_noticed) {
    kit::expect_verdicts({
        {"starts again", kit::make<broken::StartsAgainWhenAsked>,
         "a_second_submit_adopts_the_first", "ran 2 times"},
        {"starts again", kit::make<broken::StartsAgainWhenAsked>,
         "submits_at_the_same_time_run_user_code_once", "ran 4 times"},
        {"starts again", kit::make<broken::StartsAgainWhenAsked>,
         "a_submit_after_the_end_adopts_the_first", "ran 2 times"},
        {"forgets at restart", kit::make<broken::ForgetsAtRestart>,
         "a_submit_after_a_restart_adopts_what_has_ended", "ran 2 times"},
        {"forgets at restart", kit::make<broken::ForgetsAtRestart>,
         "a_submit_right_before_a_restart_is_adopted", "ran 2 times"},
        {"starts when reserving", kit::make<broken::StartsWhenReserving>, "reserve_starts_nothing",
         "ran without submit"},
    });
}

BOOST_AUTO_TEST_CASE(what_works_until_the_restart_passes_where_there_is_none) {
    BOOST_TEST(kit::verdict("a_second_submit_adopts_the_first",
                            kit::make<broken::ForgetsAtRestart>) == "");
}

BOOST_AUTO_TEST_CASE(bad_tickets_are_noticed) {
    kit::expect_verdicts({{"long tickets", kit::make<broken::LongTickets>,
                           "a_ticket_is_a_short_name_of_its_own", "1 to 63 characters"}});
}

BOOST_AUTO_TEST_CASE(bad_kills_are_noticed) {
    kit::expect_verdicts(
        {
            {"submits after kill", kit::make<broken::SubmitsAfterKill>,
             "a_kill_before_submit_takes_the_ticket", "success, where the error"},
            {"kills only once", kit::make<broken::KillsOnlyOnce>, "killing_twice_is_killing_once",
             "refused"},
            {"ignores kill", kit::make<broken::IgnoresKill>, "killing_what_runs_ends_it",
             "waited in vain for the report"},
            {"throws in kill", kit::make<broken::ThrowsInKill>, "killing_what_runs_ends_it",
             "an exception escaped"},
        },
        kit::hasty());
}

BOOST_AUTO_TEST_CASE(bad_reports_are_noticed) {
    using namespace broken;
    kit::expect_verdicts(
        {
            {"no complete", kit::make<Twisted<NeverComplete>>,
             "an_empty_store_has_an_empty_snapshot", "waited in vain for the snapshot"},
            {"complete twice", kit::make<Twisted<CompleteTwice>>,
             "an_empty_store_has_an_empty_snapshot", "without a snapshot"},
            {"goes back", kit::make<Twisted<GoesBack>>, "success_is_reported", "goes back from"},
            {"no outcome", kit::make<Twisted<EndsWithoutOutcome>>, "success_is_reported",
             "state ended with outcome none"},
            {"no exit code", kit::make<Twisted<LosesExitCodes>>,
             "failure_is_reported_with_its_exit_code", "exit code 3 is not reported"},
            {"no application id", kit::make<Twisted<LosesApplicationIds>>,
             "the_context_is_reported", "does not tell the application id"},
            {"strangers", kit::make<Twisted<ReportsStrangers>>, "success_is_reported",
             "never given to submit or kill"},
            {"forgets what ended", kit::make<Twisted<ForgetsTheEnded>>,
             "what_has_ended_is_in_every_snapshot_until_release", "missing in a snapshot"},
            {"talks on", kit::make<TalksOn>, "a_cancelled_watch_tells_nothing_any_more",
             "after watch had completed"},
            {"ignores cancellation", kit::make<IgnoresCancellation>,
             "a_watch_can_be_cancelled_at_any_time", "waited in vain for a cancelled watch"},
        },
        kit::hasty());
}

BOOST_AUTO_TEST_CASE(bad_releases_are_noticed) {
    kit::expect_verdicts({
        {"unknown tickets", kit::make<broken::ReleasesKnownTicketsOnly>,
         "unknown_tickets_are_released_with_success", "refused"},
        {"keeps every log", kit::make<broken::KeepsEveryLog>,
         "release_keeps_the_log_or_not_as_asked", "success, where the error 'not found' is due"},
    });
}

BOOST_AUTO_TEST_CASE(bad_logs_are_noticed) {
    using namespace broken;
    kit::expect_verdicts(
        {
            {"ignores offsets", kit::make<IgnoresOffsets>, "pages_put_together_are_the_log",
             "begins at another line"},
            {"ignores offsets", kit::make<IgnoresOffsets>, "a_negative_offset_counts_from_the_end",
             "does not give the last two lines"},
            {"ignores limits", kit::make<IgnoresLimits>, "pages_put_together_are_the_log",
             "more lines than asked for"},
            {"ignores bytes", kit::make<IgnoresMaxBytes>,
             "a_page_stops_at_its_bytes_but_has_a_line", "lines instead of one"},
            {"never follows", kit::make<NeverFollows>, "following_ends_with_the_application",
             "without any news"},
        },
        kit::hasty());
}

BOOST_AUTO_TEST_CASE(a_fixture_without_a_backend_is_noticed) {
    const auto none = [](std::shared_ptr<test::FakeWorld>) { return std::unique_ptr<Backend>(); };
    const auto text = kit::verdict("success_is_reported", none);
    BOOST_TEST((text.find("made no backend") != std::string::npos), text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing
