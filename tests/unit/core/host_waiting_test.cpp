// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::host_test {

BOOST_FIXTURE_TEST_SUITE(host_waiting, HostFixture)

BOOST_AUTO_TEST_CASE(wait_completes_at_the_end_and_not_before) {
    start();
    const auto id = submit().id;
    auto wait = begin(host().wait(id));
    cluster->start(ticket(id));
    settle();
    BOOST_TEST(!wait->done());
    finish(id, Outcome::failed, 3);
    BOOST_TEST_REQUIRE(wait->done());
    BOOST_TEST(wait->answer->value().state() == BatchState::dead);
    BOOST_TEST(ask(host().wait(id)).value().state() == BatchState::dead);
    BOOST_TEST(ask(host().wait(BatchId{5})).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(many_wait_for_one_batch) {
    start();
    const auto id = submit().id;
    std::vector<PendingPtr<BatchRecord>> waits;
    for (int i = 0; i < 100; ++i) {
        waits.push_back(begin(host().wait(id)));
    }
    cancel(waits[7]);
    finish(id);
    for (std::size_t i = 0; i < waits.size(); ++i) {
        BOOST_TEST_REQUIRE(waits[i]->done());
        BOOST_TEST(waits[i]->answer->has_value() == (i != 7));
    }
}

BOOST_AUTO_TEST_CASE(a_change_is_seen_by_version) {
    start();
    const auto id = submit().id;
    const auto seen = find(id).version;
    auto same = begin(host().wait_for_change({.id = id, .seen_version = seen}));
    auto old = begin(host().wait_for_change({.id = id, .seen_version = seen - 1}));
    BOOST_TEST(!same->done());
    BOOST_TEST(old->done());
    cluster->start(ticket(id));
    settle();
    BOOST_TEST_REQUIRE(same->done());
    BOOST_TEST(same->answer->value().version == seen + 1);
}

BOOST_AUTO_TEST_CASE(a_change_is_seen_by_state) {
    start();
    const auto id = submit().id;
    auto left = begin(host().wait_for_change({.id = id, .not_state = BatchState::starting}));
    BOOST_TEST(!left->done());
    BOOST_TEST(ask(host().wait_for_change({.id = id, .not_state = BatchState::dead})).has_value());
    cluster->start(ticket(id));
    settle();
    BOOST_TEST_REQUIRE(left->done());
    BOOST_TEST(left->answer->value().state() == BatchState::running);
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_change_times_out_at_its_deadline) {
    start();
    const auto id = submit().id;
    ChangeRequest request{.id = id, .not_state = BatchState::starting, .timeout = 30s};
    auto wait = begin(host().wait_for_change(request));
    advance(29s);
    cluster->bring_context_up(ticket(id), "app");
    BOOST_TEST(!wait->done());
    settle();
    BOOST_TEST(wait->answer->has_value());

    request.not_state = BatchState::running;
    wait = begin(host().wait_for_change(request));
    const auto sleeping = clock->sleepers();
    advance(29s);
    ask(host().submit(spec())).value();
    BOOST_TEST(!wait->done());
    advance(1s);
    BOOST_TEST_REQUIRE(wait->done());
    BOOST_TEST(wait->answer->error().is(Errc::timed_out));
    BOOST_TEST(clock->sleepers() == sleeping - 1);
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_over_leaves_no_timer_behind) {
    start();
    const auto id = submit().id;
    const auto sleeping = clock->sleepers();
    ChangeRequest request{.id = id, .not_state = BatchState::starting, .timeout = 30s};
    auto abandoned = begin(host().wait_for_change(request));
    auto answered = begin(host().wait_for_change(request));
    BOOST_TEST(clock->sleepers() == sleeping + 2);
    cancel(abandoned);
    BOOST_TEST(abandoned->done());
    cluster->start(ticket(id));
    settle();
    BOOST_TEST(answered->done());
    BOOST_TEST(clock->sleepers() == sleeping);
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_cancelled_while_it_looks_is_cancelled_without_a_throw) {
    options.cached_records = 0;
    start();
    const auto id = submit().id;
    auto wait = std::make_shared<Pending<BatchRecord>>();
    auto over = [wait](std::exception_ptr escaped, Result<BatchRecord> answer) {
        wait->escaped = escaped;
        wait->answer = std::move(answer);
    };
    asio::co_spawn(io(), host().wait(id),
                   asio::bind_cancellation_slot(wait->cancel.slot(), std::move(over)));
    io().restart();
    io().run_one();  // it has begun, and is on its way to the host
    cancel(wait);
    BOOST_TEST_REQUIRE(wait->done());
    BOOST_TEST(!wait->escaped);
    BOOST_TEST((wait->answer->error().code == asio::error::operation_aborted));
}

BOOST_AUTO_TEST_CASE(a_batch_erased_meanwhile_is_not_found) {
    options.max_running = 1;
    start();
    submit();
    const auto id = submit().id;
    auto wait = begin(host().wait_for_change({.id = id, .not_state = BatchState::starting}));
    auto never = begin(host().wait_for_change({.id = id, .seen_version = 77}));
    ask(host().erase(id)).value();
    BOOST_TEST(wait->done());
    BOOST_TEST(never->done());
}

BOOST_AUTO_TEST_CASE(stop_releases_everybody_who_waits) {
    start();
    const auto id = submit().id;
    auto wait = begin(host().wait(id));
    auto change =
        begin(host().wait_for_change({.id = id, .not_state = BatchState::starting, .timeout = 1h}));
    auto lines = begin(host().read_log({.id = id, .follow = true}));
    cluster->hold("kill");
    auto erased = begin(host().erase(id));
    auto follower = host().follow_events(host().status().last_sequence);
    auto events = begin(follower.next());
    host().stop();
    settle();
    BOOST_TEST(wait->answer->error().is(Errc::stopped));
    BOOST_TEST(change->answer->error().is(Errc::stopped));
    BOOST_TEST(events->answer->error().is(Errc::stopped));
    BOOST_TEST(lines->answer->error().is(Errc::stopped));
    BOOST_TEST(erased->answer->error().is(Errc::stopped));
    BOOST_TEST(!life.running->done(), "the kill is under way");
    cluster->let_go("kill");
    settle();
    BOOST_TEST(life.running->done());
    BOOST_TEST(clock->sleepers() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
