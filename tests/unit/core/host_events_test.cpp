// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::host_test {

BOOST_FIXTURE_TEST_SUITE(host_events, HostFixture)

BOOST_AUTO_TEST_CASE(every_change_is_an_event_in_order_and_without_holes) {
    start();
    const auto id = submit().id;
    cluster->start(ticket(id));
    settle();
    cluster->bring_context_up(ticket(id), "app");
    settle();
    ask(host().kill(id)).value();
    ask(host().erase(id)).value();

    const auto events = events_after(0);
    const Words types{"batch.accepted", "batch.reserved",       "batch.submitted", "batch.running",
                      "batch.updated",  "batch.kill_requested", "batch.ended",     "batch.released",
                      "batch.updated",  "batch.erased"};
    BOOST_TEST(event_types(id) == types, boost::test_tools::per_element());
    std::int64_t version = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        BOOST_TEST(events[i].sequence == static_cast<std::int64_t>(i + 1));
        BOOST_TEST(events[i].version >= version);
        version = events[i].version;
    }
    BOOST_TEST(events[3].state == "running");
    BOOST_TEST(events[6].state == "killed");
}

BOOST_AUTO_TEST_CASE(a_follower_resumes_after_any_number_before_and_after_a_restart) {
    cluster->set_pace(FakeCluster::Pace::runs_through);
    start();
    for (int i = 0; i < 3; ++i) {
        submit();
    }
    const auto all = events_after(0);
    for (const bool restarted : {false, true}) {
        if (restarted) {
            restart();
        }
        for (std::size_t after = 0; after <= all.size(); ++after) {
            const auto rest = events_after(static_cast<std::int64_t>(after));
            BOOST_TEST_REQUIRE(rest.size() == all.size() - after);
            BOOST_TEST((std::vector<Event>(all.begin() + static_cast<std::ptrdiff_t>(after),
                                           all.end()) == rest));
        }
    }
}

BOOST_AUTO_TEST_CASE(followers_wait_for_what_is_to_come) {
    start();
    std::vector<EventFollower> followers;
    for (int i = 0; i < 20; ++i) {
        followers.push_back(host().follow_events(0));
    }
    std::vector<PendingPtr<std::vector<Event>>> waits;
    for (auto& follower : followers) {
        waits.push_back(begin(follower.next()));
        BOOST_TEST(!waits.back()->done());
    }
    cancel(waits[3]);
    submit();
    for (std::size_t i = 0; i < waits.size(); ++i) {
        BOOST_TEST_REQUIRE(waits[i]->done());
        if (i == 3) {
            BOOST_TEST(waits[i]->answer->has_error());
            BOOST_TEST(followers[i].position() == 0);
        } else {
            BOOST_TEST(waits[i]->answer->value().front().type == "batch.accepted");
            BOOST_TEST(followers[i].position() >= 1);
        }
    }
    BOOST_TEST(ask(followers[3].next()).value().front().sequence == 1, "nothing is lost");
}

BOOST_AUTO_TEST_CASE(one_read_gives_at_most_a_thousand_events) {
    cluster->set_pace(FakeCluster::Pace::runs_through);
    start();
    for (int i = 0; i < 300; ++i) {
        submit();
    }
    BOOST_TEST(host().status().last_sequence > 1000);
    auto follower = host().follow_events(0);
    BOOST_TEST(ask(follower.next()).value().size() == 1000u);
    BOOST_TEST(ask(follower.next()).value().front().sequence == 1001);
    std::int64_t expected = 0;
    for (const auto& event : events_after(0)) {
        BOOST_TEST(event.sequence == ++expected);
    }
}

BOOST_AUTO_TEST_CASE(old_events_are_pruned_and_a_follower_of_them_is_told) {
    options.max_events = 10;
    cluster->set_pace(FakeCluster::Pace::runs_through);
    start();
    for (int i = 0; i < 20; ++i) {
        submit();
    }
    for (const bool restarted : {false, true}) {
        if (restarted) {
            restart();
        }
        const auto last = host().status().last_sequence;
        auto stale = host().follow_events(0);
        BOOST_TEST(ask(stale.next()).error().is(Errc::expired));
        BOOST_TEST(stale.position() == 0);
        BOOST_TEST(events_after(last - 10).size() == 10u);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
