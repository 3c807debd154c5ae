// SPDX-License-Identifier: Apache-2.0
#include "session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

namespace sparkhost::host_test {

BOOST_FIXTURE_TEST_SUITE(host_sessions, SessionFixture)

BOOST_AUTO_TEST_CASE(a_session_comes_up_runs_code_and_is_closed) {
    start();
    agents->hold("ready");
    const auto id = open(session_spec("exploring"));
    BOOST_TEST((state(id) == SessionState::starting));
    agents->let_go("ready");
    settle();
    BOOST_TEST((state(id) == SessionState::idle));
    BOOST_TEST(session(id).application.application_id == "fake-session-0");
    BOOST_TEST((ask(sessions().find("exploring")).value() == session(id)));

    const auto number = execute(id, "1+1");
    settle();
    const auto statement = ask(sessions().wait(id, number)).value();
    BOOST_TEST((statement.state() == StatementState::available));
    BOOST_TEST(echo_of(statement) == "1+1");
    BOOST_TEST(statement.spec.kind == "pyspark");
    BOOST_TEST((state(id) == SessionState::idle));

    auto over = begin(sessions().wait(id));
    BOOST_TEST((ask(sessions().close(id)).value().state() == SessionState::shutting_down));
    settle();
    BOOST_TEST_REQUIRE(over->done());
    BOOST_TEST((over->answer->value().state() == SessionState::success));
    BOOST_TEST(agents->exit_code(id).value() == 0);
    auto types = event_types(id);
    std::erase(types, "session.updated");  // that its context is up may be told apart
    BOOST_TEST(types == (Words{"session.accepted", "session.reserved", "session.submitted",
                               "session.running", "session.claimed", "session.ready",
                               "statement.accepted 0", "statement.ended 0",
                               "session.kill_requested", "session.ended", "session.released"}),
               boost::test_tools::per_element());
    BOOST_TEST(agents->calls("release") == 1u);
    BOOST_TEST(std::filesystem::is_empty(dir / "sessions/claims"));
}

BOOST_AUTO_TEST_CASE(a_session_is_busy_exactly_while_statements_are_open) {
    start();
    const auto id = open();
    agents->hold("statement");
    const auto first = execute(id, "a");
    const auto second = execute(id, "b");
    settle();
    BOOST_TEST((state(id) == SessionState::busy));
    BOOST_TEST((state(id, first) == StatementState::running));
    BOOST_TEST((state(id, second) == StatementState::waiting));
    agents->finish(id, {});
    settle();
    BOOST_TEST((state(id, first) == StatementState::available));
    BOOST_TEST((state(id, second) == StatementState::running));
    BOOST_TEST((state(id) == SessionState::busy));
    auto idle = begin(sessions().wait_for_change({.id = id, .not_state = SessionState::busy}));
    agents->finish(id, {});
    settle();
    BOOST_TEST_REQUIRE(idle->done());
    BOOST_TEST((idle->answer->value().state() == SessionState::idle));
    BOOST_TEST((state(id, second) == StatementState::available));
}

BOOST_AUTO_TEST_CASE(statements_are_taken_while_the_session_starts) {
    start();
    agents->hold("ready");
    const auto id = open();
    const auto number = execute(id, "early");
    BOOST_TEST((state(id) == SessionState::starting));
    agents->let_go("ready");
    settle();
    BOOST_TEST(echo_of(statement(id, number)) == "early");
}

BOOST_AUTO_TEST_CASE(output_is_followed_while_it_is_written) {
    start();
    const auto id = open();
    agents->hold("statement");
    const auto number = execute(id, "talk");
    auto follower = sessions().follow_output(id, number);
    auto next = begin(follower.next());
    BOOST_TEST(!next->done());
    agents->write(id, {OutputStream::standard_output, "one\n"});
    settle();
    BOOST_TEST_REQUIRE(next->done());
    BOOST_TEST(text_of(next->answer->value()) == "one\n");
    agents->write(id, {OutputStream::standard_error, "two\n"});
    settle();
    const auto more = ask(follower.next()).value();
    BOOST_TEST_REQUIRE(more.size() == 1u);
    BOOST_TEST((more[0].stream == OutputStream::standard_error));
    BOOST_TEST(follower.position() == 8u);
    auto end = begin(follower.next());
    agents->finish(id, {});
    settle();
    BOOST_TEST_REQUIRE(end->done());
    BOOST_TEST(end->answer->value().empty());

    auto late = sessions().follow_output(id, number, 4);
    BOOST_TEST(text_of(ask(late.next()).value()) == "two\n");
    BOOST_TEST(ask(late.next()).value().empty());
    BOOST_TEST(text_of(statement(id, number).output) == "one\ntwo\n");
}

BOOST_AUTO_TEST_CASE(a_wait_for_output_can_be_abandoned_and_ends_with_the_host) {
    start();
    const auto id = open();
    agents->hold("statement");
    const auto number = execute(id, "quiet");
    auto follower = sessions().follow_output(id, number);
    auto left = begin(follower.next());
    cancel(left);
    BOOST_TEST_REQUIRE(left->done());
    BOOST_TEST(left->answer->has_error());
    auto stopped = begin(follower.next());
    auto waiting = begin(sessions().wait(id, number));
    stop().value();
    BOOST_TEST(stopped->answer->error().is(Errc::stopped));
    BOOST_TEST(waiting->answer->error().is(Errc::stopped));
}

BOOST_AUTO_TEST_CASE(an_interrupt_stops_one_statement_and_no_other) {
    start();
    agents->answer("loop", {.endless = true});
    const auto id = open();
    const auto other = open();
    const auto running = execute(id, "loop");
    const auto waiting = execute(id, "wait");
    const auto last = execute(id, "last");
    const auto elsewhere = execute(other, "loop");
    settle();
    interrupt(id, waiting);
    interrupt(id, running);
    settle();
    BOOST_TEST((state(id, running) == StatementState::cancelled));
    BOOST_TEST((state(id, waiting) == StatementState::cancelled));
    BOOST_TEST(echo_of(statement(id, last)) == "last");
    BOOST_TEST(agents->runs(id, "wait") == 0u);
    BOOST_TEST((state(other, elsewhere) == StatementState::running));
    BOOST_TEST((state(id) == SessionState::idle));
    interrupt(id, last);  // it is over
    BOOST_TEST((state(id, last) == StatementState::available));
}

BOOST_AUTO_TEST_CASE(a_statement_cancelled_before_any_agent_knew_it_never_runs) {
    start();
    agents->hold("dial");
    const auto id = open();
    const auto number = execute(id, "never");
    interrupt(id, number);
    BOOST_TEST((state(id, number) == StatementState::cancelled));
    agents->let_go("dial");
    settle();
    const auto next = execute(id, "next");
    settle();
    BOOST_TEST(agents->runs(id, "never") == 0u);
    BOOST_TEST(echo_of(statement(id, next)) == "next");
}

BOOST_AUTO_TEST_CASE(interrupts_that_are_not_heeded_are_counted_and_may_end_the_session) {
    start();
    agents->answer("deaf", {.endless = true, .swallows_interrupts = true});
    const auto id = open();
    const auto number = execute(id, "deaf");
    settle();
    InterruptRequest request;
    request.statement = number;
    BOOST_TEST(
        (ask(sessions().interrupt(id, request)).value().state() == StatementState::cancelling));
    settle();
    BOOST_TEST(statement(id, number).unheeded_interrupts == 1);
    request.end_session_after = std::chrono::milliseconds{0};
    ask(sessions().interrupt(id, request)).value();
    settle();
    BOOST_TEST((state(id, number) == StatementState::cancelled));
    BOOST_TEST((state(id) == SessionState::dead));
    BOOST_TEST(session(id).application.reason.find("interrupt_unheeded") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(wrong_requests_are_refused_with_their_field) {
    start();
    auto wrong = session_spec();
    wrong.kind = "cobol";
    const auto kind = ask(sessions().open(wrong));
    BOOST_TEST(kind.error().is(Errc::invalid_argument));
    BOOST_TEST(kind.error().field == "kind");
    BOOST_TEST(kind.error().detail.find("pyspark") != std::string::npos);
    wrong = session_spec();
    wrong.spec.file = "/job.py";
    BOOST_TEST(ask(sessions().open(wrong)).error().field == "file");
    wrong = session_spec();
    wrong.spec.driver_memory = "much";
    BOOST_TEST(ask(sessions().open(wrong)).error().field == "driverMemory");
    BOOST_TEST(ask(sessions().list({})).value().total == 0);

    auto shared = session_spec();
    shared.kind.clear();
    const auto id = open(shared);
    BOOST_TEST(ask(sessions().execute(id, code("1"))).error().field == "kind");
    BOOST_TEST(ask(sessions().execute(id, code("1", "cobol"))).error().field == "kind");
    BOOST_TEST(ask(sessions().execute(id, code("1", "sql"))).has_value());
    auto long_code = code(std::string((4u << 20) + 1, '#'), "sql");
    BOOST_TEST(ask(sessions().execute(id, long_code)).error().field == "code");
    BOOST_TEST(ask(sessions().execute(SessionId{9}, code("1"))).error().field == "session");
    BOOST_TEST(ask(sessions().find_statement(id, StatementId{9})).error().field == "statement");
    BOOST_TEST(ask(sessions().close(SessionId{9})).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(limits_names_and_keys_are_kept) {
    options.max_sessions = 2;
    options.max_statements = 1;
    start();
    auto named = session_spec("a");
    named.spec.idempotency_key = "k";
    const auto id = open(named);
    BOOST_TEST((open(named) == id));
    auto changed = named;
    changed.kind = "sql";
    BOOST_TEST(ask(sessions().open(changed)).error().field == "idempotency_key");
    BOOST_TEST(ask(sessions().open(session_spec("a"))).error().field == "name");
    open();
    BOOST_TEST(ask(sessions().open(session_spec())).error().is(Errc::rejected));
    BOOST_TEST((open(named) == id));
    agents->hold("statement");
    execute(id, "1");
    BOOST_TEST(ask(sessions().execute(id, code("2"))).error().is(Errc::rejected));
    ask(sessions().close(id)).value();
    settle();
    BOOST_TEST(ask(sessions().open(session_spec())).has_value());
}

BOOST_AUTO_TEST_CASE(sessions_and_statements_are_listed) {
    start();
    const auto first = open();
    const auto second = open();
    for (const char* text : {"a", "b", "c"}) {
        execute(first, text);
    }
    settle();
    auto page = ask(sessions().list({.offset = 1})).value();
    BOOST_TEST(page.total == 2);
    BOOST_TEST_REQUIRE(page.sessions.size() == 1u);
    BOOST_TEST((page.sessions[0] == session(second)));
    auto statements =
        ask(sessions().list_statements({.session = first, .limit = 2, .newest_first = true}))
            .value();
    BOOST_TEST(statements.total == 3);
    BOOST_TEST_REQUIRE(statements.statements.size() == 2u);
    BOOST_TEST(statements.statements[0].spec.code == "c");
    BOOST_TEST(session(first).statements == 3);
    BOOST_TEST(ask(sessions().list_statements({.session = SessionId{9}})).has_error());
}

BOOST_AUTO_TEST_CASE(a_session_whose_spark_does_not_start_is_dead_with_the_reason) {
    start();
    StatementResult why;
    why.outcome = StatementOutcome::error;
    why.error_name = "JAVA_GATEWAY_EXITED";
    why.error_value = "Java gateway process exited";
    agents->fail_start(why);
    const auto id = open();
    const auto record = ask(sessions().wait_until_started(id)).value();
    settle();
    BOOST_TEST((state(id) == SessionState::dead));
    BOOST_TEST(session(id).application.reason.find("Java gateway process exited") !=
               std::string::npos);
    BOOST_TEST(ask(sessions().execute(id, code("1"))).error().is(Errc::invalid_state));
}

BOOST_AUTO_TEST_CASE(statements_of_a_driver_that_dies_are_cancelled_with_the_reason) {
    start();
    agents->hold("statement");
    const auto id = open();
    const auto running = execute(id, "a");
    const auto waiting = execute(id, "b");
    auto answer = begin(sessions().wait(id, running));
    agents->write(id, {OutputStream::standard_output, "last words"});
    agents->crash(id);
    settle();
    BOOST_TEST((state(id) == SessionState::dead));
    BOOST_TEST_REQUIRE(answer->done());
    const auto& result = answer->answer->value().result.value();
    BOOST_TEST((result.outcome == StatementOutcome::cancelled));
    BOOST_TEST(result.error_name == "SessionEnded");
    BOOST_TEST((state(id, waiting) == StatementState::cancelled));
    BOOST_TEST(session(id).open_statements == 0);
    BOOST_TEST((session(id).application.phase == BatchPhase::released));
    restart();
    BOOST_TEST((state(id, waiting) == StatementState::cancelled));
    BOOST_TEST(session(id).statements == 2);
}

BOOST_AUTO_TEST_CASE(a_session_that_does_not_end_by_itself_is_killed) {
    options.session_close_grace = std::chrono::seconds{10};
    start();
    agents->hold("exit");
    const auto id = open();
    ask(sessions().close(id)).value();
    settle();
    BOOST_TEST(cluster->calls("kill") == 0u);
    advance(std::chrono::seconds{11});
    BOOST_TEST(cluster->calls("kill") == 1u);
    BOOST_TEST((state(id) == SessionState::killed));
}

BOOST_AUTO_TEST_CASE(a_session_that_stops_spark_in_order_is_not_killed_meanwhile) {
    cluster = std::make_shared<FakeCluster>();  // nobody moves its drivers along
    start();
    const auto id = open();
    cluster->start(ticket(id));
    agents->start(id);
    settle();
    BOOST_TEST((state(id) == SessionState::idle));
    ask(sessions().close(id)).value();
    settle();
    BOOST_TEST(agents->exit_code(id).value() == 0);  // its last word is said, the JVM still ends
    BOOST_TEST(cluster->calls("kill") == 0u);
    BOOST_TEST((state(id) == SessionState::shutting_down));
    cluster->end(ticket(id), Outcome::success, 0);
    settle();
    BOOST_TEST((state(id) == SessionState::success));
    BOOST_TEST(cluster->calls("kill") == 0u);
}

BOOST_AUTO_TEST_CASE(a_session_can_be_erased_at_any_time) {
    for (const char* held : {"prepare", "dial", "ready", "statement", ""}) {
        BOOST_TEST_CONTEXT("while at " << held) {
            SessionFixture fixture;
            fixture.start();
            if (*held != 0) {
                fixture.agents->hold(held);
            }
            const auto id = fixture.open();
            const auto running = fixture.execute(id, "a");
            const auto waiting = fixture.execute(id, "b");
            auto asked = fixture.begin(fixture.sessions().wait(id, waiting));
            auto erased = fixture.begin(fixture.sessions().erase(id));
            for (const char* each : {"prepare", "dial", "ready", "statement"}) {
                fixture.agents->let_go(each);
            }
            fixture.settle();
            fixture.advance(std::chrono::seconds{11});
            fixture.advance(std::chrono::seconds{11});
            BOOST_TEST_REQUIRE(erased->done());
            BOOST_TEST(erased->answer->has_value());
            BOOST_TEST(asked->done());
            BOOST_TEST(fixture.ask(fixture.sessions().find(id)).error().is(Errc::not_found));
            BOOST_TEST(fixture.ask(fixture.sessions().find_statement(id, running))
                           .error()
                           .is(Errc::not_found));
            Query left;
            left.kind = RecordKind::statement;
            BOOST_TEST(fixture.ask(fixture.store->list(left)).value().total == 0);
            BOOST_TEST(std::filesystem::is_empty(fixture.dir / "sessions/claims"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_session_that_is_refused_leaves_nothing_behind) {
    start();
    cluster->fail_next("reserve", Error(Errc::backend_failed, "no room"));
    const auto id = open();
    BOOST_TEST((state(id) == SessionState::dead));
    BOOST_TEST(session(id).application.reason == "no room");
    BOOST_TEST(agents->calls("release") == 1u);
    BOOST_TEST(std::filesystem::is_empty(dir / "sessions/claims"));

    agents->fail_next("prepare", Error(Errc::invalid_argument, "no such setting", "conf.x"));
    const auto other = open();
    BOOST_TEST(session(other).application.reason == "conf.x: no such setting");
    BOOST_TEST(agents->calls("release") == 2u);
    BOOST_TEST(std::filesystem::is_empty(dir / "sessions/claims"));
}

BOOST_AUTO_TEST_CASE(a_session_has_a_log) {
    start();
    const auto id = open();
    cluster->append_log(ticket(id), "hello from the driver");
    const auto page = ask(sessions().read_log({.id = id})).value();
    BOOST_TEST(page.lines == Words{"hello from the driver"}, boost::test_tools::per_element());
    BOOST_TEST(ask(sessions().read_log({.id = SessionId{9}})).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(completions_come_from_the_agent) {
    start();
    const auto id = open();
    const auto found =
        ask(sessions().complete(id, {.kind = "pyspark", .code = "pri", .cursor = 3}));
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->candidates == Words{"print"}, boost::test_tools::per_element());
    agents->drop_connection(id);
    settle();
    BOOST_TEST(ask(sessions().complete(id, {})).error().is(Errc::invalid_state));
}

BOOST_AUTO_TEST_CASE(a_list_shows_no_session_newer_than_find_does) {
    start();
    const auto id = open();
    settle();
    const auto agrees = [&] {
        const auto listed = ask(sessions().list({})).value().sessions;
        BOOST_TEST_REQUIRE(!listed.empty());
        for (const auto& each : listed) {
            BOOST_TEST((session(each.id) == each));
        }
        return listed.size();
    };
    faults().hold_commits(StorageFaults::Hold::after_writing);  // durable, and not known here
    auto closing = begin(sessions().close(id));
    BOOST_TEST(agrees() == 1u);
    auto opening = begin(sessions().open(session_spec()));
    BOOST_TEST(agrees() == 2u);
    while (faults().let_one_go()) {
        settle();
        agrees();
    }
    faults().let_go();
    settle();
    BOOST_TEST(closing->done());
    BOOST_TEST(opening->done());
    agrees();
}

BOOST_AUTO_TEST_CASE(sessions_do_not_take_slots_of_batches) {
    options.max_running = 1;
    start();
    open();
    open();
    const auto batch = submit();
    settle();
    BOOST_TEST((phase(batch.id) == BatchPhase::submitted));
    BOOST_TEST(host().status().sessions == 2);
    BOOST_TEST(host().status().connected_agents == 2);
    BOOST_TEST(host().status().active == 1);
}

BOOST_AUTO_TEST_CASE(a_host_without_runtimes_has_no_sessions) {
    add_plugins = {};
    start();
    BOOST_TEST(ask(sessions().open(session_spec())).error().is(Errc::not_supported));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
