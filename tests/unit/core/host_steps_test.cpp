// SPDX-License-Identifier: Apache-2.0

// What a backend says of an application's way, in the timeline.

#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace sparkhost {

using namespace host_test;

namespace host_steps_test {

struct StepsFixture : HostFixture {
    void step(BatchId id, std::string what, std::string reason = {}) {
        cluster->add_step(ticket(id), std::move(what), std::move(reason));
        settle();
    }
    Words steps(BatchId id) {
        Words words;
        for (const auto& entry : find(id).timeline) {
            words.push_back(entry.what + (entry.reason.empty() ? "" : ": " + entry.reason));
        }
        return words;
    }
};

}  // namespace host_steps_test

using host_steps_test::StepsFixture;

BOOST_FIXTURE_TEST_SUITE(host_steps, StepsFixture)

BOOST_AUTO_TEST_CASE(a_backends_steps_stand_in_the_timeline) {
    start();
    const auto id = submit().id;
    step(id, "pod_created");
    step(id, "scheduled", "node-1");
    cluster->start(ticket(id));
    settle();
    finish(id);
    const Words wanted{"accepted",          "admitted",        "submitted", "pod_created",
                       "scheduled: node-1", "process_started", "ended"};
    BOOST_TEST(steps(id) == wanted, boost::test_tools::per_element());
    restart();
    BOOST_TEST(steps(id) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_step_of_a_new_name_is_an_event_and_wakes_who_waits) {
    start();
    const auto id = submit().id;
    const auto before = find(id).version;
    ChangeRequest change;
    change.id = id;
    change.seen_version = before;
    auto waiter = begin(host().wait_for_change(change));
    step(id, "waiting", "no room");
    BOOST_TEST_REQUIRE(waiter->done());
    BOOST_TEST(waiter->answer->value().timeline.back().reason == "no room");
    BOOST_TEST(find(id).version == before + 1);
    BOOST_TEST(event_types(id).back() == "batch.updated");
}

BOOST_AUTO_TEST_CASE(a_further_reason_to_wait_is_shown_and_costs_no_commit) {
    start();
    const auto id = submit().id;
    step(id, "waiting", "no room");
    const auto before = find(id).version;
    const auto sequence = host().status().last_sequence;
    for (const char* reason : {"no image", "no quota"}) {
        advance(1s);
        step(id, "waiting", reason);
        BOOST_TEST(steps(id).back() == std::string("waiting: ") + reason);
        const auto page = ask(host().list({})).value();
        BOOST_TEST(page.batches.at(0).timeline.back().reason == reason);
    }
    BOOST_TEST(find(id).version == before);
    BOOST_TEST(host().status().last_sequence == sequence);
}

BOOST_AUTO_TEST_CASE(what_was_only_shown_is_stored_with_the_next_change) {
    start();
    const auto id = submit().id;
    step(id, "waiting", "no room");
    advance(1s);
    step(id, "waiting", "no image");
    cluster->forget(ticket(id));
    cluster->drop_watches();
    settle();
    const Words wanted{"accepted",         "admitted",          "submitted",
                       "waiting: no room", "waiting: no image", "ended: " + find(id).reason};
    BOOST_TEST(steps(id) == wanted, boost::test_tools::per_element());
    restart();
    BOOST_TEST(steps(id) == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_was_only_shown_is_there_again_after_a_crash) {
    start();
    const auto id = submit().id;
    step(id, "waiting", "no room");
    advance(1s);
    step(id, "waiting", "no image");
    const auto before = steps(id);
    crash();
    start();
    BOOST_TEST(steps(id) == before, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_step_that_comes_while_a_commit_is_under_way_is_not_forgotten) {
    start();
    const auto id = submit().id;
    const auto name = ticket(id);
    faults().hold_commits();
    cluster->start(name);
    settle();
    cluster->add_step(name, "image_pulled");
    cluster->add_step(name, "container_started");
    settle();
    faults().let_go();
    settle();
    const auto record = find(id);
    BOOST_TEST(timeline_of(record).back() == "container_started");
    crash();  // the store has it, too
    cluster->forget(name);
    start();
    const auto stored = timeline_of(find(id));
    BOOST_TEST((std::find(stored.begin(), stored.end(), "container_started") != stored.end()));
}

BOOST_AUTO_TEST_CASE(the_steps_of_an_attempt_do_not_come_back_in_the_next) {
    start();
    auto wanted = spec();
    wanted.retry.max_attempts = 2;
    const auto id = submit(wanted).id;
    step(id, "waiting", "no room");
    finish(id, Outcome::failed, 1);
    BOOST_TEST(find(id).attempts.size() == 1u);
    const auto timeline = timeline_of(find(id));
    BOOST_TEST(std::count(timeline.begin(), timeline.end(), "waiting") == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost
