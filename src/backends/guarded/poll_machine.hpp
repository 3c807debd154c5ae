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
    void hurry() { next_ = least(); }

    /// A look is over that took so long; gives how long to wait for the next one.
    Interval looked(bool changed, Interval took) {
        rest_ = std::min(std::max(least(), rest_per_look * took), longest_);
        if (changed) {
            next_ = std::min(next_, shortest_);
        }
        const Interval pause = next_;
        const Interval longer = pause < shortest_ ? pause * 2 : pause + pause / 2 + Interval{1};
        next_ = std::min(changed ? std::max(pause, std::min(longer, shortest_)) : longer, longest_);
        return std::max(pause, rest_);
    }

    /// How long nobody looks again, whatever the hurry: of a cluster that takes a second to list
    /// what it has, a fifth of the time is enough.
    Interval rest() const { return rest_; }

private:
    static constexpr int rest_per_look = 4;

    Interval least() const { return std::max(shortest_ / 16, Interval{1}); }

    Interval shortest_;
    Interval longest_;
    Interval next_;
    Interval rest_{0};
};

}  // namespace sparkhost::detail::guarded

#endif
