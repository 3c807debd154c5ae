// SPDX-License-Identifier: Apache-2.0
#include "waiter.hpp"

#include "support/executor_probe.hpp"
#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace sparkhost::detail {

namespace waiter_test {

struct Fixture {
    asio::io_context io{1};
    std::shared_ptr<Waiter> waiter{std::make_shared<Waiter>()};
    asio::cancellation_signal cancel;
    std::optional<WakeReason> reason;

    void begin() {
        auto over = [this](std::exception_ptr, WakeReason woken) { reason = woken; };
        asio::co_spawn(io, Waiter::wait(waiter),
                       asio::bind_cancellation_slot(cancel.slot(), std::move(over)));
        settle();
    }
    void settle() {
        io.restart();
        io.poll();
    }
    bool is(WakeReason wanted) const { return reason == wanted; }
};

}  // namespace waiter_test

BOOST_FIXTURE_TEST_SUITE(waiter_suite, waiter_test::Fixture)

BOOST_AUTO_TEST_CASE(a_wait_completes_when_it_is_woken_and_says_why) {
    begin();
    BOOST_TEST(!reason.has_value());
    waiter->wake(WakeReason::timed_out);
    BOOST_TEST(!reason.has_value(), "never from within wake()");
    settle();
    BOOST_TEST(is(WakeReason::timed_out));
}

BOOST_AUTO_TEST_CASE(a_wake_before_the_wait_counts) {
    waiter->wake(WakeReason::stopped);
    begin();
    BOOST_TEST(is(WakeReason::stopped));
}

BOOST_AUTO_TEST_CASE(the_first_wake_counts) {
    begin();
    waiter->wake(WakeReason::changed);
    waiter->wake(WakeReason::stopped);
    settle();
    BOOST_TEST(is(WakeReason::changed));
}

BOOST_AUTO_TEST_CASE(a_cancellation_wakes) {
    begin();
    cancel.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST(is(WakeReason::cancelled));
}

BOOST_AUTO_TEST_CASE(a_cancellation_after_the_wake_changes_nothing) {
    begin();
    waiter->wake(WakeReason::changed);
    cancel.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST(is(WakeReason::changed));
}

BOOST_AUTO_TEST_CASE(a_wait_keeps_its_context_running) {
    begin();
    BOOST_TEST(!io.stopped());
    waiter->wake(WakeReason::changed);
    io.restart();
    io.run_for(test::patience);
    BOOST_TEST(io.stopped());
    BOOST_TEST(is(WakeReason::changed));
}

BOOST_AUTO_TEST_CASE(nothing_keeps_the_waiter_alive_after_the_wait) {
    std::weak_ptr<Waiter> weak = waiter;
    begin();
    waiter->wake(WakeReason::changed);
    settle();
    waiter.reset();
    BOOST_TEST(weak.expired());
}

BOOST_AUTO_TEST_CASE(a_context_that_is_destroyed_frees_who_is_suspended_on_it) {
    auto pending = std::make_shared<Waiter>();
    auto held = std::make_shared<int>(1);
    const std::weak_ptr<Waiter> weak = pending;
    const std::weak_ptr<int> frame = held;
    auto wait = [](std::shared_ptr<Waiter> on, std::shared_ptr<int> kept) -> asio::awaitable<void> {
        co_await Waiter::wait(on);
        ++*kept;
    };
    {
        asio::io_context short_lived{1};
        asio::co_spawn(short_lived, wait(std::move(pending), std::move(held)), asio::detached);
        short_lived.poll();
    }
    BOOST_TEST(weak.expired());
    BOOST_TEST(frame.expired());
}

BOOST_AUTO_TEST_CASE(a_wake_from_another_thread_resumes_on_the_waiting_executor) {
    test::ExecutorProbe probe(io.get_executor());
    bool resumed_here = false;
    auto wait = [&]() -> asio::awaitable<void> {
        co_await Waiter::wait(waiter);
        resumed_here = probe.is_here();
    };
    asio::co_spawn(probe.executor(), wait(), asio::detached);
    settle();
    std::thread([this] { waiter->wake(WakeReason::changed); }).join();
    settle();
    BOOST_TEST(resumed_here);
}

BOOST_AUTO_TEST_CASE(many_threads_may_wake_while_the_wait_begins) {
    constexpr int rounds = 200;
    asio::thread_pool pool(3);
    std::atomic<int> resumed{0};
    for (int round = 0; round < rounds; ++round) {
        auto each = std::make_shared<Waiter>();
        asio::co_spawn(pool, Waiter::wait(each),
                       [&resumed](std::exception_ptr, WakeReason) { ++resumed; });
        asio::post(pool, [each] { each->wake(WakeReason::changed); });
        asio::post(pool, [each] { each->wake(WakeReason::stopped); });
    }
    pool.join();
    BOOST_TEST(resumed == rounds);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
