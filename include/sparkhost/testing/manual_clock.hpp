// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTING_MANUAL_CLOCK_HPP
#define SPARKHOST_TESTING_MANUAL_CLOCK_HPP

#include <sparkhost/clock.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

namespace sparkhost::testing {

/// A clock that stands still until it is told to move. Starts at 2026-01-01T00:00:00Z.
/// Thread safety: safe. Lifetime: sleepers keep what they need; wake them before their executor
/// goes away.
class ManualClock final : public Clock {
public:
    ManualClock();
    ~ManualClock() override;

    Timestamp now() const override;
    SteadyTime steady_now() const override;
    boost::asio::awaitable<void> sleep_until(SteadyTime deadline) override;

    /// Moves both clocks forward and wakes whoever's deadline has come, earliest first.
    void advance(std::chrono::milliseconds by);

    /// Sets the wall clock off by so much, forward or back; nobody wakes.
    void jump(std::chrono::milliseconds by);

    /// How many are sleeping now.
    std::size_t sleepers() const;
    /// Completes when at least `count` are sleeping, so that a test can advance() without racing
    /// the code that is about to sleep. Cancellation: completes at once.
    boost::asio::awaitable<void> until_sleepers(std::size_t count);

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace sparkhost::testing

#endif
