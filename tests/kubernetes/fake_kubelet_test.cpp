// SPDX-License-Identifier: Apache-2.0
#include "kubernetes/fake_fixture.hpp"

#include <future>

namespace sparkhost::test::k8s {

using Step = Kubelet::Step;

BOOST_AUTO_TEST_SUITE(fake_kubernetes_kubelet)

BOOST_FIXTURE_TEST_CASE(user_code_begins_when_its_volumes_are_complete, FakeFixture) {
    client.post(jobs + "pods", pod("p", "endless", "conf"));
    fake.wait("a mount that fails", [](Cluster& cluster) {
        const auto found = cluster.store.all(*find_resource("events"));
        return std::any_of(found.begin(), found.end(), [](const ObjectPtr& event) {
            return text_at(event->data, {"reason"}) == "FailedMount";
        });
    });
    client.post(jobs + "configmaps", config_map("conf", "{}"));
    BOOST_TEST(phase("p") == "Pending");
    BOOST_TEST(fake.starts_of_ticket("p") == 0u);
    client.remove(jobs + "configmaps/conf");
    client.post(jobs + "configmaps", config_map("conf", R"({"a":"b"})"));
    until_phase("p", "Running");
    BOOST_TEST(fake.starts_of_mark("p") == 1u);
    BOOST_TEST(fake.starts_of_ticket("p") == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_pod_that_goes_before_it_ran_never_runs, FakeFixture) {
    client.post(jobs + "pods", pod("p", "endless", "conf"));
    client.remove(jobs + "pods/p");
    until_gone("p");
    client.post(jobs + "configmaps", config_map("conf", R"({"a":"b"})"));
    BOOST_TEST(fake.starts_of_ticket("p") == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_finalizer_keeps_the_end_of_a_pod, FakeFixture) {
    client.post(jobs + "pods", pod("p", "endless", "", R"(,"finalizers":["x/y"])"));
    until_phase("p", "Running");
    client.remove(jobs + "pods/p");
    until_phase("p", "Failed");
    BOOST_TEST(get(jobs + "pods/p").at("metadata").at("deletionGracePeriodSeconds").as_int64() ==
               0);
    client.send("PATCH", jobs + "pods/p", R"([{"op":"remove","path":"/metadata/finalizers/0"}])",
                "application/json-patch+json");
    BOOST_TEST(client.get(jobs + "pods/p").status == 404);
}

BOOST_FIXTURE_TEST_CASE(a_pod_can_be_held_at_each_step, FakeFixture) {
    const std::pair<Step, const char*> steps[] = {{Step::bind, ""},
                                                  {Step::create, ""},
                                                  {Step::start, "ContainerCreating"},
                                                  {Step::finish, ""}};
    fake.with([&](Cluster& cluster) {
        for (const auto& each : steps) {
            cluster.kubelet.hold(each.first);
        }
    });
    client.post(jobs + "pods", pod("p", "fails"));
    for (const auto& [step, waiting] : steps) {
        const auto at = step;
        fake.wait("the pod to be held",
                  [at](Cluster& cluster) { return cluster.kubelet.held(at) == 1; });
        BOOST_TEST(phase("p") == (step == Step::finish ? "Running" : "Pending"));
        const auto log = client.get(jobs + "pods/p/log");
        BOOST_TEST(log.status == (step == Step::bind ? 204 : step == Step::finish ? 200 : 400));
        if (*waiting != 0) {
            BOOST_TEST(log.body.find(waiting) != std::string::npos);
        }
        fake.with([at](Cluster& cluster) { cluster.kubelet.let_go(at); });
    }
    until_phase("p", "Failed");
}

BOOST_FIXTURE_TEST_CASE(logs_can_be_followed_from_a_time_on, FakeFixture) {
    client.post(jobs + "pods", pod("p", "endless"));
    until_phase("p", "Running");
    PlainClient reader(port());
    BOOST_TEST(reader.open_stream(jobs + "pods/p/log?follow=true&timestamps=true") == 200);
    const auto line = reader.read_line();
    BOOST_TEST(line.substr(line.find(' ')) == " begun");
    fake.with([](Cluster& cluster) { cluster.kubelet.print("p", "more"); });
    BOOST_TEST(reader.read_line().ends_with(" more"));
    const auto again = client.get(jobs + "pods/p/log?sinceTime=" + line.substr(0, line.find(' ')));
    BOOST_TEST(again.body == "begun\nmore\n");
    BOOST_TEST(client.get(jobs + "pods/p/log?tailLines=1").body == "more\n");
    fake.with([](Cluster& cluster) { cluster.kubelet.end("p", 0); });
    BOOST_TEST(reader.read_line() == "");
}

BOOST_FIXTURE_TEST_CASE(trouble_has_its_words, FakeFixture) {
    client.post(jobs + "pods", pod("big", "unschedulable"));
    client.post(jobs + "pods", pod("image", "bad-image"));
    client.post(jobs + "pods", pod("memory", "oom"));
    client.post(jobs + "pods", pod("node", "evicted"));
    until_phase("memory", "Failed");
    until_phase("node", "Failed");
    auto text = [&](const std::string& name) { return client.get(jobs + "pods/" + name).body; };
    BOOST_TEST(text("big").find("Unschedulable") != std::string::npos);
    BOOST_TEST(text("image").find("ImagePullBackOff") != std::string::npos);
    BOOST_TEST(text("memory").find("OOMKilled") != std::string::npos);
    BOOST_TEST(text("node").find("Evicted") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(fake_kubernetes_faults)

BOOST_FIXTURE_TEST_CASE(an_answer_can_be_lost_before_and_after_it_was_made, FakeFixture) {
    using Kind = Fault::Kind;
    for (const auto& [kind, there] :
         {std::pair{Kind::lose_request, 404}, std::pair{Kind::lose_answer, 200}}) {
        const auto name = "c" + std::to_string(there);
        const auto how = kind;
        fake.with([how](Cluster& cluster) {
            cluster.server.plan({.kind = how, .method = "POST", .path = "configmaps"});
        });
        BOOST_TEST(client.post(jobs + "configmaps", config_map(name)).status == 0);
        BOOST_TEST(client.get(jobs + "configmaps/" + name).status == there);
    }
}

BOOST_FIXTURE_TEST_CASE(a_storm_is_answered_with_retry_after, FakeFixture) {
    fake.with([](Cluster& cluster) {
        cluster.server.plan(
            {.kind = Fault::Kind::answer, .skip = 1, .times = 2, .status = 429, .retry_after = 1});
    });
    BOOST_TEST(client.get(jobs + "pods").status == 200);
    const auto storm = client.get(jobs + "pods");
    BOOST_TEST(storm.status == 429);
    BOOST_TEST(storm.retry_after == "1");
    BOOST_TEST(client.get(jobs + "pods").status == 429);
    BOOST_TEST(client.get(jobs + "pods").status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_request_can_arrive_long_after_its_client_left, FakeFixture) {
    fake.with([](Cluster& cluster) {
        cluster.server.plan({.kind = Fault::Kind::hold, .method = "POST"});
    });
    const auto at = port();
    auto lost = std::async(std::launch::async, [at] {
        PlainClient late(at);
        return late.post(jobs + "configmaps", config_map("late")).status;
    });
    fake.wait("the request", [](Cluster& cluster) { return cluster.server.held() == 1; });
    BOOST_TEST(client.get(jobs + "configmaps/late").status == 404);
    fake.with([](Cluster& cluster) { cluster.server.let_go(); });
    BOOST_TEST(lost.get() == 201);
    BOOST_TEST(client.get(jobs + "configmaps/late").status == 200);
}

BOOST_FIXTURE_TEST_CASE(a_server_that_comes_back_knows_everything, FakeFixture) {
    client.post(jobs + "configmaps", config_map("c"));
    PlainClient watcher(port());
    watcher.open_stream(jobs + "configmaps?watch=1");
    watcher.read_line();
    fake.with([](Cluster& cluster) { cluster.server.go_away(); });
    BOOST_TEST(watcher.read_line() == "");
    BOOST_TEST(client.get(jobs + "configmaps/c").status == 0);
    fake.with([](Cluster& cluster) { cluster.server.come_back(); });
    BOOST_TEST(client.get(jobs + "configmaps/c").status == 200);
}

BOOST_FIXTURE_TEST_CASE(streams_can_be_cut_repeated_and_mixed_up, FakeFixture) {
    PlainClient watcher(port());
    fake.with([](Cluster& cluster) {
        cluster.server.duplicates = true;
        cluster.server.reorders = true;
        cluster.server.piece = 100;
    });
    watcher.open_stream(jobs + "configmaps?watch=1&resourceVersion=103");
    fake.wait("the watch", [](Cluster& cluster) { return cluster.server.streams() == 1; });
    fake.with([](Cluster& cluster) {
        for (const auto* name : {"a", "b"}) {
            cluster.store.create(*find_resource("configmaps"), "jobs", name, {});
        }
    });
    for (const auto* name : {"b", "b", "a", "a"}) {
        const auto event = json::parse(watcher.read_line());
        BOOST_TEST(text_at(event.as_object(), {"object", "metadata", "name"}) == name);
    }
    fake.with([](Cluster& cluster) { cluster.server.cut_streams(true); });
    BOOST_TEST(watcher.read_line() == "");
    fake.wait("the stream to go", [](Cluster& cluster) { return cluster.server.streams() == 0; });
}

BOOST_FIXTURE_TEST_CASE(a_lagging_cache_answers_reads_of_any_version, FakeFixture) {
    client.post(jobs + "configmaps", config_map("old"));
    fake.with([](Cluster& cluster) { cluster.api.freeze_cache(); });
    client.post(jobs + "configmaps", config_map("new"));
    BOOST_TEST(get(jobs + "configmaps?resourceVersion=0").at("items").as_array().size() == 1u);
    BOOST_TEST(get(jobs + "configmaps").at("items").as_array().size() == 2u);
    BOOST_TEST(client.get(jobs + "configmaps/new?resourceVersion=0").status == 404);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::k8s
