// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_TRACKING_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_TRACKING_MACHINE_HPP

#include "backends/guarded/ticket_facts.hpp"
#include "backends/standalone/master_answer.hpp"

#include <chrono>
#include <string>

namespace sparkhost::detail::standalone {

using guarded::TicketEnd;
using guarded::TicketFacts;

struct TrackingRules {
    std::chrono::milliseconds lost_after{};
    std::chrono::milliseconds kill_again_after{std::chrono::seconds{10}};
    std::string agent_address{};  ///< what drivers dial, for people
};

/// What is seen of a ticket's driver now.
struct TrackingSight {
    DriverSight driver{};
    std::chrono::milliseconds missing_for{0};  ///< that no master has known it
    std::chrono::milliseconds since_kill{0};   ///< since the master was told last
};

struct TrackingDecision {
    enum class Do {
        nothing,
        seal,        ///< take the claim; then, if nobody has had it, finish with `end`
        finish,      ///< with `end`
        kill_again,  ///< what was told a master is lost when it dies
    };
    Do what{Do::nothing};
    TicketEnd end{};  ///< but for its time
    /// Its log may say why: nobody else has.
    bool look_into_log{false};
};

/// What a ticket's facts and what is seen of its driver come to. Pure.
TrackingDecision decide_tracking(const TicketFacts& facts, const TrackingSight& sight,
                                 const TrackingRules& rules);

}  // namespace sparkhost::detail::standalone

#endif
