// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/manual_clock.hpp>

#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>

namespace sparkhost::testing {
namespace manual_clock_test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Sleeps for `how_long`, then writes its name down.
asio::awaitable<void> sleeper(std::shared_ptr<ManualClock> clock,
                              std::chrono::milliseconds how_long,
                              std::shared_ptr<std::string> woken, char name) {
    co_await clock->sleep_until(clock->steady_now() + how_long);
    woken->push_back(name);
}

struct Fixture {
    asio::io_context io{1};
    std::shared_ptr<ManualClock> clock{std::make_shared<ManualClock>()};
    std::shared_ptr<std::string> woken{std::make_shared<std::string>()};

    void start(std::chrono::milliseconds how_long, char name) {
        asio::co_spawn(io, sleeper(clock, how_long, woken, name), asio::detached);
    }
    /// Runs what can run without the clock moving.
    void settle() {
        io.restart();
        io.poll();
    }
};

}  // namespace manual_clock_test

BOOST_AUTO_TEST_SUITE(manual_clock)

namespace asio = boost::asio;

using manual_clock_test::Fixture;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(it_starts_at_the_beginning_of_2026_and_stands_still) {
    const ManualClock clock;
    const Timestamp start{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
    BOOST_TEST((clock.now() == start));
    BOOST_TEST((clock.now() == clock.now()));
    BOOST_TEST((clock.steady_now() == clock.steady_now()));
}

BOOST_AUTO_TEST_CASE(advance_moves_both_clocks_by_the_same_time) {
    ManualClock clock;
    const auto wall = clock.now();
    const auto steady = clock.steady_now();
    clock.advance(1500ms);
    BOOST_TEST((clock.now() - wall == 1500ms));
    BOOST_TEST((clock.steady_now() - steady == 1500ms));
}

BOOST_FIXTURE_TEST_CASE(a_sleeper_is_woken_when_its_deadline_has_come_and_not_before, Fixture) {
    start(100ms, 'a');
    settle();
    BOOST_TEST(clock->sleepers() == 1u);
    clock->advance(99ms);
    settle();
    BOOST_TEST(*woken == "");
    clock->advance(1ms);
    settle();
    BOOST_TEST(*woken == "a");
    BOOST_TEST(clock->sleepers() == 0u);
}

BOOST_FIXTURE_TEST_CASE(sleepers_are_woken_earliest_deadline_first, Fixture) {
    start(30ms, 'c');
    start(10ms, 'a');
    start(20ms, 'b');
    settle();
    clock->advance(1h);
    settle();
    BOOST_TEST(*woken == "abc");
}

BOOST_FIXTURE_TEST_CASE(a_deadline_in_the_past_does_not_sleep, Fixture) {
    start(0ms, 'a');
    start(-5ms, 'b');
    settle();
    BOOST_TEST(*woken == "ab");
}

BOOST_FIXTURE_TEST_CASE(cancelling_a_sleeper_completes_it_at_once, Fixture) {
    asio::cancellation_signal signal;
    asio::co_spawn(io, manual_clock_test::sleeper(clock, 1h, woken, 'a'),
                   asio::bind_cancellation_slot(signal.slot(), asio::detached));
    settle();
    signal.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST(*woken == "a");
    BOOST_TEST(clock->sleepers() == 0u);
}

BOOST_FIXTURE_TEST_CASE(until_sleepers_waits_for_that_many, Fixture) {
    bool enough = false;
    auto watch = [&]() -> asio::awaitable<void> {
        co_await clock->until_sleepers(2);
        enough = true;
    };
    asio::co_spawn(io, watch(), asio::detached);
    start(10ms, 'a');
    settle();
    BOOST_TEST(!enough);
    start(10ms, 'b');
    settle();
    BOOST_TEST(enough);
    clock->advance(10ms);
    settle();
}

BOOST_AUTO_TEST_CASE(a_sleeper_on_another_thread_can_be_woken_from_here) {
    auto clock = std::make_shared<ManualClock>();
    auto woken = std::make_shared<std::string>();
    asio::io_context io(1);  // outlives the pool, whose thread posts to it
    asio::thread_pool pool(1);
    asio::co_spawn(pool, manual_clock_test::sleeper(clock, 10ms, woken, 'a'), asio::detached);
    test::run_on(io, [&]() -> asio::awaitable<void> { co_await clock->until_sleepers(1); });
    clock->advance(10ms);
    pool.join();
    BOOST_TEST(*woken == "a");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::testing
