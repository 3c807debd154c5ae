// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_TRACKING_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_TRACKING_MACHINE_HPP

#include "backends/guarded/ticket_facts.hpp"
#include "backends/yarn/rm_answer.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace sparkhost::detail::yarn {

struct TrackingRules {
    std::chrono::milliseconds lost_after{};
    std::chrono::milliseconds kill_again_after{std::chrono::seconds{10}};
    /// The ResourceManager calls an application KILLED before its node has ended the process. It
    /// counts as over when its guard has gone, or after so long.
    std::chrono::milliseconds dies_within{std::chrono::seconds{10}};
    std::string agent_address{};  ///< what drivers dial, for people
};

/// What is seen of a ticket's application now.
struct TrackingSight {
    /// Nothing: the active ResourceManager does not know it.
    std::optional<AppSight> app{};
    std::chrono::milliseconds missing_for{0};  ///< that none has known it
    std::chrono::milliseconds since_kill{0};   ///< since the ResourceManager was told last
    std::chrono::milliseconds over_for{0};     ///< since it was first seen to be over
};

struct TrackingDecision {
    enum class Do {
        nothing,
        seal,        ///< take the claim; then, if nobody has had it, finish with `end`
        finish,      ///< with `end`
        kill_again,  ///< what a ResourceManager was told is lost when it dies
    };
    Do what{Do::nothing};
    guarded::TicketEnd end{};  ///< but for its time
    /// Its log may say why: nobody else has.
    bool look_into_log{false};
};

/// What a ticket's facts and what is seen of its application come to. Pure.
TrackingDecision decide_tracking(const guarded::TicketFacts& facts, const TrackingSight& sight,
                                 const TrackingRules& rules);

bool is_over(AppState state);

/// What TicketFacts::worker is: "node:8042/container_1_0001_01_000001/user". Empty: the application
/// has no container yet.
std::string log_place(const AppSight& app);

/// What the journal does not have yet; nothing: it has all. `waited`: the application was seen
/// before. The line has no time yet. Pure.
std::optional<guarded::JournalLine> news_of(const guarded::TicketFacts& facts, const AppSight& app,
                                            bool waited);

}  // namespace sparkhost::detail::yarn

#endif
