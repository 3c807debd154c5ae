// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_APPLICATION_TABLE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_APPLICATION_TABLE_HPP

#include "backends/kubernetes/pod_tracking.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// A pod that is to go.
struct PodRemoval {
    std::string ticket{};
    std::string name_space{};
    std::string pod{};
    std::string uid{};
    /// Why it was given up, to be kept on the pod; its end will be reported. Empty: nobody waits
    /// for this pod, so our finalizer goes, too.
    std::string given_up{};
    bool operator==(const PodRemoval&) const = default;
};

/// All applications of a store, as far as they have been seen or are expected. Pure: what there is
/// to tell and to do is collected until it is taken.
///
/// A scope is what one watch covers: a namespace, or all of them ("").
class ApplicationTable {
public:
    explicit ApplicationTable(std::vector<std::string> scopes);

    /// The scope that covers a namespace; nothing: none does.
    std::optional<std::size_t> scope_of(std::string_view name_space) const;
    std::size_t scopes() const { return scopes_.size(); }

    // What lists and watches say. After end_list, what was not in the list has gone.
    void begin_list(std::size_t scope);
    void see_listed(std::size_t scope, const PodView& pod, Moment now);
    void end_list(std::size_t scope, Moment now);
    void see(std::size_t scope, const PodView& pod, Moment now);
    void see_deleted(std::size_t scope, const PodView& pod, Moment now);
    void see_executor(const PodView& executor);
    void see_events(const std::string& ticket, const std::string& uid,
                    const std::vector<PodEvent>& events, Moment now);
    /// This pod can never run: a killer has taken its ticket, or its ConfigMap is gone.
    void see_orphan(const std::string& ticket, const std::string& uid, bool killed, Moment now);

    /// A killer has taken this ticket; told after the pods that there are.
    void see_tombstone(const std::string& ticket, std::size_t scope, Moment now);

    // What the backend's operations say.
    void expect(const std::string& ticket, std::size_t scope);
    void kill(const std::string& ticket, std::size_t scope);
    void kill_without_pod(const std::string& ticket, std::size_t scope, Moment now);
    void forget(const std::string& ticket);

    /// Gives up what has been hindered for too long.
    void check(const GiveUpRules& rules, Moment now);
    /// Whether check() can find something as time goes by.
    bool needs_checks() const;
    /// Whether something has been seen since that check() should look at.
    bool take_wish_for_checks() { return std::exchange(wishes_checks_, false); }
    /// A snapshot reports everything once between these two.
    void begin_snapshot() { ++snapshot_; }
    void complete_snapshot();

    std::vector<ApplicationStatus> take_reports();
    std::vector<PodRemoval> take_removals();
    bool has_news() const { return !reports_.empty() || !removals_.empty(); }

    const PodTracking* find(const std::string& ticket) const;
    std::size_t size() const { return applications_.size(); }
    template <class Function>
    void for_each(Function function) const {
        for (const auto& [ticket, application] : applications_) {
            function(application.tracking);
        }
    }

private:
    struct Application {
        explicit Application(const std::string& ticket) : tracking(ticket) {}
        PodTracking tracking;
        std::size_t scope{0};
        std::uint64_t listed_in{0};    ///< the last list that it is not missing in
        std::uint64_t reported_in{0};  ///< the last snapshot
    };

    Application& take(const std::string& ticket, std::size_t scope);
    void observe(std::size_t scope, const PodView& pod, Moment now, bool listed);
    void observe_stray(Application& application, const PodView& pod, Moment now, bool listed);
    bool take_early_executor(PodTracking& tracking);
    void report(Application& application);
    void remove_stray(const PodView& pod);
    void erase(const std::string& ticket);

    std::vector<std::string> scopes_;
    std::vector<std::uint64_t> lists_;  ///< of each scope, counted
    std::uint64_t snapshot_{1};
    bool wishes_checks_{false};
    std::unordered_map<std::string, Application> applications_{};
    std::unordered_map<std::string_view, Application*> by_application_id_{};
    std::unordered_map<std::string, Timestamp> early_executors_{};  ///< by application id
    std::vector<ApplicationStatus> reports_{};
    std::vector<PodRemoval> removals_{};
};

}  // namespace sparkhost::detail::kubernetes

#endif
