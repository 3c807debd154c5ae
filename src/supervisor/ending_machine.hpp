// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_SUPERVISOR_ENDING_MACHINE_HPP
#define SPARKHOST_SRC_SUPERVISOR_ENDING_MACHINE_HPP

#include <chrono>
#include <optional>

namespace sparkhost::supervisor {

/// Decides when which signal is due on the way to "nothing is left". Pure: the caller tells what
/// happens and when, and sends what is asked for.
class EndingMachine {
public:
    using Time = std::chrono::steady_clock::time_point;

    enum class Step {
        none,
        terminate_group,  ///< SIGTERM to the child's group: it may end what it has started
        terminate_all,    ///< SIGTERM to every descendant: nobody else ends them any more
        kill_all          ///< SIGKILL to the group and to every descendant
    };

    explicit EndingMachine(std::chrono::milliseconds grace) : grace_(grace) {}

    Step on_kill_requested(Time now) {
        if (phase_ != Phase::running) {
            return Step::none;
        }
        begin(now);
        return Step::terminate_group;
    }

    /// The child is over, descendants are left.
    Step on_child_over(Time now) {
        if (phase_ == Phase::killing) {
            return Step::kill_all;
        }
        if (phase_ == Phase::running) {
            begin(now);
        }
        return Step::terminate_all;
    }

    /// Some other descendant is over; its own children are ours now.
    Step on_orphans() const { return phase_ == Phase::killing ? Step::kill_all : Step::none; }

    Step on_time(Time now) {
        if (phase_ != Phase::terminating || now < deadline_) {
            return Step::none;
        }
        phase_ = Phase::killing;
        return Step::kill_all;
    }

    /// When on_time has something to say.
    std::optional<Time> deadline() const {
        return phase_ == Phase::terminating ? std::optional(deadline_) : std::nullopt;
    }

private:
    enum class Phase { running, terminating, killing };

    void begin(Time now) {
        phase_ = Phase::terminating;
        deadline_ = now + grace_;
    }

    std::chrono::milliseconds grace_;
    Phase phase_{Phase::running};
    Time deadline_{};
};

}  // namespace sparkhost::supervisor

#endif
