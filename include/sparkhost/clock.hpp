// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_CLOCK_HPP
#define SPARKHOST_CLOCK_HPP

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace sparkhost {

/// Wall-clock time, millisecond precision, as stored and shown (milliseconds since 1970, UTC).
using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

/// Where the host gets its time from. Tests put a testing::ManualClock in its place.
///
/// Thread safety: all members may be called from any thread.
class Clock {
public:
    virtual ~Clock() = default;

    virtual Timestamp now() const = 0;          ///< for records; may jump
    virtual SteadyTime steady_now() const = 0;  ///< for waiting; never jumps

    /// Completes at `deadline`, on the awaiting coroutine's executor.
    /// Cancellation: completes at once; never throws for it.
    virtual boost::asio::awaitable<void> sleep_until(SteadyTime deadline) = 0;
};

}  // namespace sparkhost

#endif
