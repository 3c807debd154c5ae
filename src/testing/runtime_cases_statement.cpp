// SPDX-License-Identifier: Apache-2.0
#include "testing/runtime_conformance_rig.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost::testing::runtime_cases {

namespace {

void expect_echo(const StatementResult& result, const Here& here = Here::current()) {
    expect(result.outcome == StatementOutcome::ok, "the outcome of good code is not ok", here);
    expect(!result.interrupted, "a statement was interrupted that nobody has interrupted", here);
    expect(plain_text(result) == "2", "the result's text/plain is not \"2\"", here);
}

void expect_cancelled(const StatementResult& result, const Here& here = Here::current()) {
    expect(result.outcome == StatementOutcome::cancelled,
           "the outcome of an interrupted statement is not cancelled", here);
    expect(result.interrupted, "the result does not say that it was interrupted", here);
}

Case a_statement_gives_its_result(Rig& rig) {
    co_await rig.open();
    const auto asked = rig.begin(Program::echoes);
    expect_echo(co_await rig.result(asked));
    expect(rig.runs(asked) == 1, "it did not run exactly once");
    expect(asked.heard->out.empty() && asked.heard->err.empty(), "output nobody has written");
}

Case output_comes_whole_in_order_and_before_the_result(Rig& rig) {
    co_await rig.open();
    const auto asked = rig.begin(Program::writes);
    co_await rig.result(asked);
    // Later output is a violation: see RigOutputSink.
    expect(asked.heard->out == "one\ntwo\n", "standard output is \"" + asked.heard->out + '"');
    expect(asked.heard->err == "three\n", "standard error is \"" + asked.heard->err + '"');
    co_await rig.echo();
}

Case code_that_fails_says_why_and_the_session_goes_on(Rig& rig) {
    co_await rig.open();
    const auto result = co_await rig.result(rig.begin(Program::fails));
    expect(result.outcome == StatementOutcome::error, "the outcome of failing code is not error");
    expect(!result.error_name.empty(), "there is no error_name");
    expect(!result.traceback.empty(), "there is no traceback");
    co_await rig.echo();
}

Case statements_run_one_after_the_other_in_the_order_given(Rig& rig) {
    co_await rig.open();
    std::vector<Asked> all;
    for (const auto program : {Program::writes, Program::echoes, Program::fails, Program::echoes}) {
        all.push_back(rig.begin(program));
    }
    for (const auto& asked : all) {
        co_await rig.result(asked);
    }
    std::vector<StatementId> given;
    for (std::size_t i = 0; i < all.size(); ++i) {
        given.push_back(all[i].spec.id);
        expect(rig.runs(all[i]) == 1, "a statement did not run exactly once");
        expect(i == 0 || *all[i - 1].place < *all[i].place, "results came in another order");
    }
    const auto& busy = rig.told().busy;
    expect(busy.size() >= given.size() && std::equal(given.rbegin(), given.rend(), busy.rbegin()),
           "busy was not told once per statement in their order");
}

Case a_statement_that_is_known_does_not_run_again(Rig& rig) {
    co_await rig.open();
    const auto asked = rig.begin(Program::echoes);
    const auto twice = rig.take_up(asked);
    expect_error(co_await rig.answer(twice), Errc::invalid_state);
    const auto first = co_await rig.result(asked);
    const auto again = co_await rig.result(rig.take_up(asked));
    expect(again == first, "another result came when it was asked for again");
    expect(rig.runs(asked) == 1, "a statement ran twice");
}

Case a_settled_statement_may_be_forgotten_and_never_runs_again(Rig& rig) {
    co_await rig.open();
    const auto asked = rig.begin(Program::echoes);
    const auto first = co_await rig.result(asked);
    rig.talk().settle(asked.spec.id);
    const auto again = co_await rig.result(rig.take_up(asked));
    expect(again.outcome == StatementOutcome::forgotten || again == first,
           "a settled statement has another result");
    rig.talk().settle(asked.spec.id);
    co_await rig.echo();
    co_await rig.lose_connection();
    co_await rig.reconnect();
    const auto later = rig.take_up(asked);
    rig.converse();
    const auto last = co_await rig.result(later);
    expect(last.outcome == StatementOutcome::forgotten || last == first,
           "a settled statement has another result");
    expect(rig.runs(asked) == 1, "a settled statement ran again");
    co_await rig.echo();
}

Case a_statement_of_a_kind_it_does_not_speak_is_refused(Rig& rig) {
    co_await rig.open();
    std::string mark;
    auto spec = rig.next_statement(Program::echoes, mark);
    spec.kind = "no-language-of-this-world";
    const auto asked = rig.begin(std::move(spec), std::move(mark));
    expect_error(co_await rig.answer(asked), Errc::invalid_argument);
    expect(rig.runs(asked) == 0, "it ran all the same");
    co_await rig.echo();
}

Case code_is_completed(Rig& rig) {
    co_await rig.open();
    Conversation::CompletionRequest request;
    request.kind = rig.fixture().kind();
    request.code = rig.fixture().code(Program::completable, "completed");
    request.cursor = request.code.size();
    const auto found = co_await rig.finish(rig.complete(request));
    expect(!found.candidates.empty(), "there are no candidates");
    expect(found.replaces <= request.code.size(), "more is replaced than was there");
    expect(std::ranges::none_of(found.candidates, &std::string::empty), "a candidate is empty");
    expect(rig.fixture().runs("completed") == 0, "code to be completed was run");
}

Case an_interrupt_ends_the_statement_that_runs_and_no_other(Rig& rig) {
    co_await rig.open();
    const auto running = rig.begin(Program::endless);
    const auto waiting = rig.begin(Program::echoes);
    co_await rig.until_busy(running);
    rig.interrupt(running);
    const auto result = co_await rig.result(running);
    expect_cancelled(result);
    expect(!result.error_name.empty(), "there is no error_name");
    expect_echo(co_await rig.result(waiting));
}

Case an_interrupted_statement_keeps_its_output(Rig& rig) {
    co_await rig.open();
    const auto running = rig.begin(Program::endless_after_line);
    co_await rig.until_begun(running);
    rig.interrupt(running);
    rig.interrupt(running);
    expect_cancelled(co_await rig.result(running));
    expect(running.heard->out == "begun\n", "standard output is \"" + running.heard->out + '"');
    co_await rig.echo();
}

Case an_interrupt_keeps_a_waiting_statement_from_running(Rig& rig) {
    co_await rig.open();
    const auto running = rig.begin(Program::endless_after_line);
    const auto waiting = rig.begin(Program::echoes);
    const auto last = rig.begin(Program::echoes);
    co_await rig.until_begun(running);
    rig.interrupt(waiting);
    expect_cancelled(co_await rig.result(waiting));
    expect(!running.is_over(), "another statement was interrupted");
    rig.interrupt(running);
    expect_cancelled(co_await rig.result(running));
    expect_echo(co_await rig.result(last));
    expect(rig.runs(waiting) == 0, "a statement ran that was interrupted before");
}

Case an_interrupt_of_what_is_over_or_unknown_changes_nothing(Rig& rig) {
    co_await rig.open();
    const auto over = rig.begin(Program::echoes);
    const auto first = co_await rig.result(over);
    rig.interrupt(over);
    InterruptRequest unknown;
    unknown.statement = StatementId{1'000'000'000};
    rig.talk().interrupt(unknown);
    expect_echo(co_await rig.result(rig.begin(Program::echoes)));
    const auto running = rig.begin(Program::endless_after_line);
    const auto waiting = rig.begin(Program::echoes);
    co_await rig.until_begun(running);
    rig.interrupt(over);
    rig.talk().interrupt(unknown);
    rig.interrupt(waiting);  // its answer comes after the others have been acted on
    expect_cancelled(co_await rig.result(waiting));
    expect(!running.is_over(), "another statement was interrupted");
    const auto again = rig.take_up(over);
    expect(co_await rig.result(again) == first, "the result of what was over has changed");
    rig.interrupt(running);
    expect_cancelled(co_await rig.result(running));
}

}  // namespace

void add_statement_cases(std::vector<RuntimeCase>& cases,
                         const RuntimeConformanceOptions& options) {
    cases.insert(cases.end(),
                 {{"a_statement_gives_its_result", options, a_statement_gives_its_result},
                  {"output_comes_whole_in_order_and_before_the_result", options,
                   output_comes_whole_in_order_and_before_the_result},
                  {"code_that_fails_says_why_and_the_session_goes_on", options,
                   code_that_fails_says_why_and_the_session_goes_on},
                  {"statements_run_one_after_the_other_in_the_order_given", options,
                   statements_run_one_after_the_other_in_the_order_given},
                  {"a_statement_that_is_known_does_not_run_again", options,
                   a_statement_that_is_known_does_not_run_again},
                  {"a_settled_statement_may_be_forgotten_and_never_runs_again", options,
                   a_settled_statement_may_be_forgotten_and_never_runs_again},
                  {"a_statement_of_a_kind_it_does_not_speak_is_refused", options,
                   a_statement_of_a_kind_it_does_not_speak_is_refused}});
    if (options.completes) {
        cases.push_back({"code_is_completed", options, code_is_completed});
    }
}

void add_interrupt_cases(std::vector<RuntimeCase>& cases,
                         const RuntimeConformanceOptions& options) {
    if (!options.interrupts) {
        return;
    }
    cases.insert(cases.end(), {{"an_interrupt_ends_the_statement_that_runs_and_no_other", options,
                                an_interrupt_ends_the_statement_that_runs_and_no_other},
                               {"an_interrupted_statement_keeps_its_output", options,
                                an_interrupted_statement_keeps_its_output},
                               {"an_interrupt_keeps_a_waiting_statement_from_running", options,
                                an_interrupt_keeps_a_waiting_statement_from_running},
                               {"an_interrupt_of_what_is_over_or_unknown_changes_nothing", options,
                                an_interrupt_of_what_is_over_or_unknown_changes_nothing}});
}

}  // namespace sparkhost::testing::runtime_cases
