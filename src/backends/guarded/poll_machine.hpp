// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_POLL_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_POLL_MACHINE_HPP

#include <algorithm>
#include <chrono>

namespace sparkhost::detail::guarded {

/// How long to wait between two looks at the cluster. Pure.
class PollMachine {
public:
    using Interval = std::chrono::milliseconds;

    PollMachine(Interval shortest, Interval longest)
        : shortest_(shortest), longest_(std::max(shortest, longest)), next_(shortest) {}

    /// Something is about to change: a driver has said that it ends, or is being killed.
    void hurry() { next_ = std::max(shortest_ / 16, Interval{1}); }

    /// A look is over; gives how long to wait for the next one.
    Interval looked(bool changed) {
        if (changed) {
            next_ = std::min(next_, shortest_);
        }
        const Interval pause = next_;
        const Interval longer = pause < shortest_ ? pause * 2 : pause + pause / 2 + Interval{1};
        next_ = std::min(changed ? std::max(pause, std::min(longer, shortest_)) : longer, longest_);
        return pause;
    }

private:
    Interval shortest_;
    Interval longest_;
    Interval next_;
};

}  // namespace sparkhost::detail::guarded

#endif
