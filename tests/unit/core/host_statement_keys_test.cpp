// SPDX-License-Identifier: Apache-2.0
#include "session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

// Idempotency keys of statements and jobs: who repeats a request gets the first answer.

namespace sparkhost::host_test {

namespace statement_keys_test {

struct KeyFixture : SessionFixture {
    KeyFixture() { options.session_idle_timeout = std::chrono::seconds{0}; }

    static StatementSpec keyed(std::string text, std::string key = "k") {
        auto made = code(std::move(text));
        made.idempotency_key = std::move(key);
        return made;
    }
    Result<StatementRecord> post(SessionId id, StatementSpec wanted) {
        return ask(sessions().execute(id, std::move(wanted)));
    }
    std::int64_t count(SessionId id) {
        return ask(sessions().list_statements({.session = id})).value().total;
    }
    void let_retries_pass() {
        for (int round = 0; round < 20; ++round) {
            advance(std::chrono::seconds(31));
        }
    }
};

constexpr std::array faults_tried{StorageFault::failed, StorageFault::indeterminate_written,
                                  StorageFault::indeterminate_lost};

}  // namespace statement_keys_test

using statement_keys_test::KeyFixture;

BOOST_FIXTURE_TEST_SUITE(host_statement_keys, KeyFixture)

BOOST_AUTO_TEST_CASE(the_same_request_with_the_same_key_gives_the_first_statement) {
    start();
    const auto id = open();
    execute(id, "before");
    agents->hold("statement");
    const auto first = post(id, keyed("a")).value();
    settle();
    BOOST_TEST(first.spec.idempotency_key == "k");
    const auto running = post(id, keyed("a")).value();
    BOOST_TEST((running.spec.id == first.spec.id));
    BOOST_TEST((running.state() == StatementState::running));
    agents->let_go("statement");
    settle();
    const auto over = post(id, keyed("a")).value();
    BOOST_TEST((over.spec.id == first.spec.id));
    BOOST_TEST(echo_of(over) == "a");
    restart();
    BOOST_TEST((post(id, keyed("a")).value().spec.id == first.spec.id));
    BOOST_TEST(count(id) == 2);
    come_back(id);
    BOOST_TEST(agents->runs(id, "a") == 1u);
}

BOOST_AUTO_TEST_CASE(another_request_with_the_same_key_is_refused) {
    start();
    const auto id = open();
    post(id, keyed("a")).value();
    auto job = keyed("a");
    job.job = true;
    auto other_kind = keyed("a");
    other_kind.kind = "sql";
    for (const auto& other : {keyed("b"), job, other_kind}) {
        const auto answer = post(id, other);
        BOOST_TEST_REQUIRE(answer.has_error());
        BOOST_TEST(answer.error().is(Errc::already_exists));
        BOOST_TEST(answer.error().field == "idempotency_key");
    }
    auto spelled_out = keyed("a");
    spelled_out.kind = "pyspark";  // the session's own
    BOOST_TEST(post(id, spelled_out).has_value());
    BOOST_TEST(count(id) == 1);
}

BOOST_AUTO_TEST_CASE(keys_of_other_sessions_and_owners_are_others) {
    start();
    const auto one = open();
    const auto two = open();
    post(one, keyed("a")).value();
    BOOST_TEST((post(two, keyed("b")).value().spec.id == StatementId{0}));
    auto of_anna = keyed("c");
    of_anna.owner = "anna";
    BOOST_TEST((post(one, of_anna).value().spec.id == StatementId{1}));
    BOOST_TEST((post(one, of_anna).value().spec.id == StatementId{1}));
}

BOOST_AUTO_TEST_CASE(a_full_queue_still_answers_a_repeated_request) {
    options.max_statements = 1;
    start();
    const auto id = open();
    agents->hold("statement");
    post(id, keyed("a")).value();
    BOOST_TEST(post(id, code("b")).error().is(Errc::rejected));
    BOOST_TEST(post(id, keyed("a", "another")).error().is(Errc::rejected));
    BOOST_TEST(post(id, keyed("a")).has_value());
    BOOST_TEST(count(id) == 1);
}

BOOST_AUTO_TEST_CASE(one_that_is_being_accepted_counts_and_its_repetition_does_not) {
    options.max_statements = 1;
    start();
    const auto id = open();
    faults().hold_commits();
    auto first = begin(sessions().execute(id, keyed("a")));
    auto again = begin(sessions().execute(id, keyed("a")));
    BOOST_TEST(!again->done());
    BOOST_TEST(post(id, code("b")).error().is(Errc::rejected));
    faults().let_go();
    settle();
    BOOST_TEST_REQUIRE((first->done() && again->done()));
    BOOST_TEST((first->answer->value().spec.id == again->answer->value().spec.id));
    BOOST_TEST(count(id) == 1);
    BOOST_TEST(agents->runs(id, "a") == 1u);
}

BOOST_AUTO_TEST_CASE(a_duplicate_among_others_fails_none_of_them) {
    start();
    const auto id = open();
    faults().hold_commits();
    std::vector<PendingPtr<StatementRecord>> calls;
    for (const auto& wanted : {code("x"), keyed("a"), keyed("a"), keyed("b"), code("y")}) {
        calls.push_back(begin(sessions().execute(id, wanted)));
    }
    faults().let_go();
    settle();
    std::vector<std::int64_t> numbers;
    for (const auto& call : calls) {
        BOOST_TEST_REQUIRE(call->done());
        numbers.push_back(call->answer->has_value() ? call->answer->value().spec.id.value : -1);
    }
    BOOST_TEST(numbers == (std::vector<std::int64_t>{0, 1, 1, -1, 2}));
    BOOST_TEST(calls[3]->answer->error().field == "idempotency_key");
    BOOST_TEST(agents->runs(id, "a") == 1u);
    BOOST_TEST(agents->runs(id, "y") == 1u);
}

BOOST_AUTO_TEST_CASE(a_session_that_is_ending_or_has_ended_still_answers_a_repeated_request) {
    start();
    const auto id = open();
    const auto first = post(id, keyed("a")).value().spec.id;
    settle();
    cluster->hold("kill");
    ask(sessions().close(id)).value();
    BOOST_TEST((post(id, keyed("a")).value().spec.id == first));
    BOOST_TEST(post(id, keyed("b")).error().field == "idempotency_key");
    BOOST_TEST(post(id, keyed("a", "new")).error().is(Errc::invalid_state));
    cluster->let_go("kill");
    advance(options.session_close_grace);
    for (const bool again : {false, true}) {
        if (again) {
            restart();
        }
        BOOST_TEST_REQUIRE(session(id).has_ended());
        const auto over = post(id, keyed("a")).value();
        BOOST_TEST((over.spec.id == first));
        BOOST_TEST(echo_of(over) == "a");
        BOOST_TEST(post(id, keyed("a", "new")).error().is(Errc::invalid_state));
    }
    ask(sessions().erase(id)).value();
    BOOST_TEST(post(id, keyed("a")).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_repetition_that_waits_while_its_session_is_closed_gets_the_first) {
    start();
    const auto id = open();
    faults().hold_commits();
    auto first = begin(sessions().execute(id, keyed("a")));
    auto again = begin(sessions().execute(id, keyed("a")));
    auto closed = begin(sessions().close(id));
    faults().let_go();
    settle();
    BOOST_TEST_REQUIRE((first->done() && again->done() && closed->done()));
    BOOST_TEST_REQUIRE(first->answer->has_value());
    BOOST_TEST_REQUIRE(again->answer->has_value());
    BOOST_TEST((first->answer->value().spec.id == again->answer->value().spec.id));
}

BOOST_AUTO_TEST_CASE(a_key_is_forgotten_when_its_time_has_passed) {
    options.idempotency_retention = 1h;
    start();
    const auto id = open();
    post(id, keyed("a")).value();
    advance(59min);
    BOOST_TEST((post(id, keyed("a")).value().spec.id == StatementId{0}));
    advance(2min);
    BOOST_TEST((post(id, keyed("b")).value().spec.id == StatementId{1}));
    BOOST_TEST((post(id, keyed("b")).value().spec.id == StatementId{1}));
    BOOST_TEST(post(id, keyed("a")).error().field == "idempotency_key");
}

BOOST_AUTO_TEST_CASE(a_malformed_key_is_refused_by_its_name) {
    start();
    const auto id = open();
    for (const auto& key : {std::string(257, 'k'), std::string("a\nb"), std::string("a\x7f")}) {
        const auto answer = post(id, keyed("a", key));
        BOOST_TEST(answer.error().is(Errc::invalid_argument));
        BOOST_TEST(answer.error().field == "idempotency_key");
    }
    BOOST_TEST(post(id, keyed("a", std::string(256, 'k'))).has_value());
    BOOST_TEST(count(id) == 1);
}

BOOST_AUTO_TEST_CASE(repeated_on_a_failing_storage_it_is_run_once) {
    for (const auto fault : statement_keys_test::faults_tried) {
        bool happened = true;
        for (std::size_t n = 0; happened; ++n) {
            BOOST_TEST_REQUIRE(n < 40u);
            BOOST_TEST_CONTEXT("fault " << static_cast<int>(fault) << " at operation " << n) {
                KeyFixture fixture;
                fixture.start();
                const auto id = fixture.open();
                fixture.faults().plan({.after = n, .fault = fault});
                auto first = fixture.begin(fixture.sessions().execute(id, keyed("a")));
                auto again = fixture.begin(fixture.sessions().execute(id, keyed("a")));
                fixture.let_retries_pass();
                happened = fixture.faults().happened();
                fixture.faults().heal();
                fixture.let_retries_pass();
                if (!fixture.agents->is_connected(id)) {
                    fixture.come_back(id);
                }
                BOOST_TEST_REQUIRE((first->done() && again->done()));
                const auto last = fixture.post(id, keyed("a")).value();
                for (const auto& call : {first, again}) {
                    BOOST_TEST((call->answer->has_error() ||
                                call->answer->value().spec.id == last.spec.id));
                }
                fixture.settle();
                BOOST_TEST(fixture.count(id) == 1);
                BOOST_TEST(fixture.agents->runs(id, "a") == 1u);
                BOOST_TEST(echo_of(fixture.statement(id, last.spec.id)) == "a");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(repeated_after_a_crash_at_its_commit_it_is_run_once) {
    for (const auto point :
         {StorageFaults::Hold::before_writing, StorageFaults::Hold::after_writing}) {
        KeyFixture fixture;
        fixture.start();
        const auto id = fixture.open();
        fixture.faults().hold_commits(point);
        auto lost = fixture.begin(fixture.sessions().execute(id, keyed("a")));
        BOOST_TEST(!lost->done());
        fixture.crash();
        fixture.start();
        fixture.come_back(id);
        const auto again = fixture.post(id, keyed("a")).value();
        fixture.settle();
        BOOST_TEST((again.spec.id == StatementId{0}));
        BOOST_TEST(fixture.count(id) == 1);
        BOOST_TEST(fixture.agents->runs(id, "a") == 1u);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
