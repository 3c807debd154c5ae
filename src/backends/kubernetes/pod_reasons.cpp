// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/pod_reasons.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

using Kind = Hindrance::Kind;

struct WaitingWord {
    std::string_view reason;
    Kind kind;
    std::string_view words;
};

/// Why containers wait: pkg/kubelet/images/types.go and pkg/kubelet/container/sync_result.go of
/// Kubernetes.
constexpr WaitingWord waiting_words[] = {
    {"ErrImagePull", Kind::image, "cannot pull the image"},
    {"ImagePullBackOff", Kind::image, "cannot pull the image"},
    {"RegistryUnavailable", Kind::image, "the image's registry is not available"},
    {"ImageInspectError", Kind::image, "cannot look into the image"},
    {"SignatureValidationFailed", Kind::image, "the signature is not valid of the image"},
    {"ErrImageNeverPull", Kind::image, "not on the node, and its pull policy is Never: the image"},
    {"InvalidImageName", Kind::image_name, "not a valid name for an image:"},
    {"CreateContainerConfigError", Kind::configuration,
     "a Secret, a ConfigMap or a key of one is missing"},
    {"CreateContainerError", Kind::creation, "the container cannot be created"},
    {"PreCreateHookError", Kind::creation, "the container cannot be created"},
    {"RunContainerError", Kind::creation, "the container cannot be started"},
    {"PreStartHookError", Kind::creation, "the container cannot be started"},
    {"PostStartHookError", Kind::creation, "the container's start hook fails"},
    {"CrashLoopBackOff", Kind::creation, "the container fails again and again"},
};

std::string with(std::string words, std::string_view detail) {
    if (!detail.empty()) {
        words += ": ";
        words += detail;
    }
    return words;
}

Hindrance hindrance_of(const ContainerView& container, bool is_driver) {
    Hindrance found;
    if (container.state != ContainerView::State::waiting) {
        return found;
    }
    const auto* known =
        std::find_if(std::begin(waiting_words), std::end(waiting_words),
                     [&](const auto& each) { return each.reason == container.reason; });
    if (known == std::end(waiting_words)) {
        const bool usual = container.reason.empty() || container.reason == "ContainerCreating" ||
                           container.reason == "PodInitializing";
        if (!usual) {
            found.kind = Kind::creation;
            found.text = with(container.reason, container.message);
        }
    } else {
        found.kind = known->kind;
        std::string words(known->words);
        if (known->kind == Kind::image || known->kind == Kind::image_name) {
            words += " '" + container.image + "' (" + container.reason + ")";
        }
        found.text = with(std::move(words), container.message);
    }
    if (found.kind != Kind::none && !is_driver) {
        found.text = "container '" + container.name + "': " + found.text;
    }
    return found;
}

Hindrance hindrance_of(const ConditionView& scheduled) {
    Hindrance found;
    if (scheduled.value != ConditionView::Value::no) {
        return found;
    }
    found.kind = Kind::scheduling;
    found.since = scheduled.since;
    if (scheduled.reason == "SchedulingGated") {
        found.text = with("held back by a scheduling gate", scheduled.message);
    } else if (scheduled.reason == "Unschedulable") {
        found.text = with("no node takes the driver", scheduled.message);
    } else {
        found.text = with("the scheduler could not place the driver", scheduled.message);
    }
    return found;
}

struct CauseWord {
    std::string_view reason;
    std::string_view words;
};

/// https://kubernetes.io/docs/concepts/workloads/pods/disruptions, "Pod disruption conditions"
constexpr CauseWord disruption_words[] = {
    {"PreemptionByScheduler", "preempted by a pod of higher priority"},
    {"DeletionByTaintManager", "its node was lost or tainted"},
    {"EvictionByEvictionAPI", "evicted, as when a node is drained"},
    {"DeletionByPodGC", "its node is gone"},
    {"TerminationByKubelet", "ended by its node, which ran out of a resource or shut down"},
};

constexpr CauseWord pod_words[] = {
    {"Evicted", "evicted by its node"},
    {"DeadlineExceeded", "it ran longer than activeDeadlineSeconds allows"},
    {"Preempting", "preempted by a pod of higher priority"},
    {"NodeLost", "its node was lost"},
    {"NodeShutdown", "its node shut down"},
    {"Terminated", "its node shut down"},
    {"NodeAffinity", "its node no longer matches its node selector"},
    {"UnexpectedAdmissionError", "its node refused it"},
};

/// What ended the pod from outside of its containers; empty: nothing did.
std::string outer_cause(const PodView& pod) {
    if (pod.disrupted.value == ConditionView::Value::yes) {
        for (const auto& each : disruption_words) {
            if (pod.disrupted.reason == each.reason) {
                const bool evicted = pod.reason == "Evicted";
                return with(std::string(evicted ? "evicted by its node" : each.words),
                            evicted ? pod.message : pod.disrupted.message);
            }
        }
        return with("disrupted (" + pod.disrupted.reason + ")", pod.disrupted.message);
    }
    if (pod.reason.empty()) {
        return {};
    }
    for (const auto& each : pod_words) {
        if (pod.reason == each.reason) {
            return with(std::string(each.words), pod.message);
        }
    }
    if (pod.reason.starts_with("OutOf")) {
        return with("its node refused it, as it has no room (" + pod.reason + ")", pod.message);
    }
    return with(pod.reason, pod.message);
}

std::string words_for_exit(const ContainerView& driver) {
    const auto code = "exit code " + std::to_string(driver.exit_code);
    if (driver.reason == "OOMKilled") {
        return "out of memory: the driver used more than its container's limit (OOMKilled, " +
               code + "); give it more driver_memory or spark.driver.memoryOverhead";
    }
    if (driver.reason == "ContainerCannotRun" || driver.reason == "StartError") {
        return "the driver could not be started (" + driver.reason + ", " + code + ")";
    }
    switch (driver.exit_code) {
        case 101:  // CLASS_NOT_FOUND_EXIT_STATUS of SparkSubmit
            return "Spark did not find the main class (" + code + ")";
        case 52:  // SparkExitCode.OOM
            return "the driver's JVM ran out of heap memory (" + code +
                   "); give it more driver_memory";
        case 126:
        case 127:
            return "the image's entry point cannot be run (" + code + ")";
        case 137:
            return "the driver was killed (SIGKILL, " + code +
                   "): by its node for lack of memory, at the end of its grace period, or by hand";
        case 143:
            return "the driver was asked to end (SIGTERM, " + code + ")";
        default:
            return driver.signal > 0
                       ? "the driver was ended by signal " + std::to_string(driver.signal) + " (" +
                             code + ")"
                       : "the driver exited with code " + std::to_string(driver.exit_code);
    }
}

/// The kubelet writes this for containers that it cannot say anything about.
bool is_made_up(const ContainerView& driver) {
    return driver.reason == "ContainerStatusUnknown";
}

PodEnd end_without_exit(const PodView& pod) {
    PodEnd end;
    const auto cause = outer_cause(pod);
    const auto& obstacle = pod.obstacle;
    if (!cause.empty()) {
        end.reason = cause;
    } else if (pod.deletion) {
        end.deleted_by_wish = true;
        end.reason = "the driver pod was deleted before the driver ran";
    } else if (obstacle.state == ContainerView::State::terminated) {
        end.reason = with("container '" + obstacle.name + "' failed with exit code " +
                              std::to_string(obstacle.exit_code),
                          obstacle.message);
    } else {
        end.reason = with("the driver pod failed", pod.message);
    }
    return end;
}

PodEnd end_of_lost(const PodView& pod) {
    PodEnd end = end_without_exit(pod);
    end.outcome = Outcome::unknown;
    const auto cause = outer_cause(pod);
    end.reason = "nobody saw how the driver ended";
    if (!cause.empty()) {
        end.reason += "; " + cause;
    } else if (pod.deletion) {
        end.reason += "; its pod was deleted";
    }
    return end;
}

/// Whether it ended because its pod was being deleted, as far as one can tell: a driver may leave
/// with any code when it is asked to.
bool ended_by_deletion(const PodView& pod) {
    const auto& driver = pod.driver;
    if (!pod.deletion || driver.reason == "OOMKilled") {
        return false;
    }
    if (driver.exit_code == 143 || driver.exit_code == 137) {
        return true;
    }
    // With a grace of zero, which the kubelet sets in the end, the time of the request is lost.
    const auto grace = pod.deletion_grace.value_or(0);
    return grace > 0 && grace < 1000000 && driver.finished &&
           *driver.finished >= *pod.deletion - std::chrono::seconds(grace);
}

PodEnd end_of_exited(const PodView& pod) {
    const auto& driver = pod.driver;
    PodEnd end;
    end.exit_code = driver.exit_code;
    end.at = driver.finished;
    if (driver.exit_code == 0) {
        end.outcome = Outcome::success;
        return end;
    }
    end.reason = words_for_exit(driver);
    const auto cause = outer_cause(pod);
    end.deleted_by_wish = cause.empty() && ended_by_deletion(pod);
    if (!cause.empty()) {
        end.reason = cause + " (exit code " + std::to_string(driver.exit_code) + ")";
    } else {
        end.reason = with(std::move(end.reason), driver.message);
    }
    return end;
}

}  // namespace

Hindrance find_hindrance(const PodView& pod) {
    if (pod.phase != PodPhase::pending && pod.phase != PodPhase::running) {
        return {};
    }
    auto found = hindrance_of(pod.scheduled);
    if (found.kind == Kind::none) {
        found = hindrance_of(pod.driver, true);
    }
    if (found.kind == Kind::none) {
        found = hindrance_of(pod.obstacle, false);
    }
    return found;
}

Hindrance find_hindrance(const std::vector<PodEvent>& events) {
    constexpr WaitingWord words[] = {
        {"FailedMount", Kind::volume, "a volume cannot be mounted"},
        {"FailedAttachVolume", Kind::volume, "a volume cannot be attached"},
        {"FailedCreatePodSandBox", Kind::creation, "its node cannot make the pod"},
        {"NetworkNotReady", Kind::creation, "its node has no network for pods"},
        {"FailedScheduling", Kind::scheduling, "no node takes the driver"},
        {"Pulling", Kind::progress, ""},
    };
    Hindrance found;
    for (const auto& event : events) {
        const auto* known = std::find_if(std::begin(words), std::end(words), [&](const auto& each) {
            return each.reason == event.reason;
        });
        if (known != std::end(words)) {
            found.kind = known->kind;
            found.text = known->words.empty() ? event.message
                                              : with(std::string(known->words), event.message);
            found.since = event.first;
        } else if (event.reason == "Pulled" || event.reason == "Scheduled" ||
                   event.reason == "Created" || event.reason == "SuccessfulAttachVolume") {
            found = Hindrance();  // it went on after what was before
        }
    }
    return found;
}

std::optional<Timestamp> image_pulled_at(const std::vector<PodEvent>& events) {
    std::optional<Timestamp> pulled;
    for (const auto& event : events) {
        if (event.reason == "Pulled") {
            pulled = event.first;
        }
    }
    return pulled;
}

std::optional<PodEnd> find_end(const PodView& pod) {
    const bool over = pod.phase == PodPhase::succeeded || pod.phase == PodPhase::failed;
    const auto state = pod.driver.state;
    if (state == ContainerView::State::terminated && !is_made_up(pod.driver)) {
        return end_of_exited(pod);
    }
    if (state == ContainerView::State::terminated) {
        return pod.driver.started ? end_of_lost(pod) : end_without_exit(pod);
    }
    if (over && state == ContainerView::State::running) {
        return end_of_lost(pod);  // its node is gone: nobody was there to say
    }
    if (pod.phase == PodPhase::succeeded) {
        PodEnd end;
        end.outcome = Outcome::success;
        return end;
    }
    // without a node there is no kubelet that would say that it is over
    const bool never_placed = pod.deletion && pod.node.empty() && pod.phase == PodPhase::pending &&
                              state == ContainerView::State::none;
    return over || never_placed ? std::optional(end_without_exit(pod)) : std::nullopt;
}

PodEnd end_of_vanished() {
    PodEnd end;
    end.outcome = Outcome::unknown;
    end.reason =
        "the driver pod is gone, although sparkhost protected it: somebody has removed it by "
        "force; how the driver ended is not known";
    return end;
}

}  // namespace sparkhost::detail::kubernetes
