// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/pod_tracking.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

using Kind = Hindrance::Kind;
using std::chrono::milliseconds;

constexpr std::size_t most_waits = 8;
/// A node that works says within this how the containers of a deleted pod have ended.
constexpr milliseconds forced_patience{std::chrono::minutes{1}};

bool is_running(const PodView& pod) {
    if (pod.driver.state == ContainerView::State::none) {
        return pod.phase == PodPhase::running;  // no container goes by a name we know
    }
    return pod.driver.state == ContainerView::State::running || pod.driver.started.has_value();
}

/// The kubelet says in turn that it failed, with all details, and that it waits before it tries
/// again, with few: the details stay.
bool says_less(const Hindrance& found, Kind before) {
    return found.kind == Kind::image && before == Kind::image &&
           found.text.find("ack-off pulling image") != std::string::npos;
}

milliseconds limit_for(Kind kind, const GiveUpRules& rules) {
    switch (kind) {
        case Kind::image:
            return rules.image;
        case Kind::configuration:
            return rules.configuration;
        case Kind::creation:
        case Kind::volume:
            return rules.creation;
        case Kind::scheduling:
            return rules.scheduling;
        default:
            return milliseconds::zero();
    }
}

std::string seconds_text(milliseconds duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) +
           " s";
}

template <class T>
void keep_first(std::optional<T>& known, const std::optional<T>& seen) {
    if (!known) {
        known = seen;
    }
}

}  // namespace

bool PodTracking::see(const PodView& pod, Moment now, bool taken_up) {
    if (has_ended()) {
        return false;
    }
    const bool first = uid_.empty();
    const auto before = status();
    if (first) {
        uid_ = pod.uid;
        pod_ = pod.name;
        name_space_ = pod.name_space;
        application_id_ = pod.application_id;
        first_seen_ = now.steady;
    }
    deletion_ = deletion_ || pod.deletion.has_value();
    if (pod.deletion && pod.deletion_grace == 0 && !forced_at_) {
        forced_at_ = now.steady;
    }
    if (given_up_.empty()) {
        given_up_ = pod.given_up;
    }
    note_times(pod, now);
    if (const auto found = find_end(pod)) {
        return end(*found, now.wall);
    }
    if (!started_) {
        hinder(find_hindrance(pod), now, first && taken_up, pod.created);
    }
    return status() != before;
}

void PodTracking::note_times(const PodView& pod, Moment now) {
    keep_first(created_, pod.created);
    if (pod.scheduled.value == ConditionView::Value::yes) {
        keep_first(scheduled_, pod.scheduled.since);
    }
    if (is_running(pod) && !started_) {
        started_ = pod.driver.started.value_or(now.wall);
        reason_.clear();
        hindrance_ = Kind::none;
    }
}

void PodTracking::hinder(Hindrance found, Moment now, bool taken_up,
                         std::optional<Timestamp> created) {
    if (found.kind == Kind::none && hindrance_from_events_ && scheduled_) {
        return;  // what its events have said is all that is known
    }
    if (found.kind != hindrance_) {
        hindered_since_ = now.steady;
        if (taken_up) {
            const auto since = found.since.value_or(created.value_or(now.wall));
            hindered_since_ -= std::max(now.wall - since, milliseconds::zero());
        }
    } else if (says_less(found, hindrance_) && !reason_.empty()) {
        return;
    }
    hindrance_ = found.kind;
    hindrance_from_events_ = false;
    if (found.text == reason_) {
        return;
    }
    reason_ = std::move(found.text);
    const bool told = std::any_of(waits_.begin(), waits_.end(),
                                  [&](const auto& each) { return each.reason == reason_; });
    if (!reason_.empty() && !told && waits_.size() < most_waits) {
        const bool begins = waits_.empty() || waits_.back().at < found.since.value_or(Timestamp());
        waits_.push_back({begins ? found.since.value_or(now.wall) : now.wall, reason_});
    }
}

bool PodTracking::see(const std::vector<PodEvent>& events, Moment now) {
    if (has_ended()) {
        return false;
    }
    const auto before = status();
    keep_first(pulled_, image_pulled_at(events));
    auto found = find_hindrance(events);
    const bool silent = hindrance_ == Kind::none || hindrance_from_events_;
    if (!started_ && silent && (found.kind != Kind::scheduling || !scheduled_)) {
        hindrance_from_events_ = false;
        const bool any = found.kind != Kind::none;
        hinder(std::move(found), now, false, std::nullopt);
        hindrance_from_events_ = any;
    }
    return status() != before;
}

bool PodTracking::see_executor(Timestamp created) {
    if (has_ended() || context_up_) {
        return false;
    }
    context_up_ = created;
    return started_.has_value();  // else the news that it has started is on its way
}

bool PodTracking::see_no_pod(Moment now) {
    return !has_ended() && end(end_of_vanished(), now.wall);
}

bool PodTracking::see_no_configuration(Moment now) {
    PodEnd found;
    found.reason = "the driver could not start: somebody has removed its ConfigMap";
    return !has_ended() && end(found, now.wall);
}

bool PodTracking::killed_without_pod(Moment now) {
    killed_ = true;
    return see_no_pod(now);
}

bool PodTracking::end(const PodEnd& found, Timestamp at) {
    const bool succeeded = found.outcome == Outcome::success;
    outcome_ = found.outcome;
    exit_code_ = found.exit_code;
    reason_ = found.reason;
    ended_ = std::max(found.at.value_or(at), started_.value_or(Timestamp()));
    if (killed_) {
        outcome_ = Outcome::killed;
        reason_ = "killed on request";
    } else if (!given_up_.empty() && !succeeded) {
        outcome_ = Outcome::failed;
        reason_ = given_up_;
    } else if (found.deleted_by_wish) {
        outcome_ = Outcome::killed;
        reason_ = "somebody deleted the driver pod, not through sparkhost";
        if (exit_code_) {
            reason_ += " (exit code " + std::to_string(*exit_code_) + ")";
        }
    } else if (outcome_ == Outcome::failed && !started_ && !waits_.empty() && !exit_code_) {
        reason_ += "; before that: " + waits_.back().reason;
    }
    waits_.shrink_to_fit();
    return true;
}

std::optional<std::string> PodTracking::reason_to_give_up(const GiveUpRules& rules,
                                                          Moment now) const {
    if (hindrance_ == Kind::image_name) {
        return reason_;  // no name gets better
    }
    const auto waited = std::chrono::duration_cast<milliseconds>(now.steady - hindered_since_);
    const auto limit = limit_for(hindrance_, rules);
    if (limit > milliseconds::zero() && waited >= limit) {
        return reason_ + " (given up after " + seconds_text(waited) + ")";
    }
    const auto all = std::chrono::duration_cast<milliseconds>(now.steady - *first_seen_);
    if (rules.start > milliseconds::zero() && all >= rules.start) {
        const auto why = reason_.empty() ? std::string() : ": " + reason_;
        return "the driver did not start within " + seconds_text(rules.start) + why;
    }
    return std::nullopt;
}

bool PodTracking::check(const GiveUpRules& rules, Moment now) {
    if (forced_at_ && !has_ended() && now.steady - *forced_at_ >= forced_patience) {
        PodEnd found;
        found.outcome = Outcome::unknown;
        found.reason =
            "somebody deleted the driver pod by force; whether the driver still runs on its node "
            "is not known";
        return end(found, now.wall);
    }
    if (!is_waiting() || killed_ || !given_up_.empty()) {
        return false;
    }
    if (auto reason = reason_to_give_up(rules, now)) {
        given_up_ = std::move(*reason);
        return true;
    }
    return false;
}

ApplicationStatus PodTracking::status() const {
    ApplicationStatus report;
    report.ticket = ticket_;
    report.state = has_ended()               ? ApplicationState::ended
                   : context_up_ && started_ ? ApplicationState::context_up
                   : started_                ? ApplicationState::started
                                             : ApplicationState::submitted;
    report.outcome = outcome_;
    report.exit_code = exit_code_;
    report.application_id = started_ ? application_id_ : std::string();
    report.reason = reason_;
    report.started = started_;
    if (context_up_ && started_) {
        report.context_up = std::max(*context_up_, *started_);
    }
    report.ended = ended_;
    const auto add = [&](const char* what, const std::optional<Timestamp>& at) {
        if (at) {
            report.steps.push_back({what, *at, {}});
        }
    };
    add("pod_created", created_);
    for (const auto& wait : waits_) {
        report.steps.push_back({"waiting", wait.at, wait.reason});
    }
    add("scheduled", scheduled_);
    add("image_pulled", pulled_);
    add("container_started", started_);
    std::stable_sort(report.steps.begin(), report.steps.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    return report;
}

}  // namespace sparkhost::detail::kubernetes
