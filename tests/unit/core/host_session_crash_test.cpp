// SPDX-License-Identifier: Apache-2.0
#include "session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

// A host that goes and comes back while its sessions live on, and stores that fail meanwhile.

namespace sparkhost::host_test {

namespace session_crash_test {

constexpr std::size_t too_many_steps = 60;
constexpr std::array faults_tried{StorageFault::failed, StorageFault::indeterminate_written,
                                  StorageFault::indeterminate_lost};
constexpr std::array points{StorageFaults::Hold::before_writing,
                            StorageFaults::Hold::after_writing};

std::string joined(const Words& words) {
    std::string text;
    for (const auto& word : words) {
        text += "\n  " + word;
    }
    return text;
}

struct CrashFixture : SessionFixture {
    void let_retries_pass() {
        for (int round = 0; round < 20; ++round) {
            advance(std::chrono::seconds(31));
        }
    }
    bool let_commits_pass(std::size_t count) {
        for (std::size_t passed = 0; passed < count; ++passed) {
            if (!faults().let_one_go()) {
                return false;
            }
            settle();
        }
        return true;
    }
};

}  // namespace session_crash_test

using session_crash_test::CrashFixture;

BOOST_FIXTURE_TEST_SUITE(host_session_crash, CrashFixture)

BOOST_AUTO_TEST_CASE(a_running_and_a_waiting_statement_outlive_the_host) {
    start();
    agents->hold("statement");
    const auto id = open();
    const auto running = execute(id, "a");
    const auto waiting = execute(id, "b");
    agents->write(id, {OutputStream::standard_output, "before "});
    settle();
    BOOST_TEST(text_of(statement(id, running).output) == "before ");
    crash();
    agents->write(id, {OutputStream::standard_output, "while away "});
    start();
    BOOST_TEST((state(id) == SessionState::busy));
    BOOST_TEST((state(id, running) == StatementState::running));
    BOOST_TEST((state(id, waiting) == StatementState::waiting));
    come_back(id);
    BOOST_TEST((state(id, running) == StatementState::running));
    agents->write(id, {OutputStream::standard_output, "after"});
    settle();
    BOOST_TEST(text_of(statement(id, running).output) == "before while away after");
    agents->finish(id, {});
    settle();
    BOOST_TEST((state(id, running) == StatementState::available));
    BOOST_TEST((state(id, waiting) == StatementState::running));
    agents->finish(id, {});
    settle();
    BOOST_TEST(agents->runs(id, "a") == 1u);
    BOOST_TEST(agents->runs(id, "b") == 1u);
    BOOST_TEST((state(id) == SessionState::idle));
}

BOOST_AUTO_TEST_CASE(a_result_that_came_while_the_host_was_away_is_there) {
    start();
    agents->hold("statement");
    const auto id = open();
    const auto number = execute(id, "a");
    crash();
    agents->let_go("statement");
    settle();
    start();
    come_back(id);
    BOOST_TEST(echo_of(statement(id, number)) == "a");
    BOOST_TEST(agents->runs(id, "a") == 1u);
}

BOOST_AUTO_TEST_CASE(a_statement_cancelled_while_no_agent_was_there_does_not_run) {
    start();
    agents->hold("statement");
    const auto id = open();
    const auto first = execute(id, "a");
    agents->drop_connection(id);
    settle();
    const auto second = execute(id, "b");
    crash();
    start();
    interrupt(id, second);  // this host cannot know whether the agent has it
    BOOST_TEST((state(id, second) == StatementState::cancelling));
    agents->let_go("statement");
    come_back(id);
    BOOST_TEST(echo_of(statement(id, first)) == "a");
    BOOST_TEST((state(id, second) == StatementState::cancelled));
    BOOST_TEST(agents->runs(id, "b") == 0u);
}

BOOST_AUTO_TEST_CASE(a_cancel_that_was_durable_is_carried_out_by_the_next_host) {
    start();
    agents->answer("loop", {.endless = true});
    const auto id = open();
    const auto number = execute(id, "loop");
    settle();
    agents->drop_connection(id);
    settle();
    interrupt(id, number);
    BOOST_TEST((state(id, number) == StatementState::cancelling));
    crash();
    start();
    come_back(id);
    BOOST_TEST((state(id, number) == StatementState::cancelled));
}

BOOST_AUTO_TEST_CASE(output_before_a_cancel_is_not_repeated_by_the_next_host) {
    start();
    agents->answer("stubborn", {.endless = true, .swallows_interrupts = true});
    const auto id = open();
    const auto number = execute(id, "stubborn");
    agents->write(id, {OutputStream::standard_output, "before "});
    settle();
    interrupt(id, number);
    crash();
    start();
    come_back(id);
    agents->write(id, {OutputStream::standard_output, "after"});
    settle();
    BOOST_TEST(text_of(statement(id, number).output) == "before after");
    agents->finish(id, {});
    settle();
    BOOST_TEST(text_of(statement(id, number).output) == "before after");
}

BOOST_AUTO_TEST_CASE(a_statement_is_shown_to_run_when_the_one_before_is_durably_over) {
    start();
    agents->hold("statement");
    const auto id = open();
    const auto first = execute(id, "a");
    const auto second = execute(id, "b");
    settle();
    faults().hold_commits();
    agents->finish(id, {});
    settle();
    BOOST_TEST(agents->runs(id, "b") == 1u);
    // the next host would show the first one running, and the second one waiting
    BOOST_TEST((state(id, first) == StatementState::running));
    BOOST_TEST((state(id, second) == StatementState::waiting));
    faults().let_go();
    settle();
    BOOST_TEST((state(id, first) == StatementState::available));
    BOOST_TEST((state(id, second) == StatementState::running));
    agents->finish(id, {});
    settle();
    BOOST_TEST(statement(id, second).started.has_value());
}

BOOST_AUTO_TEST_CASE(a_cancel_that_was_not_stored_has_changed_nothing) {
    start();
    agents->hold("dial");
    const auto id = open();
    const auto first = execute(id, "a");
    const auto second = execute(id, "b");
    faults().plan({.after = 0, .fault = StorageFault::failed});
    InterruptRequest request;
    request.statement = first;
    const auto refused = ask(sessions().interrupt(id, request));
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().is(Errc::storage_failed));
    faults().heal();
    let_retries_pass();
    BOOST_TEST((state(id, first) == StatementState::waiting));
    agents->let_go("dial");
    settle();
    BOOST_TEST(echo_of(statement(id, first)) == "a");
    BOOST_TEST(echo_of(statement(id, second)) == "b");
}

BOOST_AUTO_TEST_CASE(a_cancel_in_doubt_that_was_stored_stops_the_code) {
    options.session_idle_timeout = std::chrono::seconds{0};
    start();
    agents->answer("loop", {.endless = true});
    const auto id = open();
    const auto number = execute(id, "loop");
    settle();
    faults().plan({.after = 0, .fault = StorageFault::indeterminate_written});
    InterruptRequest request;
    request.statement = number;
    BOOST_TEST(ask(sessions().interrupt(id, request)).error().is(Errc::indeterminate));
    faults().heal();
    let_retries_pass();
    BOOST_TEST((state(id, number) == StatementState::cancelled));
}

BOOST_AUTO_TEST_CASE(followed_output_has_no_holes_and_no_repetitions_across_connections) {
    start();
    agents->hold("statement");
    const auto id = open();
    const auto number = execute(id, "a");
    auto follower = sessions().follow_output(id, number);
    std::string got;
    for (const char* piece : {"one ", "two ", "three "}) {
        agents->write(id, {OutputStream::standard_output, piece});
        settle();
        got += text_of(ask(follower.next()).value());
        agents->redial(id);
        settle();
    }
    BOOST_TEST(got == "one two three ");
    auto quiet = begin(follower.next());
    BOOST_TEST(!quiet->done());
    cancel(quiet);
}

BOOST_AUTO_TEST_CASE(a_tidy_stop_leaves_sessions_alone) {
    start();
    const auto id = open();
    execute(id, "a");
    settle();
    restart();
    BOOST_TEST((state(id) == SessionState::idle));
    come_back(id);
    BOOST_TEST(agents->is_connected(id));
    const auto number = execute(id, "b");
    settle();
    BOOST_TEST(number.value == 1);
    BOOST_TEST(echo_of(statement(id, number)) == "b");
}

BOOST_AUTO_TEST_CASE(an_agent_is_let_in_once_and_again_with_its_own_key_only) {
    start();
    agents->hold("dial");
    const auto id = open();
    agents->lose_next_grant(id);
    agents->let_go("dial");
    settle();
    BOOST_TEST(!agents->is_connected(id));
    come_back(id);  // claims again with the same nonce
    BOOST_TEST(agents->is_connected(id));
    crash();
    start();
    come_back(id);  // resumes
    BOOST_TEST(agents->is_connected(id));
    BOOST_TEST(agents->last_refusal(id) == "");
}

BOOST_AUTO_TEST_CASE(a_closed_session_takes_the_claim_first) {
    start();
    agents->hold("dial");
    const auto id = open();
    cluster->hold("kill");
    ask(sessions().close(id)).value();
    agents->let_go("dial");
    settle();
    BOOST_TEST(agents->last_refusal(id) == "later");
    BOOST_TEST((state(id) == SessionState::shutting_down));
    cluster->let_go("kill");
    settle();
    BOOST_TEST((state(id) == SessionState::killed));
}

BOOST_AUTO_TEST_CASE(an_agent_whose_session_is_being_killed_waits_for_it) {
    start();
    const auto id = open();
    agents->drop_connection(id);
    settle();
    cluster->hold("kill");
    ask(sessions().close(id)).value();
    crash();
    start();
    come_back(id);  // told that all is over it would end by itself, and its session be dead
    cluster->let_go("kill");
    settle();
    BOOST_TEST((state(id) == SessionState::killed));
}

BOOST_AUTO_TEST_CASE(an_agent_that_comes_before_the_host_is_ready_comes_again) {
    start();
    const auto id = open();
    crash();
    cluster->hold("open");
    start();
    come_back(id);
    BOOST_TEST(agents->last_refusal(id) == "later");
    cluster->let_go("open");
    settle();
    come_back(id);
    BOOST_TEST(agents->is_connected(id));
}

BOOST_AUTO_TEST_CASE(a_crash_at_any_commit_neither_loses_nor_doubles_a_statement) {
    std::size_t crashes = 0;
    for (const auto point : session_crash_test::points) {
        bool through = false;
        for (std::size_t step = 0; !through; ++step) {
            BOOST_TEST_REQUIRE(step < session_crash_test::too_many_steps);
            BOOST_TEST_CONTEXT("step " << step << " point " << static_cast<int>(point)) {
                CrashFixture fixture;
                fixture.start();
                fixture.faults().hold_commits(point);
                auto opened = fixture.begin(fixture.sessions().open(session_spec()));
                const SessionId id{0};
                PendingPtr<StatementRecord> asked;
                std::size_t passed = 0;
                for (; passed < step && fixture.let_commits_pass(1); ++passed) {
                    if (opened->done() && !asked) {
                        asked = fixture.begin(fixture.sessions().execute(id, code("a")));
                    }
                }
                through = passed < step || fixture.faults().held() == 0;
                fixture.crash();
                fixture.start();
                const auto known = fixture.ask(fixture.sessions().list({})).value().total;
                BOOST_TEST((known == 1 || !opened->done()));
                if (known == 1) {
                    fixture.let_retries_pass();
                    fixture.come_back(id);
                    BOOST_TEST((fixture.state(id) == SessionState::idle),
                               to_string(fixture.state(id))
                                   << session_crash_test::joined(fixture.event_types(id))
                                   << session_crash_test::joined(fixture.logged));
                    const auto statements =
                        fixture.ask(fixture.sessions().list_statements({.session = id})).value();
                    BOOST_TEST((statements.total == 1 || !asked || !asked->done()));
                    for (const auto& each : statements.statements) {
                        BOOST_TEST(echo_of(each) == "a");
                    }
                    BOOST_TEST(fixture.agents->runs(id, "a") ==
                               static_cast<std::size_t>(statements.total));
                    BOOST_TEST(fixture.cluster->starts(fixture.ticket(id)) == 1u);
                }
                ++crashes;
            }
        }
    }
    BOOST_TEST(crashes >= 16u);
}

BOOST_AUTO_TEST_CASE(a_storage_that_fails_once_at_any_operation_loses_and_doubles_nothing) {
    for (const auto fault : session_crash_test::faults_tried) {
        bool happened = true;
        for (std::size_t n = 0; happened; ++n) {
            BOOST_TEST_REQUIRE(n < session_crash_test::too_many_steps);
            BOOST_TEST_CONTEXT("fault " << static_cast<int>(fault) << " at operation " << n) {
                CrashFixture fixture;
                fixture.options.session_idle_timeout = std::chrono::seconds{0};
                fixture.start();
                const auto id = fixture.open();
                fixture.faults().plan({.after = n, .fault = fault});
                auto first = fixture.begin(fixture.sessions().execute(id, code("a")));
                auto second = fixture.begin(fixture.sessions().execute(id, code("b")));
                fixture.let_retries_pass();
                happened = fixture.faults().happened();
                fixture.faults().heal();
                fixture.let_retries_pass();
                if (!fixture.agents->is_connected(id)) {
                    fixture.come_back(id);
                }
                BOOST_TEST_REQUIRE((first->done() && second->done()));
                BOOST_TEST((fixture.state(id) == SessionState::idle));
                const auto statements =
                    fixture.ask(fixture.sessions().list_statements({.session = id})).value();
                std::size_t runs = 0;
                for (const auto& each : statements.statements) {
                    BOOST_TEST(echo_of(each) == each.spec.code);
                    runs += fixture.agents->runs(id, each.spec.code);
                }
                BOOST_TEST(runs == static_cast<std::size_t>(statements.total));
                const int answered = (*first->answer ? 1 : 0) + (*second->answer ? 1 : 0);
                BOOST_TEST(statements.total >= answered);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_session_that_opens_on_a_failing_storage_comes_up_or_was_never_there) {
    for (const auto fault : session_crash_test::faults_tried) {
        bool happened = true;
        for (std::size_t n = 0; happened; ++n) {
            BOOST_TEST_REQUIRE(n < session_crash_test::too_many_steps);
            BOOST_TEST_CONTEXT("fault " << static_cast<int>(fault) << " at operation " << n) {
                CrashFixture fixture;
                fixture.options.session_idle_timeout = std::chrono::seconds{0};
                fixture.start();
                fixture.faults().plan({.after = n, .fault = fault});
                auto opened = fixture.begin(fixture.sessions().open(session_spec()));
                fixture.let_retries_pass();
                happened = fixture.faults().happened();
                fixture.faults().heal();
                fixture.let_retries_pass();
                BOOST_TEST_REQUIRE(opened->done());
                const auto page = fixture.ask(fixture.sessions().list({})).value();
                BOOST_TEST((page.total == 1 || !opened->answer->has_value()));
                if (page.total == 1) {
                    const SessionId id{0};
                    fixture.come_back(id);
                    BOOST_TEST((fixture.state(id) == SessionState::idle),
                               session_crash_test::joined(fixture.event_types(id)));
                    const auto number = fixture.execute(id, "a");
                    fixture.settle();
                    BOOST_TEST(echo_of(fixture.statement(id, number)) == "a");
                    BOOST_TEST(fixture.cluster->starts(fixture.ticket(id)) == 1u);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(statements_are_settled_although_the_storage_fails_while_a_session_dies) {
    for (const auto fault : session_crash_test::faults_tried) {
        bool happened = true;
        for (std::size_t n = 0; happened; ++n) {
            BOOST_TEST_REQUIRE(n < session_crash_test::too_many_steps);
            BOOST_TEST_CONTEXT("fault " << static_cast<int>(fault) << " at operation " << n) {
                CrashFixture fixture;
                fixture.start();
                fixture.agents->hold("statement");
                const auto id = fixture.open();
                const auto running = fixture.execute(id, "a");
                const auto waiting = fixture.execute(id, "b");
                fixture.faults().plan({.after = n, .fault = fault});
                fixture.agents->crash(id);
                fixture.let_retries_pass();
                happened = fixture.faults().happened();
                fixture.faults().heal();
                fixture.let_retries_pass();
                BOOST_TEST((fixture.state(id) == SessionState::dead));
                BOOST_TEST((fixture.state(id, running) == StatementState::cancelled));
                BOOST_TEST((fixture.state(id, waiting) == StatementState::cancelled));
                BOOST_TEST((fixture.session(id).application.phase == BatchPhase::released));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_erase_meets_a_failing_storage_and_is_carried_through) {
    for (const auto fault : session_crash_test::faults_tried) {
        bool happened = true;
        for (std::size_t n = 0; happened; ++n) {
            BOOST_TEST_REQUIRE(n < session_crash_test::too_many_steps);
            BOOST_TEST_CONTEXT("fault " << static_cast<int>(fault) << " at operation " << n) {
                CrashFixture fixture;
                fixture.start();
                const auto id = fixture.open();
                fixture.execute(id, "a");
                fixture.faults().plan({.after = n, .fault = fault});
                auto erased = fixture.begin(fixture.sessions().erase(id));
                fixture.let_retries_pass();
                happened = fixture.faults().happened();
                fixture.faults().heal();
                fixture.let_retries_pass();
                BOOST_TEST_REQUIRE(erased->done());
                if (erased->answer->has_error()) {
                    const auto again = fixture.ask(fixture.sessions().erase(id));
                    BOOST_TEST((again.has_value() || again.error().is(Errc::not_found)));
                }
                fixture.let_retries_pass();
                BOOST_TEST(fixture.ask(fixture.sessions().list({})).value().total == 0);
                Query left;
                left.kind = RecordKind::statement;
                BOOST_TEST(fixture.ask(fixture.store->list(left)).value().total == 0);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_agent_that_comes_back_while_a_cancel_is_being_stored_loses_no_output) {
    agents->answer("loud", {.output = {{OutputStream::standard_output, "words\n"}}});
    agents->hold("statement");
    start();
    const auto id = open();
    const auto first = execute(id, "first");
    const auto second = execute(id, "loud");
    agents->drop_connection(id);
    settle();
    faults().hold_commits();
    const auto wish = begin(sessions().interrupt(id, InterruptRequest{first}));
    agents->redial(id);
    settle();
    agents->let_go("statement");
    settle();
    faults().let_go();
    settle();
    BOOST_TEST(wish->done());
    BOOST_TEST((state(id, second) == StatementState::available));
    BOOST_TEST(text_of(statement(id, second).output) == "words\n");
    BOOST_TEST(agents->runs(id, "loud") == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
