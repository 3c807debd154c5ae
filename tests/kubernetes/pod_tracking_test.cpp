// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/pod_tracking.hpp"

#include "backends/kubernetes/api_text.hpp"
#include "kubernetes/pod_json.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

namespace sparkhost::detail::kubernetes {

namespace {

using namespace std::chrono_literals;
using namespace sparkhost::test;

/// So long after midnight of the day that the pods are from.
Moment after(std::chrono::milliseconds time) {
    return {*read_time("2026-01-01T00:00:00Z") + time, SteadyTime(time)};
}

ApplicationStatus seen_once(const PodJson& pod) {
    PodTracking tracking(pod.ticket);
    tracking.see(pod.view(), after(2min), false);
    return tracking.status();
}

/// The steps' names, with reasons in brackets.
std::string steps_of(const ApplicationStatus& status) {
    std::string words;
    for (const auto& step : status.steps) {
        words += (words.empty() ? "" : " ") + step.what;
        if (!step.reason.empty()) {
            words += "(" + step.reason + ")";
        }
    }
    return words;
}

std::vector<ApplicationStatus> play(const std::string& file, const std::string& pod, bool kill) {
    std::vector<ApplicationStatus> reports;
    PodTracking tracking("t");
    EventLines lines;
    lines.feed(recording(file));
    for (auto line = lines.next(); line && *line; line = lines.next()) {
        const auto event = read_watch_event(**line);
        BOOST_TEST_REQUIRE(event.has_value());
        if (event->pod.name != pod) {
            tracking.see_executor(*event->pod.created);
            continue;
        }
        if (kill && event->pod.deletion) {
            tracking.kill_requested();
        }
        const bool gone = event->type == WatchEvent::Type::deleted;
        const auto now = after(0ms);
        if (gone ? tracking.see_no_pod(now) : tracking.see(event->pod, now, false)) {
            reports.push_back(tracking.status());
        }
    }
    return reports;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_pod_tracking)

BOOST_AUTO_TEST_CASE(the_recorded_applications_go_their_way) {
    struct Row {
        const char* file;
        const char* pod;
        bool kill;
        Outcome outcome;
        int exit_code;
        std::string reason;
    };
    const Row rows[] = {
        {"watch-py.ndjson", "demo-9b5c6826918a-driver", false, Outcome::success, 0, ""},
        {"watch-fail.ndjson", "demo-9589b958192c-driver", false, Outcome::failed, 1,
         "the driver exited with code 1"},
        {"watch-kill.ndjson", "demo-killme01-driver", true, Outcome::killed, 143,
         "killed on request"},
        {"watch-kill.ndjson", "demo-killme01-driver", false, Outcome::killed, 143,
         "somebody deleted the driver pod, not through sparkhost (exit code 143)"},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.file) {
            const auto reports = play(row.file, row.pod, row.kill);
            BOOST_TEST_REQUIRE(reports.size() >= 4U);
            auto before = ApplicationState::submitted;
            for (const auto& report : reports) {
                BOOST_TEST((report.state >= before));
                before = report.state;
            }
            const auto& end = reports.back();
            BOOST_TEST((end.state == ApplicationState::ended));
            BOOST_TEST((end.outcome == row.outcome));
            BOOST_TEST(end.exit_code.value_or(-1) == row.exit_code);
            BOOST_TEST(end.reason == row.reason);
            BOOST_TEST(end.application_id.starts_with("spark-"));
            BOOST_TEST((end.context_up >= end.started));
            BOOST_TEST((end.ended >= end.context_up));
            BOOST_TEST(steps_of(end) == "pod_created scheduled container_started");
        }
    }
}

BOOST_AUTO_TEST_CASE(each_end_has_a_reason_to_act_on) {
    auto evicted = ended_pod(137);
    evicted.status = R"(,"reason":"Evicted","message":"The node was low on resource: memory.")";
    auto refused = PodJson();
    refused.phase = "Failed";
    refused.status = R"(,"reason":"OutOfcpu","message":"Node didn't have enough resource: cpu")";
    auto late = ended_pod(143);
    late.status = R"(,"reason":"DeadlineExceeded","message":"Pod was active on the node longer")";
    auto init = PodJson();
    init.phase = "Failed";
    init.status = R"(,"initContainerStatuses":[{"name":"fetch","state":{"terminated":)"
                  R"({"exitCode":2,"message":"no such bucket"}}}])";
    auto lost = running_pod();
    lost.phase = "Failed";
    lost = disrupted(lost, "DeletionByPodGC", "PodGC: node no longer exists");
    auto sidecar = ended_pod(0);
    sidecar.phase = "Running";
    sidecar.others = R"(,{"name":"proxy","state":{"running":{}}})";
    auto made_up = ended_pod(137, "ContainerStatusUnknown");
    auto never_placed = deleted(unschedulable_pod("0/1 nodes are available"), 0);
    auto start_error = ended_pod(128, "StartError");
    start_error.driver.replace(start_error.driver.find("\"reason\""), 0,
                               R"("message":"exec: no such file",)");
    struct Row {
        const char* name;
        PodJson pod;
        Outcome outcome;
        std::optional<int> exit_code;
        std::string words;
    };
    const Row rows[] = {
        {"success", ended_pod(0, "Completed"), Outcome::success, 0, ""},
        {"sidecar", sidecar, Outcome::success, 0, ""},
        {"exit 1", ended_pod(1), Outcome::failed, 1, "the driver exited with code 1"},
        {"exit 101", ended_pod(101), Outcome::failed, 101, "did not find the main class"},
        {"exit 137", ended_pod(137), Outcome::failed, 137, "SIGKILL"},
        {"exit 143", ended_pod(143), Outcome::failed, 143, "SIGTERM"},
        {"OOM", ended_pod(137, "OOMKilled"), Outcome::failed, 137, "driver_memory"},
        {"start error", start_error, Outcome::failed, 128, "exec: no such file"},
        {"evicted", evicted, Outcome::failed, 137, "low on resource: memory. (exit code 137)"},
        {"refused by its node", refused, Outcome::failed, {}, "OutOfcpu"},
        {"deadline", late, Outcome::failed, 143, "activeDeadlineSeconds"},
        {"init container", init, Outcome::failed, {}, "'fetch' failed with exit code 2: no such"},
        {"preempted", disrupted(deleted(ended_pod(143)), "PreemptionByScheduler", "preempting"),
         Outcome::failed, 143, "preempted by a pod of higher priority: preempting (exit code 143)"},
        {"drained", disrupted(deleted(ended_pod(143)), "EvictionByEvictionAPI", "drain"),
         Outcome::failed, 143, "evicted, as when a node is drained"},
        {"node gone", lost, Outcome::unknown, {}, "its node is gone"},
        {"nobody saw it", made_up, Outcome::unknown, {}, "nobody saw how the driver ended"},
        {"deleted while it ran", deleted(ended_pod(143)), Outcome::killed, 143, "somebody deleted"},
        {"ended as it was deleted", deleted(ended_pod(1), 90), Outcome::killed, 1,
         "somebody deleted the driver pod, not through sparkhost (exit code 1)"},
        {"deleted, but had failed", deleted(ended_pod(1)), Outcome::failed, 1, "code 1"},
        {"deleted, but had succeeded", deleted(ended_pod(0)), Outcome::success, 0, ""},
        {"deleted before it was placed", never_placed, Outcome::killed, {}, "somebody deleted"},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.name) {
            const auto status = seen_once(row.pod);
            BOOST_TEST((status.state == ApplicationState::ended));
            BOOST_TEST((status.outcome == row.outcome), to_string(status.outcome));
            BOOST_TEST((status.exit_code == row.exit_code));
            BOOST_TEST(status.reason.find(row.words) != std::string::npos, status.reason);
            BOOST_TEST(status.reason.empty() == row.words.empty());
            BOOST_TEST(status.ended.has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(what_keeps_a_driver_waiting_is_told) {
    auto sidecar = waiting_pod("ContainerCreating");
    sidecar.others =
        R"(,{"name":"proxy","image":"p","state":{"waiting":{"reason":"ErrImagePull"}}})";
    auto gated = unschedulable_pod("Scheduling is blocked");
    gated.conditions.replace(gated.conditions.find("Unschedulable"), 13, "SchedulingGated");
    struct Row {
        PodJson pod;
        std::string words;
    };
    const Row rows[] = {
        {unschedulable_pod("0/3 nodes are available: 3 Insufficient cpu."),
         "no node takes the driver: 0/3 nodes are available: 3 Insufficient cpu."},
        {gated, "held back by a scheduling gate"},
        {waiting_pod("ErrImagePull", "not found"),
         "cannot pull the image 'spark:x' (ErrImagePull): not found"},
        {waiting_pod("InvalidImageName"),
         "not a valid name for an image: 'spark:x' (InvalidImageName)"},
        {waiting_pod("CreateContainerConfigError", "secret 's' not found"), "secret 's' not found"},
        {waiting_pod("RunContainerError"), "cannot be started"},
        {waiting_pod("SomethingNew", "odd"), "SomethingNew: odd"},
        {sidecar, "container 'proxy': cannot pull"},
        {waiting_pod("ContainerCreating"), ""},
        {waiting_pod("PodInitializing"), ""},
        {PodJson(), ""},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.words) {
            const auto status = seen_once(row.pod);
            BOOST_TEST((status.state == ApplicationState::submitted));
            BOOST_TEST(status.reason.find(row.words) != std::string::npos, status.reason);
            BOOST_TEST(status.reason.empty() == row.words.empty());
            const bool told = steps_of(status).find("waiting(") != std::string::npos;
            BOOST_TEST(told == !row.words.empty(), steps_of(status));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_report_never_goes_back_in_whatever_order_things_are_seen) {
    const std::vector<PodView> way{PodJson().view(), waiting_pod("ErrImagePull", "x").view(),
                                   running_pod().view(), deleted(running_pod()).view(),
                                   deleted(ended_pod(143)).view()};
    for (std::size_t first = 0; first < way.size(); ++first) {
        for (std::size_t second = 0; second < way.size(); ++second) {
            PodTracking tracking("t");
            auto before = ApplicationState::submitted;
            for (const auto index :
                 {first, second, std::size_t{0}, second, std::size_t{2}, first}) {
                tracking.see(way[index], after(2min), true);
                BOOST_TEST((tracking.status().state >= before));
                before = tracking.status().state;
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_end_is_final) {
    PodTracking tracking("t");
    BOOST_TEST(tracking.see(ended_pod(1).view(), after(1min), false));
    const auto end = tracking.status();
    tracking.kill_requested();
    BOOST_TEST(!tracking.see(running_pod().view(), after(2min), false));
    BOOST_TEST(!tracking.see(ended_pod(0).view(), after(2min), false));
    BOOST_TEST(!tracking.see_no_pod(after(2min)));
    BOOST_TEST(!tracking.killed_without_pod(after(2min)));
    BOOST_TEST(!tracking.see_executor(after(2min).wall));
    BOOST_TEST((tracking.status() == end));
}

BOOST_AUTO_TEST_CASE(the_same_again_is_no_news) {
    for (const auto& pod : {PodJson(), waiting_pod("ErrImagePull", "x"), running_pod()}) {
        PodTracking tracking("t");
        tracking.see(pod.view(), after(1s), false);
        BOOST_TEST(!tracking.see(pod.view(), after(5s), false));
    }
}

BOOST_AUTO_TEST_CASE(what_a_kubelet_says_in_turn_does_not_flap) {
    PodTracking tracking("t");
    tracking.see(waiting_pod("ErrImagePull", "manifest unknown").view(), after(1s), false);
    const auto told = tracking.status();
    const auto off = waiting_pod("ImagePullBackOff", "Back-off pulling image spark:x").view();
    BOOST_TEST(!tracking.see(off, after(2s), false));
    BOOST_TEST((tracking.status() == told));
    BOOST_TEST(told.reason == "cannot pull the image 'spark:x' (ErrImagePull): manifest unknown");
    // the first that is seen after a restart may be the one with few words
    PodTracking restarted("t");
    restarted.see(off, after(2s), true);
    BOOST_TEST(!restarted.status().reason.empty());
}

BOOST_AUTO_TEST_CASE(reasons_to_wait_are_bounded) {
    PodTracking tracking("t");
    for (int i = 0; i < 100; ++i) {
        tracking.see(unschedulable_pod("0/" + std::to_string(i) + " nodes").view(),
                     after(std::chrono::seconds(i + 2)), false);
    }
    BOOST_TEST(tracking.status().steps.size() == 9U);
    BOOST_TEST(tracking.status().reason.find("0/99 nodes") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_executor_means_that_there_is_a_context) {
    PodTracking tracking("t");
    tracking.see(PodJson().view(), after(1s), false);
    BOOST_TEST(!tracking.see_executor(after(12s).wall));  // faster than the news of the start
    BOOST_TEST((tracking.status().state == ApplicationState::submitted));
    tracking.see(running_pod().view(), after(13s), false);
    BOOST_TEST((tracking.status().state == ApplicationState::context_up));
    BOOST_TEST((tracking.status().context_up == after(12s).wall));
    BOOST_TEST(!tracking.see_executor(after(20s).wall));
}

BOOST_AUTO_TEST_CASE(a_pod_that_is_gone_is_over) {
    PodTracking lost("t");
    lost.see(running_pod().view(), after(1s), false);
    BOOST_TEST(lost.see_no_pod(after(2s)));
    BOOST_TEST((lost.status().outcome == Outcome::unknown));
    BOOST_TEST(lost.status().reason.find("by force") != std::string::npos);
    PodTracking killed("t");
    killed.see(running_pod().view(), after(1s), false);
    killed.kill_requested();
    killed.see_no_pod(after(2s));
    BOOST_TEST((killed.status().outcome == Outcome::killed));
    PodTracking never("t");
    BOOST_TEST(never.killed_without_pod(after(2s)));
    BOOST_TEST((never.status().outcome == Outcome::killed));
    BOOST_TEST(never.status().reason == "killed on request");
}

BOOST_AUTO_TEST_CASE(a_pod_deleted_by_force_is_waited_for_a_while) {
    PodTracking tracking("t");
    tracking.see(deleted(running_pod(), 0).view(), after(1s), false);
    BOOST_TEST(tracking.needs_checks());
    BOOST_TEST(!tracking.check({}, after(50s)));
    BOOST_TEST(tracking.check({}, after(70s)));
    BOOST_TEST((tracking.status().outcome == Outcome::unknown));
    PodTracking quick("t");
    quick.see(deleted(running_pod(), 0).view(), after(1s), false);
    quick.see(deleted(ended_pod(143), 0).view(), after(2s), false);
    BOOST_TEST(!quick.needs_checks());
    BOOST_TEST((quick.status().outcome == Outcome::killed));
}

BOOST_AUTO_TEST_CASE(what_cannot_heal_is_given_up) {
    GiveUpRules rules;
    rules.image = 60s;
    rules.scheduling = 120s;
    struct Row {
        const char* name;
        PodJson pod;
        std::chrono::milliseconds until;  ///< since it was seen first; zero: never
    };
    const Row rows[] = {
        {"image", waiting_pod("ErrImagePull", "x"), 60s},
        {"no name of an image", waiting_pod("InvalidImageName", "x"), 1ms},
        {"configuration", waiting_pod("CreateContainerConfigError", "x"), 300s},
        {"no node", unschedulable_pod("0/3 nodes"), 120s},
        {"nothing wrong", waiting_pod("ContainerCreating"), 0s},
        {"running", running_pod(), 0s},
        {"being deleted", deleted(waiting_pod("ErrImagePull", "x")), 0s},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.name) {
            PodTracking tracking("t");
            tracking.see(row.pod.view(), after(10s), false);
            if (row.until == 0s) {
                BOOST_TEST(!tracking.check(rules, after(24h)));
                continue;
            }
            if (row.until > 1ms) {
                BOOST_TEST(!tracking.check(rules, after(10s + row.until - 1ms)));
            }
            BOOST_TEST(tracking.check(rules, after(10s + row.until)));
            BOOST_TEST(!tracking.given_up().empty());
            BOOST_TEST(!tracking.has_ended());  // until its pod is known to be over
            BOOST_TEST(!tracking.check(rules, after(11s + row.until)));
            tracking.see(deleted(ended_pod(137, "ContainerStatusUnknown")).view(),
                         after(12s + row.until), false);
            BOOST_TEST((tracking.status().outcome == Outcome::failed));
            BOOST_TEST(tracking.status().reason == tracking.given_up());
        }
    }
}

BOOST_AUTO_TEST_CASE(why_it_was_given_up_outlives_this_process) {
    auto pod = deleted(unschedulable_pod("0/3 nodes"), 0);
    pod.metadata += R"(,"annotations":{"sparkhost.io/given-up":"no node for 60 s"})";
    const auto status = seen_once(pod);
    BOOST_TEST((status.outcome == Outcome::failed));
    BOOST_TEST(status.reason == "no node for 60 s");
}

BOOST_AUTO_TEST_CASE(how_long_it_has_waited_counts_from_before_a_restart) {
    GiveUpRules rules;
    rules.scheduling = 60s;
    for (const bool taken_up : {true, false}) {
        PodTracking tracking("t");
        tracking.see(unschedulable_pod("0/3 nodes").view(), after(10min), taken_up);
        BOOST_TEST(tracking.check(rules, after(10min + 1s)) == taken_up);
    }
}

BOOST_AUTO_TEST_CASE(a_limit_for_the_whole_start_names_what_hindered) {
    GiveUpRules rules;
    rules.start = 30s;
    PodTracking tracking("t");
    tracking.see(unschedulable_pod("0/3 nodes").view(), after(1s), false);
    BOOST_TEST(!tracking.check(rules, after(30s)));
    BOOST_TEST(tracking.check(rules, after(31s)));
    BOOST_TEST(tracking.given_up().find("within 30 s: no node takes") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(events_say_what_the_status_does_not) {
    const auto event = [](const char* reason, const char* message, std::chrono::seconds time) {
        return PodEvent{reason, message, after(time).wall, after(time).wall};
    };
    PodTracking tracking("t");
    tracking.see(waiting_pod("ContainerCreating").view(), after(5s), false);
    BOOST_TEST(tracking.see(
        {event("Scheduled", "", 1s), event("FailedMount", "configmap \"c\" not found", 2s)},
        after(6s)));
    BOOST_TEST(tracking.status().reason == "a volume cannot be mounted: configmap \"c\" not found");
    BOOST_TEST(!tracking.see(waiting_pod("ContainerCreating").view(), after(7s), false));
    BOOST_TEST(!tracking.status().reason.empty());  // the status says nothing against it
    tracking.see({event("FailedMount", "x", 2s), event("Pulling", "Pulling image \"i\"", 8s)},
                 after(9s));
    BOOST_TEST(tracking.status().reason == "Pulling image \"i\"");
    tracking.see({event("Pulling", "Pulling", 8s), event("Pulled", "pulled", 9s)}, after(10s));
    BOOST_TEST(tracking.status().reason.empty());
    tracking.see(running_pod().view(), after(11s), false);
    tracking.see({event("FailedMount", "x", 12s)}, after(13s));
    BOOST_TEST(tracking.status().reason.empty());
    BOOST_TEST(steps_of(tracking.status()).find("image_pulled container_started") !=
               std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
