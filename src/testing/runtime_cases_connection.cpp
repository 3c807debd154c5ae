// SPDX-License-Identifier: Apache-2.0
#include "testing/runtime_conformance_rig.hpp"

#include <boost/asio/cancellation_type.hpp>

namespace sparkhost::testing::runtime_cases {

namespace {

Case what_was_not_settled_is_told_to_the_next_conversation(Rig& rig) {
    co_await rig.open();
    const auto wrote = rig.begin(Program::writes);
    const auto failed = rig.begin(Program::fails);
    const auto first = co_await rig.result(wrote);
    const auto second = co_await rig.result(failed);
    co_await rig.lose_connection();
    expect_error(co_await rig.answer(rig.begin(Program::echoes)), Errc::backend_failed);
    co_await rig.reconnect();
    const auto again = rig.take_up(wrote);
    const auto failed_again = rig.take_up(failed);
    rig.converse();
    expect(co_await rig.result(again) == first, "another result came the second time");
    expect(co_await rig.result(failed_again) == second, "another result came the second time");
    expect(again.heard->out == "one\ntwo\n" && again.heard->err == "three\n",
           "output is not told again as it was");
    expect(rig.runs(wrote) == 1 && rig.runs(failed) == 1, "a statement ran twice");
    co_await rig.echo();
}

Case what_runs_and_waits_outlives_the_connection(Rig& rig) {
    co_await rig.open();
    const auto running = rig.begin(Program::endless_after_line);
    const auto waiting = rig.begin(Program::echoes);
    co_await rig.until_begun(running);
    co_await rig.lose_connection();
    expect_error(co_await rig.answer(running), Errc::backend_failed);
    co_await rig.reconnect();
    const auto again = rig.take_up(running);
    const auto waiting_again = rig.take_up(waiting);
    rig.converse();
    co_await rig.until_begun(again);
    expect(!waiting_again.is_over(), "a statement has overtaken another");
    rig.interrupt(again);
    const auto stopped = co_await rig.result(again);
    expect(stopped.outcome == StatementOutcome::cancelled, "an interrupt was lost");
    expect(again.heard->out == "begun\n", "output is not told again as it was");
    const auto echoed = co_await rig.result(waiting_again);
    expect(plain_text(echoed) == "2", "a statement that waited has another result");
    expect(rig.runs(running) == 1 && rig.runs(waiting) == 1, "a statement did not run once");
}

Case a_cancelled_run_leaves_the_connection_and_the_session_lives(Rig& rig) {
    co_await rig.open();
    co_await rig.echo();
    co_await rig.leave();
    co_await rig.reconnect();
    rig.converse();
    co_await rig.echo();
}

Case a_cancelled_execute_abandons_the_wait_and_not_the_statement(Rig& rig) {
    co_await rig.open();
    const auto running = rig.begin(Program::endless_after_line);
    const auto waiting = rig.begin(Program::echoes);
    co_await rig.until_begun(running);
    running.give_up->emit(asio::cancellation_type::terminal);
    const auto given_up = co_await rig.answer(running);
    expect(given_up.has_error(), "a cancelled execute() has given a result");
    co_await rig.lose_connection();
    co_await rig.reconnect();
    const auto again = rig.take_up(running);
    const auto waiting_again = rig.take_up(waiting);
    rig.converse();
    co_await rig.until_begun(again);
    expect(!waiting_again.is_over(), "the statement was stopped");
    rig.interrupt(again);
    co_await rig.result(again);
    co_await rig.result(waiting_again);
    expect(rig.runs(running) == 1, "the statement ran twice");
}

}  // namespace

void add_connection_cases(std::vector<RuntimeCase>& cases,
                          const RuntimeConformanceOptions& options) {
    cases.insert(cases.end(),
                 {{"what_was_not_settled_is_told_to_the_next_conversation", options,
                   what_was_not_settled_is_told_to_the_next_conversation},
                  {"a_cancelled_run_leaves_the_connection_and_the_session_lives", options,
                   a_cancelled_run_leaves_the_connection_and_the_session_lives}});
    if (options.interrupts) {
        cases.insert(cases.end(),
                     {{"what_runs_and_waits_outlives_the_connection", options,
                       what_runs_and_waits_outlives_the_connection},
                      {"a_cancelled_execute_abandons_the_wait_and_not_the_statement", options,
                       a_cancelled_execute_abandons_the_wait_and_not_the_statement}});
    }
}

}  // namespace sparkhost::testing::runtime_cases
