// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/application_table.hpp"

#include "backends/kubernetes/driver_names.hpp"

#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

/// A name that is not the ticket's is not our doing.
bool is_driver_of_its_ticket(const PodView& pod) {
    return !pod.ticket.empty() && !pod.uid.empty() && pod.name == pod_name(pod.ticket);
}

}  // namespace

ApplicationTable::ApplicationTable(std::vector<std::string> scopes)
    : scopes_(std::move(scopes)), lists_(scopes_.size(), 1) {}

std::optional<std::size_t> ApplicationTable::scope_of(std::string_view name_space) const {
    for (std::size_t scope = 0; scope < scopes_.size(); ++scope) {
        if (scopes_[scope].empty() || scopes_[scope] == name_space) {
            return scope;
        }
    }
    return std::nullopt;
}

ApplicationTable::Application& ApplicationTable::take(const std::string& ticket,
                                                      std::size_t scope) {
    auto [found, added] = applications_.try_emplace(ticket, ticket);
    if (added) {
        found->second.scope = scope;
        // A list that is under way may have passed its place already.
        found->second.listed_in = lists_[scope];
    }
    return found->second;
}

void ApplicationTable::report(Application& application) {
    application.reported_in = snapshot_;
    reports_.push_back(application.tracking.status());
}

void ApplicationTable::remove_stray(const PodView& pod) {
    removals_.push_back({pod.ticket, pod.name_space, pod.name, pod.uid, {}});
}

void ApplicationTable::erase(const std::string& ticket) {
    const auto found = applications_.find(ticket);
    if (found == applications_.end()) {
        return;
    }
    const auto by_id = by_application_id_.find(found->second.tracking.application_id());
    if (by_id != by_application_id_.end() && by_id->second == &found->second) {
        by_application_id_.erase(by_id);  // its key stands in what is erased next
    }
    applications_.erase(found);
}

void ApplicationTable::begin_list(std::size_t scope) {
    ++lists_[scope];
}

void ApplicationTable::see_listed(std::size_t scope, const PodView& pod, Moment now) {
    observe(scope, pod, now, true);
}

void ApplicationTable::see(std::size_t scope, const PodView& pod, Moment now) {
    observe(scope, pod, now, false);
}

void ApplicationTable::observe(std::size_t scope, const PodView& pod, Moment now, bool listed) {
    if (!is_driver_of_its_ticket(pod)) {
        return;
    }
    const bool known = applications_.contains(pod.ticket);
    auto& application = take(pod.ticket, scope);
    if (listed) {
        application.listed_in = lists_[scope];
    }
    auto& tracking = application.tracking;
    const bool another = tracking.has_ended()
                             ? tracking.uid() != pod.uid
                             : !tracking.uid().empty() && tracking.uid() != pod.uid;
    if (another) {
        observe_stray(application, pod, now, listed);
        return;
    }
    const bool first = tracking.uid().empty();
    bool changed = tracking.see(pod, now, listed && !known);
    changed = (first && take_early_executor(tracking)) || changed;
    wishes_checks_ = wishes_checks_ || tracking.needs_checks();
    if (first && !tracking.application_id().empty()) {
        by_application_id_.try_emplace(tracking.application_id(), &application);
    }
    if (changed || first) {
        report(application);
    }
}

/// Another pod under the ticket's name: of a request that was late, or somebody has removed the
/// first by force and it was made again. User code must not run twice.
void ApplicationTable::observe_stray(Application& application, const PodView& pod, Moment now,
                                     bool listed) {
    auto& tracking = application.tracking;
    const bool newer = listed || !tracking.created() || tracking.created() < pod.created;
    if (!newer) {
        return;  // late news of the one before
    }
    if (tracking.see_no_pod(now)) {
        report(application);
    }
    remove_stray(pod);
}

void ApplicationTable::see_deleted(std::size_t scope, const PodView& pod, Moment now) {
    const auto found = applications_.find(pod.ticket);
    if (found == applications_.end() || !is_driver_of_its_ticket(pod)) {
        return;  // never heard of, or forgotten: nobody waits for it
    }
    auto& tracking = found->second.tracking;
    if (!tracking.uid().empty() && tracking.uid() != pod.uid) {
        return;
    }
    if (tracking.has_ended()) {
        if (tracking.uid() == pod.uid) {
            erase(pod.ticket);
        }
        return;
    }
    observe(scope, pod, now, false);  // its last state may say how it ended
    if (tracking.see_no_pod(now)) {
        report(found->second);
    }
}

void ApplicationTable::end_list(std::size_t scope, Moment now) {
    std::vector<std::string> gone;
    for (auto& [ticket, application] : applications_) {
        if (application.scope != scope || application.listed_in >= lists_[scope]) {
            continue;
        }
        if (application.tracking.see_no_pod(now)) {
            report(application);
        } else if (!application.tracking.uid().empty()) {
            gone.push_back(ticket);
        }
    }
    for (const auto& ticket : gone) {
        erase(ticket);
    }
}

void ApplicationTable::see_executor(const PodView& executor) {
    Application* application = nullptr;
    if (const auto named = applications_.find(executor.ticket); named != applications_.end()) {
        application = &named->second;
    } else if (const auto by_id = by_application_id_.find(executor.application_id);
               by_id != by_application_id_.end()) {
        application = by_id->second;
    }
    if (!application && executor.created) {
        early_executors_.emplace(executor.application_id, *executor.created);
    } else if (executor.created && application->tracking.see_executor(*executor.created)) {
        report(*application);
    }
}

/// Executors come by a watch of their own, maybe before their driver does.
bool ApplicationTable::take_early_executor(PodTracking& tracking) {
    const auto found = early_executors_.find(tracking.application_id());
    if (found == early_executors_.end()) {
        return false;
    }
    const auto created = found->second;
    early_executors_.erase(found);
    return tracking.see_executor(created);
}

void ApplicationTable::see_events(const std::string& ticket, const std::string& uid,
                                  const std::vector<PodEvent>& events, Moment now) {
    const auto found = applications_.find(ticket);
    if (found != applications_.end() && found->second.tracking.uid() == uid &&
        found->second.tracking.see(events, now)) {
        report(found->second);
    }
}

void ApplicationTable::see_orphan(const std::string& ticket, const std::string& uid, bool killed,
                                  Moment now) {
    const auto found = applications_.find(ticket);
    if (found == applications_.end() || found->second.tracking.uid() != uid ||
        !found->second.tracking.is_waiting()) {
        return;
    }
    auto& tracking = found->second.tracking;
    removals_.push_back({ticket, tracking.name_space(), tracking.pod_name(), uid, {}});
    if (killed ? tracking.killed_without_pod(now) : tracking.see_no_configuration(now)) {
        report(found->second);
    }
}

void ApplicationTable::see_tombstone(const std::string& ticket, std::size_t scope, Moment now) {
    const auto found = applications_.find(ticket);
    const bool has_pod = found != applications_.end() && !found->second.tracking.uid().empty();
    if (has_pod) {
        const std::string uid = found->second.tracking.uid();
        see_orphan(ticket, uid, true, now);
    } else {
        kill_without_pod(ticket, scope, now);
    }
}

void ApplicationTable::expect(const std::string& ticket, std::size_t scope) {
    auto& application = take(ticket, scope);
    application.listed_in = lists_[scope];
    if (application.tracking.uid().empty() && !application.tracking.has_ended()) {
        report(application);
    }
}

void ApplicationTable::kill(const std::string& ticket, std::size_t scope) {
    take(ticket, scope).tracking.kill_requested();
}

void ApplicationTable::kill_without_pod(const std::string& ticket, std::size_t scope, Moment now) {
    auto& application = take(ticket, scope);
    application.tracking.killed_without_pod(now);
    report(application);
}

void ApplicationTable::forget(const std::string& ticket) {
    erase(ticket);
}

void ApplicationTable::check(const GiveUpRules& rules, Moment now) {
    for (auto& [ticket, application] : applications_) {
        auto& tracking = application.tracking;
        if (tracking.needs_checks() && tracking.check(rules, now) && tracking.has_ended()) {
            report(application);
        }
        if (tracking.is_waiting() && !tracking.given_up().empty()) {
            removals_.push_back({ticket, tracking.name_space(), tracking.pod_name(), tracking.uid(),
                                 tracking.given_up()});
        }
    }
}

bool ApplicationTable::needs_checks() const {
    for (const auto& [ticket, application] : applications_) {
        if (application.tracking.needs_checks()) {
            return true;
        }
    }
    return false;
}

void ApplicationTable::complete_snapshot() {
    early_executors_.clear();  // whose drivers are not there any more
    for (auto& [ticket, application] : applications_) {
        if (application.reported_in < snapshot_) {
            report(application);
        }
    }
}

std::vector<ApplicationStatus> ApplicationTable::take_reports() {
    return std::exchange(reports_, {});
}

std::vector<PodRemoval> ApplicationTable::take_removals() {
    return std::exchange(removals_, {});
}

const PodTracking* ApplicationTable::find(const std::string& ticket) const {
    const auto found = applications_.find(ticket);
    return found == applications_.end() ? nullptr : &found->second.tracking;
}

}  // namespace sparkhost::detail::kubernetes
