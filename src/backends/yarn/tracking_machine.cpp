// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/tracking_machine.hpp"

#include "backends/yarn/failure_words.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

using guarded::JournalLine;
using guarded::TicketEnd;
using guarded::TicketFacts;
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

bool was_killed(const AppSight& app) {
    return app.state == AppState::killed ||
           (app.state == AppState::finished && app.final_status == FinalStatus::killed);
}

bool has_succeeded(const AppSight& app) {
    return app.state == AppState::finished && app.final_status == FinalStatus::succeeded;
}

TrackingDecision failed(const TicketFacts& facts, const AppSight& app) {
    const FailureWords words = failure_words(app.diagnostics);
    // the interpreter is a process of its own: only its output has what a Python program raised
    const bool guard_knows =
        !facts.error.empty() && facts.error.find("SparkUserAppException") == std::string::npos;
    TrackingDecision decision;
    decision.what = Do::finish;
    if (facts.kill_requested && facts.error.empty()) {
        decision.end = end_with(Outcome::killed, "killed");
    } else if (guard_knows) {
        decision.end = end_with(Outcome::failed, facts.error);
    } else {
        decision.look_into_log = !words.telling;
        decision.end = end_with(Outcome::failed, words.reason.empty()
                                                     ? "the application has failed; its log says "
                                                       "more"
                                                     : words.reason);
    }
    decision.end.exit_code = words.exit_code;
    return decision;
}

/// Of an application that has had the claim.
TrackingDecision end_of_run(const TicketFacts& facts, const TrackingSight& sight,
                            const TrackingRules& rules) {
    const AppSight& app = *sight.app;
    if (has_succeeded(app)) {
        return {Do::finish, end_with(Outcome::success, ""), false};
    }
    if (!was_killed(app)) {
        return failed(facts, app);
    }
    if (facts.guard_is_there && sight.over_for < rules.dies_within) {
        return {};
    }
    const std::string reason = facts.kill_requested
                                   ? "killed"
                                   : with_words("killed at the ResourceManager, not by this server",
                                                failure_words(app.diagnostics).reason);
    return {Do::finish, end_with(Outcome::killed, reason), false};
}

/// Of one that ended before it had the claim: no user code has run.
TrackingDecision end_without_claim(const TicketFacts& facts, const AppSight& app,
                                   const TrackingRules& rules) {
    const FailureWords words = failure_words(app.diagnostics);
    TicketEnd end;
    if (facts.kill_requested) {
        end = end_with(Outcome::killed, "killed before it was started");
    } else if (was_killed(app)) {
        end = end_with(
            Outcome::killed,
            with_words("killed at the ResourceManager before it was started", words.reason));
    } else if (words.telling) {
        end = end_with(Outcome::failed, "the application could not be started: " + words.reason);
    } else {
        end = end_with(Outcome::failed,
                       with_words("the application has ended before it ran anything: its guard "
                                  "needs to reach this server at " +
                                      rules.agent_address + "; its log says more",
                                  words.reason));
    }
    end.exit_code = words.exit_code;
    return {Do::seal, std::move(end), false};
}

TrackingDecision decide_missing(const TicketFacts& facts, const TrackingSight& sight,
                                const TrackingRules& rules) {
    if (sight.missing_for < rules.lost_after) {
        return {};
    }
    if (facts.main_ended) {
        return {Do::finish,
                facts.error.empty() ? end_with(Outcome::success, "")
                                    : end_with(Outcome::failed, facts.error),
                false};
    }
    const std::string lost = "no ResourceManager knows " + facts.driver() + " any more";
    if (!facts.claimed) {
        return {Do::seal, end_with(Outcome::failed, lost + "; it had not begun"), false};
    }
    if (facts.kill_requested) {
        return {Do::finish, end_with(Outcome::killed, lost), false};
    }
    return {Do::finish, end_with(Outcome::unknown, lost + ": how it has ended is not known"),
            false};
}

JournalLine line_of(JournalLine::What what, std::string text, std::string more = {}) {
    JournalLine line;
    line.what = what;
    line.text = std::move(text);
    line.more = std::move(more);
    return line;
}

}  // namespace

bool is_over(AppState state) {
    return state == AppState::finished || state == AppState::failed || state == AppState::killed;
}

TrackingDecision decide_tracking(const TicketFacts& facts, const TrackingSight& sight,
                                 const TrackingRules& rules) {
    if (facts.end || facts.driver().empty()) {
        return {};
    }
    if (!sight.app) {
        return decide_missing(facts, sight, rules);
    }
    if (is_over(sight.app->state)) {
        return facts.claimed ? end_of_run(facts, sight, rules)
                             : end_without_claim(facts, *sight.app, rules);
    }
    if (facts.kill_requested && sight.since_kill >= rules.kill_again_after) {
        return {Do::kill_again, {}, false};
    }
    return {};
}

std::string log_place(const AppSight& app) {
    const bool has_place = !app.am_container.empty() && !app.am_host.empty();
    return has_place ? app.am_host + "/" + app.am_container + "/" + app.user : std::string();
}

std::optional<JournalLine> news_of(const TicketFacts& facts, const AppSight& app, bool waited) {
    using What = JournalLine::What;
    const std::string place = log_place(app);
    if (!place.empty() && facts.worker != place) {
        return line_of(What::launched, app.am_container, place);
    }
    // the address by the ResourceManager is the one that goes on working
    const bool has_address = app.tracking_url.starts_with("http");
    const bool has_context = app.state == AppState::running || has_succeeded(app);
    if (facts.claimed && has_context &&
        (facts.application_id.empty() || (has_address && facts.ui_url != app.tracking_url))) {
        return line_of(What::application, app.id, has_address ? app.tracking_url : facts.ui_url);
    }
    const bool waits = waited && app.am_container.empty() && !is_over(app.state);
    std::string words = waits ? waiting_words(app.diagnostics) : std::string();
    const bool is_told = std::ranges::any_of(facts.steps, [&](const auto& step) {
        return step.what == "waiting" && step.reason == words;
    });
    if (words.empty() || is_told) {
        return std::nullopt;
    }
    return line_of(What::waiting, std::move(words));
}

}  // namespace sparkhost::detail::yarn
