// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_POD_TRACKING_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_POD_TRACKING_HPP

#include "backends/kubernetes/api_objects.hpp"
#include "backends/kubernetes/pod_reasons.hpp"

#include <sparkhost/backend.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// Now, on both clocks: the wall's for what is shown, the steady one for how long something takes.
struct Moment {
    Timestamp wall{};
    SteadyTime steady{};
};

/// After how long a driver that does not start is given up: its pod is deleted, and the batch has
/// failed with what hindered it. Zero: never.
struct GiveUpRules {
    std::chrono::milliseconds image{std::chrono::minutes{5}};  ///< an image that is not pulled
    std::chrono::milliseconds configuration{std::chrono::minutes{5}};  ///< a Secret is missing …
    std::chrono::milliseconds creation{std::chrono::minutes{5}};       ///< no container, no volume
    std::chrono::milliseconds scheduling{0};                           ///< no node takes it
    std::chrono::milliseconds start{0};  ///< from its creation, whatever the reason
};

/// Makes reports about one application out of what is seen of its driver pod. Everything may be
/// said again, late or in another order: a report never goes back, and an end is final.
class PodTracking {
public:
    explicit PodTracking(std::string ticket) : ticket_(std::move(ticket)) {}

    // Each gives true when the report has changed.

    /// The pod as it was at some time. `taken_up`: it was there before this process watched.
    bool see(const PodView& pod, Moment now, bool taken_up);
    bool see(const std::vector<PodEvent>& events, Moment now);
    /// The first executor has been asked for, so there is a SparkContext.
    bool see_executor(Timestamp created);
    /// There is no such pod any more.
    bool see_no_pod(Moment now);
    /// The ConfigMap that its driver needs is gone, so it will never start.
    bool see_no_configuration(Moment now);
    /// It is being ended because the host asked for it.
    void kill_requested() { killed_ = true; }
    /// The same, and no pod was ever made, nor will one run.
    bool killed_without_pod(Moment now);

    /// Looks at how long something has taken. True: it has been given up (given_up()), or the
    /// report has changed.
    bool check(const GiveUpRules& rules, Moment now);
    /// Its driver has not started, and its pod is there.
    bool is_waiting() const { return !uid_.empty() && !started_ && !has_ended() && !deletion_; }
    /// check() can find something as time goes by.
    bool needs_checks() const { return is_waiting() || (forced_at_ && !has_ended()); }

    ApplicationStatus status() const;
    bool has_ended() const { return outcome_ != Outcome::none; }
    bool has_started() const { return started_.has_value(); }
    const std::string& ticket() const { return ticket_; }
    const std::string& uid() const { return uid_; }
    const std::string& pod_name() const { return pod_; }
    const std::string& name_space() const { return name_space_; }
    const std::string& application_id() const { return application_id_; }
    bool is_being_deleted() const { return deletion_; }
    /// Why it was given up; empty: it was not. Its pod is to be deleted until it is.
    const std::string& given_up() const { return given_up_; }
    std::optional<SteadyTime> first_seen() const { return first_seen_; }
    std::optional<Timestamp> created() const { return created_; }

private:
    bool end(const PodEnd& found, Timestamp at);
    void note_times(const PodView& pod, Moment now);
    void hinder(Hindrance found, Moment now, bool taken_up, std::optional<Timestamp> created);
    std::optional<std::string> reason_to_give_up(const GiveUpRules& rules, Moment now) const;

    struct Wait {
        Timestamp at{};
        std::string reason{};
    };

    std::string ticket_;
    std::string pod_{};
    std::string name_space_{};
    std::string uid_{};
    std::string application_id_{};
    std::string reason_{};
    std::string given_up_{};
    Hindrance::Kind hindrance_{Hindrance::Kind::none};
    bool hindrance_from_events_{false};
    bool killed_{false};
    bool deletion_{false};
    Outcome outcome_{Outcome::none};
    std::optional<int> exit_code_{};
    std::optional<SteadyTime> first_seen_{};
    std::optional<SteadyTime> forced_at_{};  ///< it was deleted without waiting for its node
    SteadyTime hindered_since_{};
    std::optional<Timestamp> created_{}, scheduled_{}, pulled_{}, started_{}, context_up_{},
        ended_{};
    std::vector<Wait> waits_{};
};

}  // namespace sparkhost::detail::kubernetes

#endif
