// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::host_test {

namespace kill_test {

/// Where a batch is when somebody wants it to end.
struct Place {
    const char* name;
    const char* gate;    ///< held operation; empty: none
    bool started;        ///< its process runs
    std::size_t starts;  ///< of user code, in the end
};
const std::vector<Place> places{
    {"reserving", "reserve", false, 0}, {"ticket on its way", "reserve_reply", false, 0},
    {"submitting", "submit", false, 0}, {"submitted, no answer yet", "submit_reply", false, 1},
    {"submitted", "", false, 1},        {"running", "", true, 1},
};

}  // namespace kill_test

BOOST_FIXTURE_TEST_SUITE(host_kill, HostFixture)

BOOST_AUTO_TEST_CASE(kill_ends_a_batch_wherever_it_is) {
    for (const auto& place : kill_test::places) {
        BOOST_TEST_CONTEXT(place.name) {
            HostFixture fixture;
            fixture.start();
            fixture.cluster->hold(place.gate);
            const auto id = fixture.submit().id;
            if (place.started) {
                fixture.cluster->start(fixture.ticket(id));
                fixture.settle();
            }

            const auto wished = fixture.ask(fixture.host().kill(id)).value();
            BOOST_TEST(wished.kill_requested);
            fixture.cluster->let_go(place.gate);
            fixture.settle();

            const auto batch = fixture.find(id);
            BOOST_TEST(batch.state() == BatchState::killed);
            BOOST_TEST(batch.phase == BatchPhase::released);
            std::size_t starts = 0;
            for (const auto& ticket : fixture.cluster->submitted()) {
                starts += fixture.cluster->starts(ticket);
            }
            BOOST_TEST(starts == place.starts);
            BOOST_TEST(fixture.host().status().active == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(erase_removes_a_batch_wherever_it_is) {
    for (const auto& place : kill_test::places) {
        BOOST_TEST_CONTEXT(place.name) {
            HostFixture fixture;
            fixture.start();
            fixture.cluster->hold(place.gate);
            const auto id = fixture.submit(HostFixture::spec("nightly")).id;
            if (place.started) {
                fixture.cluster->start(fixture.ticket(id));
                fixture.settle();
            }

            auto erased = fixture.begin(fixture.host().erase(id));
            fixture.cluster->let_go(place.gate);
            fixture.settle();

            BOOST_TEST_REQUIRE(erased->done());
            BOOST_TEST(erased->answer->has_value());
            BOOST_TEST(fixture.ask(fixture.host().find(id)).error().is(Errc::not_found));
            BOOST_TEST(fixture.ask(fixture.host().find("nightly")).error().is(Errc::not_found));
            BOOST_TEST(fixture.event_types(id).back() == "batch.erased");
            BOOST_TEST(fixture.host().status().active == 0);
            for (const auto count : fixture.host().status().by_phase) {
                BOOST_TEST(count == 0);
            }
            BOOST_TEST(fixture.submit(HostFixture::spec("nightly")).id == BatchId{id.value + 1});
        }
    }
}

BOOST_AUTO_TEST_CASE(a_batch_erased_while_its_ticket_is_being_made_leaves_nothing_behind) {
    start();
    cluster->hold("reserve");
    const auto id = submit().id;
    BOOST_TEST(ask(host().erase(id)).has_value());
    const auto commits = host().status().storage.commits;

    cluster->let_go("reserve");
    settle();

    submit();
    BOOST_TEST(cluster->calls("submit") == 1u);
    BOOST_TEST(host().status().storage.commits < commits + 6);
    stop().value();
}

BOOST_AUTO_TEST_CASE(kill_of_a_queued_batch_ends_it_at_once_without_a_ticket) {
    options.max_running = 1;
    start();
    submit();
    const auto queued = submit().id;

    const auto killed = ask(host().kill(queued)).value();

    BOOST_TEST(killed.state() == BatchState::killed);
    BOOST_TEST(killed.ticket == "");
    BOOST_TEST(host().status().queued == 0);
    BOOST_TEST(cluster->calls("reserve") == 1u);
    BOOST_TEST(cluster->calls("kill") == 0u);
    BOOST_TEST(cluster->calls("release") == 0u);
    BOOST_TEST(phase(queued) == BatchPhase::released);
}

BOOST_AUTO_TEST_CASE(erase_of_a_queued_batch_removes_it) {
    options.max_running = 1;
    start();
    const auto first = submit().id;
    const auto queued = submit().id;
    BOOST_TEST(ask(host().erase(queued)).has_value());
    BOOST_TEST(ask(host().find(queued)).error().is(Errc::not_found));
    const auto next = submit().id;
    finish(first);
    BOOST_TEST(phase(next) == BatchPhase::submitted);
}

BOOST_AUTO_TEST_CASE(kill_of_an_ended_batch_changes_nothing) {
    start();
    const auto id = submit().id;
    finish(id);
    const auto before = find(id);
    const auto after = ask(host().kill(id)).value();
    BOOST_TEST(after == before);
    BOOST_TEST(cluster->calls("kill") == 0u);
}

BOOST_AUTO_TEST_CASE(a_second_kill_is_a_success_and_asks_the_backend_once) {
    start();
    const auto id = submit().id;
    cluster->hold("kill");
    auto first = begin(host().kill(id));
    auto second = begin(host().kill(id));
    cluster->let_go("kill");
    settle();
    BOOST_TEST(first->answer->has_value());
    BOOST_TEST(second->answer->has_value());
    BOOST_TEST(cluster->calls("kill") == 1u);
    BOOST_TEST(find(id).state() == BatchState::killed);
}

BOOST_AUTO_TEST_CASE(a_kill_is_answered_when_no_submit_on_its_way_can_start_user_code_any_more) {
    start();
    cluster->hold("submit");
    const auto id = submit().id;
    cluster->hold("kill");
    auto kill = begin(host().kill(id));
    BOOST_TEST(find(id).kill_requested);
    BOOST_TEST(!kill->done());
    cluster->let_go("submit");  // overtakes the kill
    settle();
    BOOST_TEST(!kill->done());
    BOOST_TEST(cluster->submitted().size() == 1u);
    cluster->let_go("kill");
    settle();
    BOOST_TEST_REQUIRE(kill->done());
    BOOST_TEST(kill->answer->has_value());
    BOOST_TEST(find(id).state() == BatchState::killed);
}

BOOST_AUTO_TEST_CASE(a_kill_of_what_runs_is_answered_at_once) {
    start();
    const auto id = submit().id;
    cluster->start(ticket(id));
    settle();
    cluster->hold("kill");
    BOOST_TEST(ask(host().kill(id)).value().kill_requested);
    cluster->let_go("kill");
    settle();
    BOOST_TEST(find(id).state() == BatchState::killed);
}

BOOST_AUTO_TEST_CASE(a_kill_that_waits_for_its_backend_is_answered_when_the_batch_ends) {
    start();
    const auto id = submit().id;
    cluster->hold("kill");
    auto kill = begin(host().kill(id));
    BOOST_TEST(!kill->done());
    cluster->end(ticket(id), Outcome::success, 0);
    settle();
    BOOST_TEST_REQUIRE(kill->done());
    BOOST_TEST(kill->answer->value().state() == BatchState::success);
    cluster->let_go("kill");
    settle();
}

BOOST_AUTO_TEST_CASE(a_kill_that_waits_for_the_next_try_is_answered_when_the_host_stops) {
    start();
    const auto id = submit().id;
    cluster->fail_next("kill", Errc::backend_failed, 1);
    BOOST_TEST(ask(host().kill(id)).has_error());
    auto again = begin(host().kill(id));
    BOOST_TEST(!again->done());
    stop().value();
    BOOST_TEST_REQUIRE(again->done());
    BOOST_TEST(again->answer->error().is(Errc::stopped));
}

BOOST_AUTO_TEST_CASE(kill_and_erase_of_an_unknown_batch_say_so) {
    start();
    BOOST_TEST(ask(host().kill(BatchId{7})).error().is(Errc::not_found));
    BOOST_TEST(ask(host().erase(BatchId{7})).error().is(Errc::not_found));
    BOOST_TEST(ask(host().erase(BatchId{-1})).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_kill_that_the_backend_cannot_do_is_tried_again_after_a_while) {
    start();
    const auto id = submit().id;
    cluster->fail_next("kill", Errc::backend_failed, 2);
    BOOST_TEST(ask(host().kill(id)).error().is(Errc::backend_failed));
    BOOST_TEST(find(id).kill_requested);
    BOOST_TEST(cluster->calls("kill") == 1u);
    BOOST_TEST(find(id).state() == BatchState::starting);
    advance(199ms);
    BOOST_TEST(cluster->calls("kill") == 1u);
    advance(1ms);
    BOOST_TEST(cluster->calls("kill") == 2u);
    advance(400ms);
    BOOST_TEST(cluster->calls("kill") == 3u);
    BOOST_TEST(find(id).state() == BatchState::killed);
}

BOOST_AUTO_TEST_CASE(a_release_that_fails_is_tried_again_and_keeps_no_slot) {
    start();
    cluster->fail_next("release", Errc::backend_failed);
    const auto id = submit().id;
    finish(id);
    BOOST_TEST(phase(id) == BatchPhase::ended);
    BOOST_TEST(host().status().active == 0);
    advance(200ms);
    BOOST_TEST(phase(id) == BatchPhase::released);
}

BOOST_AUTO_TEST_CASE(a_batch_that_the_backend_refuses_ends_as_failed_with_its_words) {
    start();
    cluster->fail_next("reserve", Error(Errc::invalid_argument, "no such file", "file"));
    const auto id = submit().id;
    const auto refused = find(id);
    BOOST_TEST(refused.state() == BatchState::dead);
    BOOST_TEST(refused.outcome == Outcome::failed);
    BOOST_TEST(refused.reason == "file: no such file");
    BOOST_TEST(cluster->calls("submit") == 0u);
    BOOST_TEST(cluster->calls("release") == 0u);
    BOOST_TEST(refused.phase == BatchPhase::released);
}

BOOST_AUTO_TEST_CASE(a_submit_that_the_backend_refuses_ends_the_batch_and_its_ticket_is_released) {
    start();
    cluster->fail_next("submit", Error(Errc::backend_failed, "no room"));
    const auto id = submit().id;
    BOOST_TEST(find(id).state() == BatchState::dead);
    BOOST_TEST(find(id).reason == "no room");
    BOOST_TEST(cluster->calls("release") == 1u);
}

BOOST_AUTO_TEST_CASE(a_batch_being_erased_takes_its_log_with_it) {
    start();
    const auto id = submit().id;
    cluster->append_log(ticket(id), "secret");
    finish(id);
    BOOST_TEST(cluster->calls("release") == 1u);
    BOOST_TEST(ask(host().erase(id)).has_value());
    BOOST_TEST(cluster->calls("release") == 2u);
}

BOOST_AUTO_TEST_CASE(an_erase_whose_store_fails_says_what_is_true) {
    bool failed_somewhere = true;
    for (std::size_t n = 0; failed_somewhere; ++n) {
        BOOST_TEST_CONTEXT("the storage fails after " << n << " operations") {
            HostFixture fixture;
            fixture.start();
            const auto id = fixture.submit().id;
            fixture.finish(id);
            fixture.faults().plan({.after = n});
            auto erased = fixture.begin(fixture.host().erase(id));
            failed_somewhere = fixture.faults().happened();
            fixture.faults().heal();
            fixture.advance(1min);  // what can be tried again has been
            BOOST_TEST_REQUIRE(erased->done());
            const auto left = fixture.ask(fixture.host().find(id));
            if (erased->answer->has_error() && erased->answer->error().is(Errc::storage_failed)) {
                BOOST_TEST_REQUIRE(left.has_value());
                BOOST_TEST(!left->erase_requested, "nothing has changed");
            } else {
                BOOST_TEST_REQUIRE(left.has_error());
                BOOST_TEST(left.error().is(Errc::not_found));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_abandoned_erase_erases_all_the_same) {
    start();
    const auto id = submit().id;
    cluster->hold("kill");
    auto erased = begin(host().erase(id));
    cancel(erased);
    BOOST_TEST(erased->done());
    cluster->let_go("kill");
    settle();
    BOOST_TEST(ask(host().find(id)).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(kill_while_the_record_is_being_erased_says_not_found_or_what_was) {
    start();
    const auto id = submit().id;
    finish(id);
    faults().hold_commits();
    auto erased = begin(host().erase(id));
    faults().let_one_go();
    settle();
    BOOST_TEST_REQUIRE(faults().held() == 1u);
    auto kill = begin(host().kill(id));
    auto again = begin(host().erase(id));
    faults().let_go();
    settle();
    BOOST_TEST(kill->done());
    BOOST_TEST(erased->answer->has_value());
    BOOST_TEST_REQUIRE(again->done());
    BOOST_TEST(again->answer->has_value());
    stop().value();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
