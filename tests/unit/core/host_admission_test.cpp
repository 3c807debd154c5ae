// SPDX-License-Identifier: Apache-2.0
#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

namespace sparkhost::host_test {

namespace admission_test {

struct AdmissionFixture : HostFixture {
    std::size_t submitted() const { return cluster->submitted().size(); }
};

}  // namespace admission_test

BOOST_FIXTURE_TEST_SUITE(host_admission, admission_test::AdmissionFixture)

BOOST_AUTO_TEST_CASE(no_more_than_max_running_hold_a_ticket) {
    options.max_running = 3;
    start();
    for (int i = 0; i < 10; ++i) {
        submit();
    }
    BOOST_TEST(cluster->calls("reserve") == 3u);
    BOOST_TEST(submitted() == 3u);
    BOOST_TEST(host().status().queued == 7);
    finish(BatchId{1});
    BOOST_TEST(submitted() == 4u);
    BOOST_TEST(host().status().active == 3);
}

BOOST_AUTO_TEST_CASE(fifty_batches_start_in_the_order_of_their_acceptance) {
    options.max_running = 3;
    start();
    for (int i = 0; i < 50; ++i) {
        submit();
    }
    for (int i = 0; i < 50; ++i) {
        finish(BatchId{i});
    }
    const auto order = cluster->submitted();
    BOOST_TEST_REQUIRE(order.size() == 50u);
    for (int i = 0; i < 50; ++i) {
        BOOST_TEST(order[static_cast<std::size_t>(i)] == ticket(BatchId{i}));
    }
    BOOST_TEST(host().status().active == 0);
    BOOST_TEST(host().status().queued == 0);
}

BOOST_AUTO_TEST_CASE(a_slot_is_freed_by_every_kind_of_end) {
    options.max_running = 1;
    start();
    const auto first = submit().id;
    for (int i = 0; i < 5; ++i) {
        submit();
    }
    finish(first);
    BOOST_TEST(submitted() == 2u);
    finish(BatchId{1}, Outcome::failed, 1);
    BOOST_TEST(submitted() == 3u);
    cluster->fail_next("submit", Errc::backend_failed);
    ask(host().kill(BatchId{2})).value();
    settle();
    BOOST_TEST(find(BatchId{3}).state() == BatchState::dead);
    BOOST_TEST(submitted() == 4u, "the refused one made room at once");
    cluster->fail_next("reserve", Errc::backend_failed);
    finish(BatchId{4});
    BOOST_TEST(find(BatchId{5}).state() == BatchState::dead);
    BOOST_TEST(host().status().active == 0);
    BOOST_TEST(host().status().queued == 0);
    submit();
    BOOST_TEST(submitted() == 5u);
}

BOOST_AUTO_TEST_CASE(one_more_than_max_queued_is_rejected) {
    options.max_running = 1;
    options.max_queued = 2;
    start();
    for (int i = 0; i < 3; ++i) {
        submit();
    }
    BOOST_TEST(ask(host().submit(spec())).error().is(Errc::rejected));
    finish(BatchId{0});
    submit();
    BOOST_TEST(ask(host().submit(spec())).error().is(Errc::rejected));
    ask(host().kill(BatchId{3})).value();
    submit();
}

BOOST_AUTO_TEST_CASE(submits_under_way_count_for_the_queue_but_free_slots_do_not) {
    options.max_running = 2;
    options.max_queued = 1;
    start();
    faults().hold_commits();
    std::vector<PendingPtr<BatchRecord>> calls;
    for (int i = 0; i < 4; ++i) {
        calls.push_back(begin(host().submit(spec())));
    }
    BOOST_TEST_REQUIRE(calls[3]->done());
    BOOST_TEST(calls[3]->answer->error().is(Errc::rejected));
    faults().let_go();
    settle();
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(calls[static_cast<std::size_t>(i)]->answer->has_value());
    }
}

BOOST_AUTO_TEST_CASE(without_a_queue_a_batch_is_taken_while_a_slot_is_free) {
    options.max_running = 1;
    options.max_queued = 0;
    start();
    submit();
    BOOST_TEST(ask(host().submit(spec())).error().is(Errc::rejected));
    finish(BatchId{0});
    submit();
}

BOOST_AUTO_TEST_CASE(slots_are_shared_by_all_backends) {
    options.max_running = 1;
    backend_names = {"one", "two"};
    start();
    submit();
    auto wanted = spec();
    wanted.backend = "two";
    submit(wanted);
    BOOST_TEST(submitted() == 1u);
    finish(BatchId{0});
    BOOST_TEST(submitted() == 2u);
}

BOOST_AUTO_TEST_CASE(a_backend_that_is_slow_with_tickets_never_gets_more_than_the_slots) {
    options.max_running = 2;
    start();
    cluster->hold("reserve");
    for (int i = 0; i < 6; ++i) {
        submit();
    }
    BOOST_TEST(cluster->calls("reserve") == 2u);
    cluster->let_go("reserve");
    settle();
    BOOST_TEST(submitted() == 2u);
    finish(BatchId{0});
    finish(BatchId{1});
    BOOST_TEST(submitted() == 4u);
    BOOST_TEST(host().status().queued == 2);
}

BOOST_AUTO_TEST_CASE(a_queued_batch_whose_backend_the_next_host_does_not_have_is_refused) {
    options.max_running = 1;
    backend_names = {"one", "two"};
    start();
    submit();
    auto wanted = spec();
    wanted.backend = "two";
    const auto orphan = submit(wanted).id;
    stop().value();
    next_life();
    backend_names = {"one"};
    start();
    finish(BatchId{0});
    BOOST_TEST(find(orphan).state() == BatchState::dead);
    BOOST_TEST(find(orphan).reason.find("two") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_queue_that_cannot_be_read_is_read_again_later) {
    options.max_running = 1;
    start();
    for (int i = 0; i < 7; ++i) {
        submit();
    }
    // Among the operations that an end leads to is the one that reads the queue.
    for (std::size_t n = 0; n < 6; ++n) {
        faults().plan({.after = n, .fault = StorageFault::failed});
        finish(BatchId{static_cast<std::int64_t>(n)});
        for (int round = 0; round < 5; ++round) {
            advance(11s);
        }
        faults().heal();
        BOOST_TEST_CONTEXT("operation " << n) {
            BOOST_TEST(phase(BatchId{static_cast<std::int64_t>(n + 1)}) == BatchPhase::submitted);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
