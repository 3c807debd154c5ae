// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_SYSTEM_CLOCK_HPP
#define SPARKHOST_SRC_SYSTEM_CLOCK_HPP

#include <sparkhost/clock.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>

namespace sparkhost::detail {

/// The machine's own clocks. Not in the public header: the timer would cost everybody who
/// includes it a third of a compilation.
class SystemClock final : public Clock {
public:
    Timestamp now() const override {
        return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    }
    SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
    boost::asio::awaitable<void> sleep_until(SteadyTime deadline) override {
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, deadline);
        boost::system::error_code ignored;
        co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
};

}  // namespace sparkhost::detail

#endif
