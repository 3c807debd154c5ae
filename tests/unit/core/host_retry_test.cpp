// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

// Batches that are tried again when they fail.

namespace sparkhost::host_test {

namespace retry_test {

struct RetryFixture : HostFixture {
    static BatchSpec retried(int attempts = 3, std::chrono::milliseconds delay = 10s) {
        auto made = spec();
        made.retry.max_attempts = attempts;
        made.retry.delay = delay;
        made.retry.factor = 2;
        made.retry.jitter = 0;
        return made;
    }
    void fail(BatchId id, int exit_code = 1) {
        cluster->start(ticket(id));
        settle();
        finish(id, Outcome::failed, exit_code);
    }
    std::size_t starts() const { return cluster->submitted().size(); }
};

}  // namespace retry_test

using retry_test::RetryFixture;

BOOST_FIXTURE_TEST_SUITE(host_retry, RetryFixture)

BOOST_AUTO_TEST_CASE(a_batch_that_fails_is_tried_again_with_a_ticket_of_its_own) {
    start();
    const auto id = submit(retried()).id;
    const auto first = ticket(id);
    auto waiter = begin(host().wait(id));
    fail(id, 7);
    auto record = find(id);
    BOOST_TEST(record.phase == BatchPhase::waiting);
    BOOST_TEST(record.state() == BatchState::running);
    BOOST_TEST_REQUIRE(record.attempts.size() == 1u);
    BOOST_TEST(record.attempts[0].ticket == first);
    BOOST_TEST(*record.attempts[0].exit_code == 7);
    BOOST_TEST(record.attempts[0].outcome == Outcome::failed);
    BOOST_TEST(record.attempts[0].started.has_value());
    BOOST_TEST((record.next_attempt->at == clock->now() + 10s));
    BOOST_TEST(cluster->calls("release") == 1u);
    advance(9s);
    BOOST_TEST(starts() == 1u);
    advance(1s);
    BOOST_TEST(starts() == 2u);
    record = find(id);
    BOOST_TEST(record.phase == BatchPhase::submitted);
    BOOST_TEST(record.state() == BatchState::running);
    BOOST_TEST(record.ticket != first);
    BOOST_TEST(record.attempt == 2);
    BOOST_TEST(!record.next_attempt);
    BOOST_TEST(!waiter->done());
    fail(id);
    advance(19s);
    BOOST_TEST(starts() == 2u);
    advance(1s);
    BOOST_TEST(starts() == 3u);
    finish(id);
    BOOST_TEST_REQUIRE(waiter->done());
    BOOST_TEST(waiter->answer->value().state() == BatchState::success);
    record = find(id);
    BOOST_TEST(record.phase == BatchPhase::released);
    BOOST_TEST(record.attempt == 3);
    BOOST_TEST(record.attempts.size() == 2u);
    const Words wanted{"batch.accepted", "batch.reserved",      "batch.submitted",
                       "batch.running",  "batch.attempt_ended", "batch.waiting",
                       "batch.requeued", "batch.reserved",      "batch.submitted",
                       "batch.running",  "batch.attempt_ended", "batch.waiting",
                       "batch.requeued", "batch.reserved",      "batch.submitted",
                       "batch.ended",    "batch.released"};
    BOOST_TEST(event_types(id) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_last_failure_is_the_batchs) {
    start();
    const auto id = submit(retried(2)).id;
    fail(id, 1);
    advance(10s);
    fail(id, 2);
    const auto record = find(id);
    BOOST_TEST(record.state() == BatchState::dead);
    BOOST_TEST(*record.exit_code == 2);
    BOOST_TEST(record.phase == BatchPhase::released);
    advance(24h);
    BOOST_TEST(starts() == 2u);
    BOOST_TEST(host().status().ended_by_state[static_cast<std::size_t>(BatchState::dead)] == 1);
    BOOST_TEST(host().status().by_phase[static_cast<std::size_t>(BatchPhase::released)] == 1);
}

BOOST_AUTO_TEST_CASE(without_a_policy_and_after_a_success_there_is_one_attempt) {
    start();
    const auto plain = submit().id;
    fail(plain);
    BOOST_TEST(find(plain).state() == BatchState::dead);
    const auto good = submit(retried()).id;
    finish(good);
    BOOST_TEST(find(good).state() == BatchState::success);
    advance(24h);
    BOOST_TEST(starts() == 2u);
}

BOOST_AUTO_TEST_CASE(the_sites_policy_fills_in_what_a_request_does_not_say) {
    options.retry = retried(2, 1min).retry;
    start();
    const auto by_site = submit().id;
    BOOST_TEST((find(by_site).spec.retry == options.retry));
    auto once = spec();
    once.retry.max_attempts = 1;
    const auto by_request = submit(once).id;
    fail(by_site);
    fail(by_request);
    BOOST_TEST(phase(by_site) == BatchPhase::waiting);
    BOOST_TEST(find(by_request).state() == BatchState::dead);
    advance(1min);
    BOOST_TEST(starts() == 3u);
}

BOOST_AUTO_TEST_CASE(what_could_not_be_started_is_tried_again_and_what_never_can_is_not) {
    start();
    cluster->fail_next("reserve", Error(Errc::backend_failed, "no room"));
    const auto id = submit(retried()).id;
    auto record = find(id);
    BOOST_TEST(record.phase == BatchPhase::waiting);
    BOOST_TEST(record.state() == BatchState::starting);
    BOOST_TEST(record.attempt == 0);
    BOOST_TEST(record.attempts.at(0).ticket == "");
    cluster->fail_next("submit", Error(Errc::backend_failed, "no answer"));
    advance(10s);
    record = find(id);
    BOOST_TEST(record.attempts.size() == 2u);
    BOOST_TEST(record.attempts[1].ticket != "");
    BOOST_TEST(record.attempt == 2);
    advance(20s);
    BOOST_TEST(find(id).attempt == 3);
    finish(id);
    BOOST_TEST(find(id).state() == BatchState::success);
    cluster->fail_next("reserve", Error(Errc::invalid_argument, "no such file", "file"));
    BOOST_TEST(find(submit(retried()).id).state() == BatchState::dead);
    BOOST_TEST(starts() == 1u);
}

BOOST_AUTO_TEST_CASE(a_lost_application_is_tried_again_only_where_that_was_asked_for) {
    start();
    auto risky = retried();
    risky.retry.causes = {RetryCause::unknown};
    const auto careful = submit(retried()).id;
    const auto careless = submit(risky).id;
    const auto failing = submit(risky).id;
    for (const auto id : {careful, careless}) {
        cluster->start(ticket(id));
        cluster->forget(ticket(id));
    }
    cluster->drop_watches();
    settle();
    fail(failing);
    BOOST_TEST(find(careful).state() == BatchState::dead);
    BOOST_TEST(phase(careless) == BatchPhase::waiting);
    BOOST_TEST(find(failing).state() == BatchState::dead);
}

BOOST_AUTO_TEST_CASE(one_that_waits_holds_no_slot_and_queues_again) {
    options.max_running = 1;
    start();
    const auto first = submit(retried()).id;
    const auto second = submit().id;
    BOOST_TEST(phase(second) == BatchPhase::accepted);
    fail(first);
    BOOST_TEST(phase(second) == BatchPhase::submitted);
    BOOST_TEST(host().status().active == 1);
    BOOST_TEST(host().status().queued == 0);
    advance(10s);
    BOOST_TEST(phase(first) == BatchPhase::accepted);
    BOOST_TEST(host().status().queued == 1);
    finish(second);
    BOOST_TEST(phase(first) == BatchPhase::submitted);
    BOOST_TEST(host().status().queued == 0);
    finish(first);
    BOOST_TEST(find(first).state() == BatchState::success);
    BOOST_TEST(host().status().active == 0);
}

BOOST_AUTO_TEST_CASE(a_kill_or_an_erase_ends_the_wait_at_once) {
    for (const bool erased : {false, true}) {
        for (const bool requeued : {false, true}) {
            RetryFixture fixture;
            fixture.options.max_running = 1;
            fixture.start();
            const auto id = fixture.submit(retried()).id;
            fixture.fail(id);
            const auto other = fixture.submit().id;
            if (requeued) {
                fixture.advance(10s);
            }
            BOOST_TEST(fixture.phase(id) ==
                       (requeued ? BatchPhase::accepted : BatchPhase::waiting));
            auto waiter = fixture.begin(fixture.host().wait(id));
            if (erased) {
                fixture.ask(fixture.host().erase(id)).value();
                BOOST_TEST(fixture.ask(fixture.host().find(id)).error().is(Errc::not_found));
            } else {
                BOOST_TEST(fixture.ask(fixture.host().kill(id)).value().state() ==
                           BatchState::killed);
                BOOST_TEST(fixture.phase(id) == BatchPhase::released);
                BOOST_TEST(fixture.find(id).attempt == 1);
                BOOST_TEST(!fixture.find(id).next_attempt);
            }
            BOOST_TEST(waiter->done());
            fixture.advance(24h);
            BOOST_TEST(fixture.starts() == 2u);
            BOOST_TEST(fixture.host().status().queued == 0);
            fixture.finish(other);
            BOOST_TEST(fixture.host().status().active == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_kill_that_comes_while_the_attempt_is_released_is_the_end) {
    start();
    cluster->hold("release");
    const auto id = submit(retried()).id;
    fail(id);
    BOOST_TEST(phase(id) == BatchPhase::attempt_ended);
    BOOST_TEST(ask(host().kill(id)).value().state() == BatchState::killed);
    cluster->let_go("release");
    settle();
    BOOST_TEST(phase(id) == BatchPhase::released);
    advance(24h);
    BOOST_TEST(starts() == 1u);
}

BOOST_AUTO_TEST_CASE(the_next_attempt_waits_until_the_one_before_has_been_released) {
    start();
    cluster->hold("release");
    const auto id = submit(retried(2, 0s)).id;
    fail(id);
    advance(1h);
    BOOST_TEST(phase(id) == BatchPhase::attempt_ended);
    BOOST_TEST(starts() == 1u);
    cluster->let_go("release");
    settle();
    advance(0s);
    BOOST_TEST(starts() == 2u);
}

BOOST_AUTO_TEST_CASE(a_wait_outlives_the_host_and_no_jump_of_the_clock_makes_it_longer) {
    struct Row {
        std::chrono::milliseconds passed;
        std::chrono::milliseconds left;
    };
    for (const auto& row : {Row{4s, 6s}, Row{10s, 0s}, Row{24h, 0s}}) {
        RetryFixture fixture;
        fixture.start();
        const auto id = fixture.submit(retried()).id;
        fixture.fail(id);
        const auto due = fixture.find(id).next_attempt->at;
        fixture.crash();
        fixture.clock->advance(row.passed);
        fixture.start();
        if (row.left > 0s) {
            BOOST_TEST((fixture.find(id).next_attempt->at == due));
            fixture.advance(row.left - 1s);
            BOOST_TEST(fixture.starts() == 1u);
            fixture.advance(1s);
        }
        BOOST_TEST(fixture.starts() == 2u);
    }
    start();
    const auto id = submit(retried()).id;
    fail(id);
    crash();
    clock->jump(-24h);
    start();
    advance(9s);
    BOOST_TEST(starts() == 1u);
    advance(1s);
    BOOST_TEST(starts() == 2u);
}

BOOST_AUTO_TEST_CASE(a_tidy_stop_does_not_end_the_wait) {
    start();
    const auto id = submit(retried()).id;
    fail(id);
    restart();
    BOOST_TEST(phase(id) == BatchPhase::waiting);
    advance(10s);
    BOOST_TEST(starts() == 2u);
}

BOOST_AUTO_TEST_CASE(late_words_about_an_earlier_attempt_say_nothing_about_the_next) {
    start();
    const auto id = submit(retried()).id;
    const auto first = ticket(id);
    cluster->hold("release");
    fail(id);
    cluster->drop_watches();  // the snapshot has its end once more
    settle();
    cluster->let_go("release");
    settle();
    advance(10s);
    cluster->drop_watches();
    settle();
    BOOST_TEST(phase(id) == BatchPhase::submitted);
    BOOST_TEST(ticket(id) != first);
    BOOST_TEST(cluster->starts(first) == 1u);
}

BOOST_AUTO_TEST_CASE(each_attempt_has_a_log_and_all_of_them_are_erased_with_the_batch) {
    start();
    const auto id = submit(retried()).id;
    const auto first = ticket(id);
    const auto lines = [&](int attempt) {
        const auto page = ask(host().read_log({.id = id, .attempt = attempt})).value();
        return page.lines.empty() ? std::string() : page.lines.front();
    };
    cluster->append_log(first, "one");
    fail(id);
    BOOST_TEST(lines(0) == "one");
    BOOST_TEST(find(id).log_tail == Words{"one"}, boost::test_tools::per_element());
    auto follower = begin(host().read_log({.id = id, .offset = 1, .follow = true}));
    BOOST_TEST_REQUIRE(follower->done());
    BOOST_TEST(follower->answer->value().complete);
    advance(10s);
    const auto second = ticket(id);
    cluster->append_log(second, "two");
    BOOST_TEST(lines(0) == "two");
    BOOST_TEST(lines(1) == "one");
    BOOST_TEST(lines(2) == "two");
    const auto none = ask(host().read_log({.id = id, .attempt = 3}));
    BOOST_TEST(none.error().is(Errc::not_found));
    BOOST_TEST(none.error().field == "attempt");
    finish(id);
    BOOST_TEST(lines(1) == "one");
    const auto before = cluster->calls("release");
    ask(host().erase(id)).value();
    BOOST_TEST(cluster->calls("release") == before + 2);
}

BOOST_AUTO_TEST_CASE(lists_show_it_by_the_state_that_clients_see) {
    start();
    const auto id = submit(retried()).id;
    fail(id);
    const auto count = [&](BatchState state) {
        return ask(host().list({.state = state})).value().total;
    };
    for (const auto seconds : {0s, 10s}) {
        advance(seconds);
        BOOST_TEST(count(BatchState::running) == 1);
        BOOST_TEST(count(BatchState::starting) == 0);
        BOOST_TEST(count(BatchState::dead) == 0);
    }
    finish(id);
    BOOST_TEST(count(BatchState::success) == 1);
}

BOOST_AUTO_TEST_CASE(the_policy_is_part_of_the_request_that_a_key_stands_for) {
    start();
    auto wanted = retried();
    wanted.idempotency_key = "k";
    const auto id = submit(wanted).id;
    BOOST_TEST(submit(wanted).id == id);
    wanted.retry.max_attempts = 4;
    BOOST_TEST(ask(host().submit(wanted)).error().field == "idempotency_key");
}

BOOST_AUTO_TEST_CASE(jitter_spreads_the_attempts_of_batches_that_fail_together) {
    options.max_running = 20;
    start();
    auto wanted = retried();
    wanted.retry.jitter = 1;
    std::vector<Timestamp> times;
    for (int i = 0; i < 20; ++i) {
        const auto id = submit(wanted).id;
        fail(id);
        const auto record = find(id);
        if (record.next_attempt) {
            BOOST_TEST((record.next_attempt->delay >= 0s && record.next_attempt->delay <= 10s));
            times.push_back(record.next_attempt->at);
        }
    }
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    BOOST_TEST(times.size() >= 10u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
