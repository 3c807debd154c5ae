// SPDX-License-Identifier: Apache-2.0
#include "broken_runtimes.hpp"
#include "support/fake_runtime_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <set>

namespace sparkhost::testing {
namespace runtime_conformance_test {

using Wrap = test::FakeRuntimeFixture::Wrap;

RuntimeConformanceOptions hasty_runtime() {
    RuntimeConformanceOptions options;
    options.patience = std::chrono::milliseconds(300);
    return options;
}

const RuntimeCase& case_named(const std::vector<RuntimeCase>& cases, const std::string& name) {
    const auto found = std::ranges::find(cases, name, &RuntimeCase::name);
    BOOST_TEST_REQUIRE((found != cases.end()), "there is no case " << name);
    return *found;
}

/// What the kit says about a runtime in one case; empty: it conforms.
std::string runtime_verdict(const std::string& name, Wrap wrap,
                            const RuntimeConformanceOptions& options) {
    const auto cases = runtime_conformance_cases(options);
    test::FakeRuntimeFixture fixture(std::move(wrap));
    try {
        run_runtime_case(case_named(cases, name), fixture);
    } catch (const ConformanceFailure& failure) {
        return failure.what();
    }
    return {};
}

template <class Runtime>
std::unique_ptr<SessionRuntime> wrap(std::unique_ptr<SessionRuntime> inner) {
    return std::make_unique<Runtime>(std::move(inner));
}
template <class Talk>
std::unique_ptr<SessionRuntime> with(std::unique_ptr<SessionRuntime> inner) {
    return std::make_unique<broken_runtimes::With<Talk>>(std::move(inner));
}

struct BrokenRow {
    const char* what;
    Wrap wrap;
    const char* name;
    const char* words;  ///< part of the verdict
};

void expect_runtime_verdicts(const std::vector<BrokenRow>& rows,
                             const RuntimeConformanceOptions& options = {}) {
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.what << " in " << row.name) {
            const auto text = runtime_verdict(row.name, row.wrap, options);
            BOOST_TEST((text.find(row.words) != std::string::npos), "the verdict is: " << text);
        }
    }
}

}  // namespace runtime_conformance_test

BOOST_AUTO_TEST_SUITE(runtime_conformance)

namespace rk = runtime_conformance_test;
namespace bad = broken_runtimes;

BOOST_AUTO_TEST_CASE(names_of_cases_are_unique) {
    std::set<std::string> names;
    for (const auto& each : runtime_conformance_cases()) {
        BOOST_TEST(names.insert(each.name).second, each.name);
    }
    BOOST_TEST(names.size() > 15u);
}

BOOST_AUTO_TEST_CASE(declared_deviations_leave_cases_out) {
    RuntimeConformanceOptions options;
    options.completes = false;
    options.interrupts = false;
    const auto fewer = runtime_conformance_cases(options);
    BOOST_TEST(fewer.size() < runtime_conformance_cases().size());
    for (const auto& each : fewer) {
        BOOST_TEST(each.name.find("interrupt") == std::string::npos);
        BOOST_TEST(each.name != "code_is_completed");
    }
    test::FakeRuntimeFixture fixture(rk::with<bad::HearsNoInterrupt>);
    BOOST_CHECK_NO_THROW(run_runtime_cases(fewer, fixture));
}

BOOST_AUTO_TEST_CASE(a_runtime_that_prepares_or_releases_wrongly_is_found) {
    rk::expect_runtime_verdicts(
        {{"SpeaksEverything", rk::wrap<bad::SpeaksEverything>,
          "a_kind_it_does_not_speak_is_refused", "success, where the error"},
         {"NeverTheSame", rk::wrap<bad::NeverTheSame>,
          "preparing_starts_nothing_and_gives_the_same_again", "gave another answer"},
         {"ReleasesOnce", rk::wrap<bad::ReleasesOnce>, "releasing_can_be_repeated", "not found"},
         {"ReadyTwice", rk::wrap<bad::ReadyTwice>,
          "an_agent_claims_its_ticket_and_says_once_that_it_is_ready", "ready came twice"}});
}

BOOST_AUTO_TEST_CASE(a_runtime_that_starts_something_by_itself_is_found) {
    struct Eager : bad::WrappedRuntime {
        Eager(bad::InnerRuntime inner, test::FakeRuntimeFixture* on)
            : WrappedRuntime(std::move(inner)), fixture(on) {}
        Awaitable<SubmitRequest> prepare(SessionRequest request) override {
            return start(inner_, fixture, std::move(request));
        }
        static Awaitable<SubmitRequest> start(bad::InnerRuntime inner,
                                              test::FakeRuntimeFixture* fixture,
                                              SessionRequest request) {
            auto made = co_await inner->prepare(request);
            fixture->agents().start(request.id);
            co_return made;
        }
        test::FakeRuntimeFixture* fixture;
    };
    test::FakeRuntimeFixture* here = nullptr;
    test::FakeRuntimeFixture fixture([&here](std::unique_ptr<SessionRuntime> inner) {
        return std::make_unique<Eager>(std::move(inner), here);
    });
    here = &fixture;
    const auto cases = runtime_conformance_cases();
    const auto& starts_nothing =
        rk::case_named(cases, "preparing_starts_nothing_and_gives_the_same_again");
    BOOST_CHECK_THROW(run_runtime_case(starts_nothing, fixture), ConformanceFailure);
}

BOOST_AUTO_TEST_CASE(a_runtime_that_mistreats_statements_is_found) {
    rk::expect_runtime_verdicts(
        {{"OneStream", rk::with<bad::OneStream>,
          "output_comes_whole_in_order_and_before_the_result", "standard output is"},
         {"LateOutput", rk::with<bad::LateOutput>,
          "output_comes_whole_in_order_and_before_the_result", "standard output is"},
         {"FailuresAreFine", rk::with<bad::FailuresAreFine>,
          "code_that_fails_says_why_and_the_session_goes_on", "is not error"},
         {"AnyKind", rk::with<bad::AnyKind>, "a_statement_of_a_kind_it_does_not_speak_is_refused",
          "success, where the error"},
         {"RunsAgain", rk::with<bad::RunsAgain>,
          "what_was_not_settled_is_told_to_the_next_conversation", "a statement ran twice"},
         {"RunsAgain", rk::with<bad::RunsAgain>,
          "a_settled_statement_may_be_forgotten_and_never_runs_again", "ran again"},
         {"KnowsNoWords", rk::with<bad::KnowsNoWords>, "code_is_completed",
          "there are no candidates"}});
}

BOOST_AUTO_TEST_CASE(a_runtime_that_interrupts_wrongly_is_found) {
    rk::expect_runtime_verdicts(
        {{"InterruptsWhateverRuns", rk::with<bad::InterruptsWhateverRuns>,
          "an_interrupt_keeps_a_waiting_statement_from_running", "is not cancelled"},
         {"InterruptsWhateverRuns", rk::with<bad::InterruptsWhateverRuns>,
          "an_interrupt_of_what_is_over_or_unknown_changes_nothing", "is not cancelled"},
         {"StopsWhenGivenUp", rk::with<bad::StopsWhenGivenUp>,
          "a_cancelled_execute_abandons_the_wait_and_not_the_statement",
          "endless statement has ended"}});
}

BOOST_AUTO_TEST_CASE(a_runtime_that_loses_something_with_the_connection_is_found) {
    rk::expect_runtime_verdicts(
        {{"OutputOnce", rk::with<bad::OutputOnce>,
          "what_was_not_settled_is_told_to_the_next_conversation", "not told again"},
         {"LossIsSuccess", rk::with<bad::LossIsSuccess>,
          "what_was_not_settled_is_told_to_the_next_conversation", "success, where the error"}});
}

BOOST_AUTO_TEST_CASE(a_runtime_that_hangs_is_left_behind) {
    rk::expect_runtime_verdicts(
        {{"HearsNoInterrupt", rk::with<bad::HearsNoInterrupt>,
          "an_interrupt_ends_the_statement_that_runs_and_no_other",
          "waited in vain for the result of a statement"},
         {"NeverCloses", rk::with<bad::NeverCloses>,
          "a_closed_session_ends_with_all_that_was_asked_answered", "waited in vain for run()"}},
        rk::hasty_runtime());
}

BOOST_AUTO_TEST_CASE(cases_that_share_a_session_go_on_after_one_that_has_failed) {
    const auto all = runtime_conformance_cases();
    const std::vector<RuntimeCase> some = {
        rk::case_named(all, "output_comes_whole_in_order_and_before_the_result"),
        rk::case_named(all, "a_statement_gives_its_result"),
        rk::case_named(all, "what_was_not_settled_is_told_to_the_next_conversation")};
    test::FakeRuntimeFixture fixture(rk::with<bad::OneStream>);
    try {
        run_runtime_cases(some, fixture);
        BOOST_ERROR("nothing was found");
    } catch (const ConformanceFailure& failure) {
        const std::string text = failure.what();
        BOOST_TEST(text.find(some[0].name) != std::string::npos);
        BOOST_TEST(text.find(some[1].name) == std::string::npos);
        BOOST_TEST(text.find(some[2].name) != std::string::npos);
    }
    BOOST_TEST(fixture.launched() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing
