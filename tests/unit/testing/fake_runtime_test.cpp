// SPDX-License-Identifier: Apache-2.0
#include "fake_runtime_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

namespace sparkhost::testing::fake_runtime_test {

BOOST_FIXTURE_TEST_SUITE(fake_runtime, Fixture)

BOOST_AUTO_TEST_CASE(what_it_prepares_is_the_same_each_time_and_starts_nothing) {
    const auto first = prepare(request()).value();
    const auto second = prepare(request()).value();
    BOOST_TEST(first.subject == "session-7");
    BOOST_TEST(first.store_uuid == "01234567-89ab");
    BOOST_TEST(first.attempt == 1);
    BOOST_TEST(first.spec.name == "exploring");
    BOOST_TEST(first.spec.file == "fake://agent");
    BOOST_TEST(first.spec.args == Words{"01234567-session-7-1"}, boost::test_tools::per_element());
    BOOST_TEST((first.spec == second.spec));
    BOOST_TEST(agents->dials(id) == 0u);
    BOOST_TEST(agents->calls("prepare") == 2u);
    BOOST_TEST(agents->prepared(id)->session.kind == "pyspark");
}

BOOST_AUTO_TEST_CASE(its_name_and_kinds_are_options) {
    BOOST_TEST(runtime->traits().name == "fake-runtime");
    auto other = make_fake_runtime(agents, {.name = "other", .kinds = {"scala"}});
    BOOST_TEST(other->traits().name == "other");
    BOOST_TEST(other->traits().kinds == Words{"scala"}, boost::test_tools::per_element());
    BOOST_CHECK_THROW(make_fake_runtime(nullptr), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(an_unknown_kind_is_refused) {
    auto wanted = request();
    wanted.session.kind = "cobol";
    const auto refused = prepare(wanted);
    BOOST_TEST(refused.error().is(Errc::invalid_argument));
    BOOST_TEST(refused.error().field == "kind");
    wanted.session.kind.clear();
    BOOST_TEST(prepare(wanted).has_value());
}

BOOST_AUTO_TEST_CASE(prepare_and_release_can_be_held_and_can_fail) {
    agents->hold("prepare");
    auto held = ask(runtime->prepare(request()));
    BOOST_TEST(!held->has_value());
    BOOST_TEST(!agents->prepared(id).has_value());
    agents->let_go("prepare");
    settle();
    BOOST_TEST(held->value().has_value());
    agents->fail_next("release", Error(Errc::backend_failed, "disk full"));
    BOOST_TEST((*ask(runtime->release({"t"})))->error().is(Errc::backend_failed));
    BOOST_TEST((*ask(runtime->release({"t"})))->has_value());
    BOOST_TEST(agents->calls("release") == 2u);
}

BOOST_AUTO_TEST_CASE(a_session_gets_ready_runs_code_and_says_so) {
    agents->answer("print", {.output = {{OutputStream::standard_output, "one\n"},
                                        {OutputStream::standard_error, "two\n"}}});
    open();
    BOOST_TEST_REQUIRE(session->facts.size() == 1u);
    BOOST_TEST(session->facts[0].application_id == "fake-session-7");
    auto said = std::make_shared<RecordedOutput>();
    BOOST_TEST(plain(execute(0, "print", said)) == "");
    BOOST_TEST(said->out == "one\n");
    BOOST_TEST(said->err == "two\n");
    BOOST_TEST(plain(execute(1, "1+1")) == "1+1");
    BOOST_TEST(agents->runs(id, "print") == 1u);
    BOOST_TEST(session->words == (Words{"idle", "busy 0", "idle", "busy 1", "idle"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nothing_is_told_from_within_a_call) {
    open();
    talk->interrupt(InterruptRequest{StatementId{3}, {}});
    auto sink = std::make_shared<RecordedOutput>();
    auto call = talk->execute(StatementSpec{StatementId{0}, "pyspark", "1"}, sink);
    agents->write(id, {OutputStream::standard_output, "stray"});
    BOOST_TEST(session->stray == "");
    settle();
    BOOST_TEST(session->stray == "stray");
}

BOOST_AUTO_TEST_CASE(statements_wait_for_spark_and_for_each_other) {
    agents->hold("ready");
    agents->hold("statement");
    open();
    BOOST_TEST(session->facts.empty());
    auto first = execute(0, "a");
    auto second = execute(1, "b");
    BOOST_TEST(agents->runs(id, "a") == 0u);
    agents->let_go("ready");
    settle();
    BOOST_TEST(agents->runs(id, "a") == 1u);
    BOOST_TEST(agents->runs(id, "b") == 0u);
    BOOST_TEST(!first->has_value());
    agents->let_go("statement");
    settle();
    BOOST_TEST(plain(first) == "a");
    BOOST_TEST(plain(second) == "b");
    BOOST_TEST(session->words == (Words{"busy 0", "busy 1", "idle"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_runs_can_be_steered_by_hand) {
    agents->hold("statement");
    open();
    auto said = std::make_shared<RecordedOutput>();
    auto asked = execute(0, "a", said);
    agents->write(id, {OutputStream::standard_error, "hm"});
    agents->progress(id, 0.5);
    settle();
    BOOST_TEST(said->err == "hm");
    BOOST_TEST(said->fractions == std::vector<double>{0.5}, boost::test_tools::per_element());
    StatementResult failed;
    failed.outcome = StatementOutcome::error;
    agents->finish(id, failed);
    settle();
    BOOST_TEST((outcome(asked) == StatementOutcome::error));
    BOOST_CHECK_THROW(agents->finish(id, failed), std::invalid_argument);
    BOOST_CHECK_THROW(agents->finish(SessionId{99}, failed), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(an_interrupt_ends_what_runs_and_keeps_what_waits_from_running) {
    agents->answer("forever", {.endless = true});
    open();
    auto running = execute(0, "forever");
    auto waiting = execute(1, "a");
    auto third = execute(2, "b");
    interrupt(9);
    interrupt(1);
    BOOST_TEST(!running->has_value());
    BOOST_TEST((outcome(waiting) == StatementOutcome::cancelled));
    interrupt(0);
    BOOST_TEST((outcome(running) == StatementOutcome::cancelled));
    BOOST_TEST(running->value()->error_name == "KeyboardInterrupt");
    BOOST_TEST(running->value()->interrupted);
    BOOST_TEST(plain(third) == "b");
    BOOST_TEST(agents->runs(id, "a") == 0u);
    interrupt(2);
    BOOST_TEST(plain(execute(3, "c")) == "c");
}

BOOST_AUTO_TEST_CASE(code_can_swallow_interrupts_until_the_session_is_ended) {
    agents->answer("stubborn", {.endless = true, .swallows_interrupts = true});
    open();
    auto said = std::make_shared<RecordedOutput>();
    auto asked = execute(0, "stubborn", said);
    interrupt(0);
    interrupt(0);
    BOOST_TEST(said->unheeded_interrupts == 2);
    agents->pass_interrupt_deadline(id);
    settle();
    BOOST_TEST(!asked->has_value(), "there is no deadline yet");
    talk->interrupt(InterruptRequest{StatementId{0}, std::chrono::milliseconds(500)});
    agents->pass_interrupt_deadline(id);
    settle();
    BOOST_TEST((outcome(asked) == StatementOutcome::cancelled));
    BOOST_TEST(asked->value()->error_name == "SessionEnded");
    BOOST_TEST(session->words.back() == "ended interrupt_unheeded");
    BOOST_TEST((agents->exit_code(id) == std::optional<int>(15)));
}

BOOST_AUTO_TEST_CASE(a_statement_that_is_known_is_not_run_again) {
    open();
    auto first = execute(0, "a");
    BOOST_TEST(plain(execute(0, "a")) == "a");
    talk->settle(StatementId{0});
    BOOST_TEST((outcome(execute(0, "a")) == StatementOutcome::forgotten));
    execute(5, "b");
    BOOST_TEST((outcome(execute(3, "late")) == StatementOutcome::forgotten));
    BOOST_TEST(agents->runs(id, "a") == 1u);
    BOOST_TEST(agents->runs(id, "late") == 0u);
}

BOOST_AUTO_TEST_CASE(statements_are_refused_with_the_error_that_is_due) {
    agents = make_agents({.max_waiting = 1});
    runtime = make_fake_runtime(agents);
    agents->answer("forever", {.endless = true});
    open();
    auto wrong = ask(talk->execute(StatementSpec{StatementId{0}, "cobol", "ADD"}, nullptr));
    BOOST_TEST(wrong->value().error().is(Errc::invalid_argument));
    auto running = execute(1, "forever");
    BOOST_TEST((*execute(1, "forever"))->error().is(Errc::invalid_state));
    auto waiting = execute(2, "a");
    BOOST_TEST((*execute(3, "b"))->error().is(Errc::rejected));
    interrupt(1);
    BOOST_TEST(plain(execute(3, "b")) == "b");
}

BOOST_AUTO_TEST_CASE(a_close_cancels_what_is_left_and_ends_in_success) {
    agents->answer("forever", {.endless = true});
    agents->hold("exit");
    open();
    auto running = execute(0, "forever");
    auto waiting = execute(1, "a");
    talk->close();
    talk->close();
    settle();
    BOOST_TEST((outcome(running) == StatementOutcome::cancelled));
    BOOST_TEST((outcome(waiting) == StatementOutcome::cancelled));
    BOOST_TEST(session->words.back() == "ended closed");
    BOOST_TEST((*execute(2, "b"))->error().is(Errc::stopped));
    BOOST_TEST(!over->has_value());
    BOOST_TEST(!agents->exit_code(id).has_value());
    agents->let_go("exit");
    settle();
    BOOST_TEST(over->value().has_value());
    BOOST_TEST((agents->exit_code(id) == std::optional<int>(0)));
}

BOOST_AUTO_TEST_CASE(a_spark_that_does_not_start_says_why) {
    StatementResult why;
    why.outcome = StatementOutcome::error;
    why.error_name = "Py4JJavaError";
    agents->fail_start(why);
    open();
    BOOST_TEST_REQUIRE(session->failures.size() == 1u);
    BOOST_TEST(session->failures[0].error_name == "Py4JJavaError");
    BOOST_TEST(session->words == Words{"ended spark_failed"}, boost::test_tools::per_element());
    BOOST_TEST((agents->exit_code(id) == std::optional<int>(13)));
}

BOOST_AUTO_TEST_CASE(words_are_completed) {
    open();
    auto found = ask(talk->complete({"pyspark", "x = spa", 7}));
    BOOST_TEST(found->value()->candidates == Words{"spark"}, boost::test_tools::per_element());
    BOOST_TEST(found->value()->replaces == 3u);
    agents->know_words({});
    found = ask(talk->complete({"pyspark", "spa", 3}));
    BOOST_TEST(found->value()->candidates.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing::fake_runtime_test
