// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/tracking_machine.hpp"

#include <utility>

namespace sparkhost::detail::standalone {

namespace {

using Do = TrackingDecision::Do;

TicketEnd end_with(Outcome outcome, std::string reason) {
    TicketEnd end;
    end.outcome = outcome;
    end.reason = std::move(reason);
    if (outcome == Outcome::success) {
        end.exit_code = 0;
    }
    return end;
}

std::string with_words(std::string text, const std::string& words) {
    return words.empty() ? text : text + ": " + words;
}

/// Of a driver that has had the claim.
TicketEnd end_of_run(const TicketFacts& facts, const DriverSight& driver) {
    const std::string& words = facts.error.empty() ? driver.message : facts.error;
    switch (driver.state) {
        case DriverState::finished:
            return end_with(Outcome::success, "");
        case DriverState::killed:
            return end_with(Outcome::killed, facts.kill_requested
                                                 ? "killed"
                                                 : "killed at the master, not by this server");
        case DriverState::error:
            // what ends while its master is away is lost to it: the guard knows better
            if (facts.main_ended && facts.error.empty()) {
                return end_with(Outcome::success, "");
            }
            return end_with(facts.kill_requested ? Outcome::killed : Outcome::failed,
                            with_words("the worker has lost the driver", words));
        default:
            break;
    }
    if (facts.kill_requested && facts.error.empty()) {
        return end_with(Outcome::killed, "killed");
    }
    return end_with(Outcome::failed,
                    words.empty() ? "the driver has failed; a standalone master does not tell its "
                                    "exit status, its log says more"
                                  : words);
}

/// Of a driver that ended before it had the claim: no user code has run.
TicketEnd end_without_claim(const DriverSight& driver, const TrackingRules& rules) {
    switch (driver.state) {
        case DriverState::killed:
            return end_with(Outcome::killed, "killed at the master before it was started");
        case DriverState::error:
            return end_with(Outcome::failed,
                            with_words("the worker could not start the driver", driver.message));
        default:
            return end_with(Outcome::failed,
                            with_words("the driver has ended before it ran anything: its guard "
                                       "needs to reach this server at " +
                                           rules.agent_address + "; its log says more",
                                       driver.message));
    }
}

/// Of a driver that is over.
TrackingDecision decide_over(const TicketFacts& facts, const DriverSight& driver,
                             const TrackingRules& rules) {
    TrackingDecision decision;
    decision.what = facts.claimed ? Do::finish : Do::seal;
    decision.end = facts.claimed ? end_of_run(facts, driver) : end_without_claim(driver, rules);
    decision.look_into_log = decision.end.outcome == Outcome::failed && facts.error.empty() &&
                             driver.message.empty() && driver.state == DriverState::failed;
    return decision;
}

TrackingDecision decide_missing(const TicketFacts& facts, const TrackingSight& sight,
                                const TrackingRules& rules) {
    if (facts.main_ended) {
        return {Do::finish,
                facts.error.empty() ? end_with(Outcome::success, "")
                                    : end_with(Outcome::failed, facts.error),
                false};
    }
    if (sight.missing_for < rules.lost_after) {
        return {};
    }
    const std::string lost = "no master knows the driver " + facts.driver() + " any more";
    if (!facts.claimed) {
        return {Do::seal, end_with(Outcome::failed, lost + "; it had not begun")};
    }
    if (facts.kill_requested) {
        return {Do::finish, end_with(Outcome::killed, lost), false};
    }
    return {Do::finish, end_with(Outcome::unknown, lost + ": how it has ended is not known"),
            false};
}

}  // namespace

TrackingDecision decide_tracking(const TicketFacts& facts, const TrackingSight& sight,
                                 const TrackingRules& rules) {
    if (facts.end || facts.driver().empty()) {
        return {};
    }
    if (is_over(sight.driver.state)) {
        return decide_over(facts, sight.driver, rules);
    }
    if (sight.driver.state == DriverState::missing || sight.driver.state == DriverState::unclear) {
        return decide_missing(facts, sight, rules);
    }
    if (facts.kill_requested && sight.since_kill >= rules.kill_again_after) {
        return {Do::kill_again, {}, false};
    }
    return {};
}

}  // namespace sparkhost::detail::standalone
