// SPDX-License-Identifier: Apache-2.0
#include "fake_runtime_fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::testing::fake_runtime_test {

using Code = AgentVerdict::Code;

BOOST_FIXTURE_TEST_SUITE(fake_runtime_connection, Fixture)

BOOST_AUTO_TEST_CASE(an_agent_claims_with_its_secret_and_resumes_with_its_key) {
    open();
    agents->drop_connection(id);
    BOOST_TEST(!agents->is_connected(id));
    reopen();
    const auto& told = host->gate->greetings;
    BOOST_TEST_REQUIRE(told.size() == 2u);
    BOOST_TEST(!told[0].resumes);
    BOOST_TEST(told[0].ticket == "01234567-session-7-1");
    BOOST_TEST(told[0].secret == "the secret");
    BOOST_TEST(told[0].kinds == (Words{"pyspark", "sql"}), boost::test_tools::per_element());
    BOOST_TEST(told[1].resumes);
    BOOST_TEST(told[1].secret == "a key");
    BOOST_TEST(told[1].nonce == told[0].nonce);
    BOOST_TEST(told[0].nonce.size() == 32u);
}

BOOST_AUTO_TEST_CASE(an_agent_dials_by_tcp_too) {
    host = std::make_unique<test::AgentHost>(io, "tcp:127.0.0.1:0");
    prepare(request()).value();
    agents->start(id);
    test::run_on(io, [&] { return agents->until_connected(id); });
    BOOST_TEST(agents->is_connected(id));
}

BOOST_AUTO_TEST_CASE(a_lost_connection_ends_the_conversation_and_everything_is_told_to_the_next) {
    agents->hold("statement");
    agents->answer("a", {.output = {{OutputStream::standard_output, "begun\n"}}});
    open();
    auto running = execute(0, "a");
    auto waiting = execute(1, "b");
    agents->drop_connection(id);
    settle();
    BOOST_TEST(over->value().error().is(Errc::backend_failed));
    BOOST_TEST((*running)->error().is(Errc::backend_failed));
    BOOST_TEST((*waiting)->error().is(Errc::backend_failed));
    BOOST_TEST((*execute(2, "c"))->error().is(Errc::backend_failed));
    agents->write(id, {OutputStream::standard_output, "alone\n"});

    reopen();
    auto said = std::make_shared<RecordedOutput>();
    running = execute(0, "a", said);
    waiting = execute(1, "b");
    converse();
    BOOST_TEST(session->facts.size() == 1u);
    BOOST_TEST(said->out == "begun\nalone\n");
    BOOST_TEST(!running->has_value());
    agents->let_go("statement");
    settle();
    BOOST_TEST((outcome(running) == StatementOutcome::ok));
    BOOST_TEST(plain(waiting) == "b");
    BOOST_TEST(agents->runs(id, "a") == 1u);
    BOOST_TEST(agents->runs(id, "b") == 1u);
}

BOOST_AUTO_TEST_CASE(statements_end_also_while_nobody_is_connected) {
    agents->hold("statement");
    open();
    execute(0, "a");
    execute(1, "b");
    agents->drop_connection(id);
    agents->let_go("statement");
    BOOST_TEST(agents->runs(id, "b") == 1u);
    reopen();
    auto first = execute(0, "a");
    auto second = execute(1, "b");
    converse();
    BOOST_TEST(plain(first) == "a");
    BOOST_TEST(plain(second) == "b");
}

BOOST_AUTO_TEST_CASE(what_is_settled_is_not_told_again) {
    agents->answer("a", {.output = {{OutputStream::standard_output, "out"}}});
    open();
    execute(0, "a");
    execute(1, "b");
    talk->settle(StatementId{0});
    talk->settle(StatementId{1});
    talk->settle_session();
    reopen();
    auto said = std::make_shared<RecordedOutput>();
    auto again = execute(0, "a", said);
    converse();
    BOOST_TEST((outcome(again) == StatementOutcome::forgotten));
    BOOST_TEST(said->out == "");
    BOOST_TEST(session->facts.empty());
    BOOST_TEST(session->words.empty());
}

BOOST_AUTO_TEST_CASE(executing_after_the_conversation_has_begun_misses_output_as_with_spark) {
    agents->answer("a", {.output = {{OutputStream::standard_output, "out"}}});
    open();
    execute(0, "a");
    reopen();
    converse();
    auto said = std::make_shared<RecordedOutput>();
    BOOST_TEST((outcome(execute(0, "a", said)) == StatementOutcome::ok));
    BOOST_TEST(said->out == "");
}

BOOST_AUTO_TEST_CASE(a_conversation_may_go_while_operations_are_outstanding) {
    agents->hold("statement");
    open();
    auto asked = execute(0, "a");
    talk.reset();
    settle();
    BOOST_TEST((*asked)->error().is(Errc::backend_failed));
    BOOST_TEST(over->has_value());
    BOOST_TEST(!agents->is_connected(id));
}

BOOST_AUTO_TEST_CASE(a_cancelled_run_leaves_the_connection) {
    open();
    leave.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST(over->value().has_error());
    BOOST_TEST(!agents->is_connected(id));
    BOOST_TEST(!agents->exit_code(id).has_value());
}

BOOST_AUTO_TEST_CASE(an_end_that_was_not_settled_is_told_again) {
    agents->hold("exit");
    open();
    talk->close();
    settle();
    reopen();
    converse();
    BOOST_TEST(session->words.back() == "ended closed");
    talk->settle_session();
    reopen();
    converse();
    BOOST_TEST(session->words.empty());
    agents->let_go("exit");
    settle();
    BOOST_TEST((agents->exit_code(id) == std::optional<int>(0)));
}

BOOST_AUTO_TEST_CASE(a_refused_agent_stops_unless_it_may_come_back) {
    host->gate->verdict.code = Code::later;
    prepare(request()).value();
    agents->start(id);
    test::run_on(io, [&] { return agents->until_dialled(id); });
    BOOST_TEST(agents->last_refusal(id) == "later");
    BOOST_TEST(!agents->exit_code(id).has_value());
    host->gate->verdict.code = Code::claimed;
    agents->redial(id);
    test::run_on(io, [&] { return agents->until_ended(id); });
    BOOST_TEST(agents->last_refusal(id) == "claimed");
    BOOST_TEST((agents->exit_code(id) == std::optional<int>(11)));
    BOOST_TEST(agents->dials(id) == 2u);
}

BOOST_AUTO_TEST_CASE(an_agent_whose_grant_is_lost_claims_again_with_the_same_nonce) {
    prepare(request()).value();
    agents->lose_next_grant(id);
    agents->start(id);
    test::run_on(io, [&] { return agents->until_dialled(id); });
    BOOST_TEST(!agents->is_connected(id));
    agents->redial(id);
    connect();
    const auto& told = host->gate->greetings;
    BOOST_TEST_REQUIRE(told.size() == 2u);
    BOOST_TEST(!told[1].resumes);
    BOOST_TEST(told[1].nonce == told[0].nonce);
}

BOOST_AUTO_TEST_CASE(an_agent_can_redial_by_itself_until_its_host_is_back) {
    agents = make_agents({.redials_by_itself = true});
    runtime = make_fake_runtime(agents);
    open();
    talk.reset();
    host.reset();
    test::run_on(io, [&] { return agents->until_dialled(id, 3); });
    BOOST_TEST(!agents->is_connected(id));
    host = make_host();
    connect();
    BOOST_TEST(host->gate->greetings.back().resumes);
    agents->drop_connection(id);
    connect();
    BOOST_TEST(agents->is_connected(id));
}

BOOST_AUTO_TEST_CASE(a_crash_ends_the_conversation_without_a_word) {
    open();
    auto asked = execute(0, "a");
    agents->crash(id);
    settle();
    BOOST_TEST(over->value().error().is(Errc::backend_failed));
    BOOST_TEST((session->words == Words{"idle", "busy 0", "idle"}));
    agents->redial(id);
    settle();
    BOOST_TEST(agents->dials(id) == 1u);
}

BOOST_AUTO_TEST_CASE(a_claim_file_that_is_missing_stops_the_agent) {
    auto wanted = request();
    wanted.claim_file = (dir / "nothing").string();
    prepare(wanted).value();
    agents->start(id);
    BOOST_TEST((agents->exit_code(id) == std::optional<int>(10)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing::fake_runtime_test
