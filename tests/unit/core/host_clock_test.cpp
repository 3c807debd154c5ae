// SPDX-License-Identifier: Apache-2.0

// The wall clock jumps, the steady one does not.

#include "host_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <functional>

namespace sparkhost::host_test {

namespace clock_test {

struct ClockFixture : HostFixture {
    ClockFixture() { cluster->set_pace(FakeCluster::Pace::by_hand); }

    static BatchSpec keyed(const std::string& key) {
        auto made = spec();
        made.idempotency_key = key;
        return made;
    }
};

Timestamp time_of(const BatchRecord& record, const std::string& what) {
    for (const auto& entry : record.timeline) {
        if (entry.what == what) {
            return entry.at;
        }
    }
    BOOST_FAIL("there is no entry " + what);
    return {};
}

/// Causes stand before what follows from them.
void check_times(const BatchRecord& record) {
    for (const auto& entry : record.timeline) {
        BOOST_TEST((entry.at >= record.created), entry.what);
    }
    BOOST_TEST((record.updated >= record.created));
    BOOST_TEST((time_of(record, "submitted") >= time_of(record, "admitted")));
    BOOST_TEST((time_of(record, "ended") >= time_of(record, "process_started")));
}

constexpr std::array jumps{std::chrono::milliseconds(-5h), std::chrono::milliseconds(5h)};

}  // namespace clock_test

BOOST_AUTO_TEST_SUITE(host_clock)

BOOST_AUTO_TEST_CASE(times_of_a_record_keep_their_order_whenever_the_clock_jumps) {
    for (const auto by : clock_test::jumps) {
        for (int step = 0; step < 5; ++step) {
            for (const bool restarts : {false, true}) {
                BOOST_TEST_CONTEXT("jump by " << by.count() << " ms before step " << step) {
                    clock_test::ClockFixture fixture;
                    fixture.options.max_running = 1;
                    fixture.start();
                    const auto blocker = fixture.submit().id;
                    const auto id = fixture.submit().id;
                    const std::array<std::function<void()>, 5> steps{
                        [&] { fixture.finish(blocker); },
                        [&] { fixture.cluster->start(fixture.ticket(id)); },
                        [&] { fixture.ask(fixture.host().kill(id)).value(); },
                        [&] {
                            if (!fixture.find(id).has_ended()) {
                                fixture.cluster->end(fixture.ticket(id), Outcome::killed, 143);
                            }
                        },
                        [] {}};
                    for (int at = 0; at < 5; ++at) {
                        if (at == step) {
                            fixture.clock->jump(by);
                            if (restarts) {
                                fixture.restart();
                            }
                        }
                        steps[static_cast<std::size_t>(at)]();
                        fixture.settle();
                        fixture.advance(1s);
                    }
                    const auto record = fixture.find(id);
                    BOOST_TEST(record.has_ended());
                    clock_test::check_times(record);
                }
            }
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_jump_forward_makes_nothing_old, clock_test::ClockFixture) {
    options.batch_retention = 1h;
    start();
    const auto id = submit(keyed("k")).id;
    finish(id);
    clock->jump(100h);
    for (int minutes = 0; minutes < 50; minutes += 10) {
        advance(10min);
    }
    BOOST_TEST(find(id).has_ended());
    BOOST_TEST((submit(keyed("k")).id == id));
    advance(10min);
    advance(10min);
    BOOST_TEST(ask(host().find(id)).error().is(Errc::not_found));
}

BOOST_FIXTURE_TEST_CASE(a_key_is_remembered_for_its_time_however_the_clock_jumps,
                        clock_test::ClockFixture) {
    options.max_events = 1;  // so that pruning goes on
    start();
    const auto id = submit(keyed("k")).id;
    for (const auto by : {30h, -60h, 90h}) {
        clock->jump(by);
        finish(submit().id);
        BOOST_TEST((submit(keyed("k")).id == id));
    }
}

BOOST_FIXTURE_TEST_CASE(a_clock_set_back_keeps_things_longer_and_never_for_ever,
                        clock_test::ClockFixture) {
    options.batch_retention = 1h;
    start();
    const auto id = submit().id;
    finish(id);
    clock->jump(-5h);
    advance(2h);
    BOOST_TEST(find(id).has_ended());
    advance(5h);
    BOOST_TEST(ask(host().find(id)).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
