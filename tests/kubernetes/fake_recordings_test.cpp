// SPDX-License-Identifier: Apache-2.0
#include "kubernetes/fake_fixture.hpp"

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <vector>

// The fake beside what a real kube-apiserver 1.36 answered (recordings/).

namespace sparkhost::test::k8s {

namespace recordings_test {

std::string read(const std::string& name) {
    std::ifstream in(std::string(SPARKHOST_KUBERNETES_RECORDINGS) + "/" + name);
    BOOST_TEST_REQUIRE(in.good(), name);
    return {std::istreambuf_iterator<char>(in), {}};
}

json::value recorded(const std::string& name) {
    return json::parse(read("answers.json")).at(name);
}

/// "metadata.labels.spark-role" and so on: which fields there are. Values do not count, nor what
/// a machine may have or not.
void add_paths(const json::value& value, const std::string& at, std::set<std::string>& paths) {
    if (const auto* object = value.if_object()) {
        for (const auto& [key, inner] : *object) {
            if (key != "managedFields" && key != "nodeSelector") {
                add_paths(inner, at + "." + std::string(key), paths);
            }
        }
    } else if (const auto* array = value.if_array()) {
        for (const auto& inner : *array) {
            add_paths(inner, at + "[]", paths);
        }
    } else {
        paths.insert(at);
    }
}

std::string paths_of(const json::value& value) {
    std::set<std::string> paths;
    add_paths(value, "", paths);
    std::string text;
    for (const auto& path : paths) {
        text += path + "\n";
    }
    return text;
}

/// What a watcher learns from one line.
std::string summary(const json::value& event) {
    const auto& object = event.at("object").as_object();
    const auto& metadata = object.at("metadata").as_object();
    std::string text(event.at("type").as_string());
    text += " " + text_at(object, {"status", "phase"});
    if (const auto* statuses = array_at(object, {"status", "containerStatuses"})) {
        text += " " + json::serialize(statuses->at(0).at("state"));
    }
    if (metadata.contains("deletionTimestamp")) {
        text += " going in " + json::serialize(metadata.at("deletionGracePeriodSeconds"));
    }
    return text + " generation " + json::serialize(metadata.at("generation"));
}

/// Times and identities differ from run to run.
std::string without_names(std::string text) {
    for (const char* key : {"\"startedAt\":\"", "\"finishedAt\":\"", "\"containerID\":\""}) {
        for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
            const auto from = at + std::string(key).size();
            text.erase(from, text.find('"', from) - from);
        }
    }
    return text;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

struct LifeFixture : FakeFixture {
    /// Creates the recorded submission with this program at its end.
    std::string submit(const std::string& program) {
        // The recordings are of drivers alone.
        fake.with([](Cluster& cluster) { cluster.kubelet.makes_executors = false; });
        auto objects = json::parse(read("submission.json"));
        BOOST_TEST(
            client.post(jobs + "configmaps", json::serialize(objects.at("configmap"))).status ==
            201);
        auto& pod = objects.as_object()["pod"];
        auto& container = pod.as_object()["spec"].as_object()["containers"].as_array().at(0);
        container.as_object()["args"].as_array().push_back(json::string("program=" + program));
        BOOST_TEST(client.post(jobs + "pods", json::serialize(pod)).status == 201);
        return std::string(pod.at("metadata").at("name").as_string());
    }
    /// What a watch from the beginning on tells, as far as the recording goes.
    void compare(const std::string& recording) {
        const auto expected = lines_of(read(recording));
        PlainClient watcher(port());
        BOOST_TEST(watcher.open_stream(jobs + "pods?watch=1&resourceVersion=100") == 200);
        for (const auto& line : expected) {
            const auto wanted = json::parse(line);
            const auto given = json::parse(watcher.read_line());
            BOOST_TEST(without_names(summary(given)) == without_names(summary(wanted)));
            BOOST_TEST(paths_of(given.at("object").at("status")) ==
                       paths_of(wanted.at("object").at("status")));
        }
    }
};

}  // namespace recordings_test

using namespace recordings_test;

BOOST_AUTO_TEST_SUITE(fake_kubernetes_recordings)

BOOST_FIXTURE_TEST_CASE(a_wrong_token_is_answered_as_recorded, FakeFixture) {
    fake.with([](Cluster& cluster) { cluster.api.access.tokens["good"] = "sparkhost"; });
    const auto answer = client.get(jobs + "pods");
    BOOST_TEST(answer.status == 401);
    BOOST_TEST(answer.json() == recorded("401"));
    PlainClient known(port(), "good");
    BOOST_TEST(known.get(jobs + "pods").status == 200);
}

BOOST_FIXTURE_TEST_CASE(what_is_forbidden_is_answered_as_recorded, FakeFixture) {
    fake.with([](Cluster& cluster) {
        cluster.api.access.tokens["weak"] = "nobody";
        cluster.api.access.allows = [](auto&, auto&, auto&, auto&) { return false; };
    });
    PlainClient nobody(port(), "weak");
    const auto answer = nobody.post(jobs + "pods", pod("p"));
    BOOST_TEST(answer.status == 403);
    BOOST_TEST(answer.json() == recorded("403"));
}

BOOST_FIXTURE_TEST_CASE(a_pod_is_filled_in_as_recorded, FakeFixture) {
    const auto body = R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"dup"},"spec":{
        "restartPolicy":"Never","containers":[{"name":"c","image":"x"}]}})";
    const auto first = client.post(jobs + "pods", body);
    BOOST_TEST(first.status == 201);
    BOOST_TEST(paths_of(first.json()) == paths_of(recorded("create-1")));
    const auto again = client.post(jobs + "pods", body);
    BOOST_TEST(again.status == 409);
    BOOST_TEST(again.json() == recorded("create-2"));
}

BOOST_FIXTURE_TEST_CASE(a_precondition_that_does_not_hold_is_answered_as_recorded, FakeFixture) {
    const auto made = client.post(jobs + "pods", pod("dup", "endless")).json();
    const auto uid = text_at(made.as_object(), {"metadata", "uid"});
    const auto answer = client.remove(jobs + "pods/dup", R"({"preconditions":{"uid":"nope"}})");
    BOOST_TEST(answer.status == 409);
    auto expected = json::serialize(recorded("delete-precond"));
    const std::string recorded_uid = "57a93035-e784-401f-9384-0d779b121479";
    expected.replace(expected.find(recorded_uid), recorded_uid.size(), uid);
    BOOST_TEST(answer.json() == json::parse(expected));
}

BOOST_FIXTURE_TEST_CASE(what_is_too_old_is_answered_as_recorded, FakeFixture) {
    client.post(jobs + "pods", pod("p"));
    until_phase("p", "Succeeded");
    fake.with([](Cluster& cluster) { cluster.store.compact(); });
    const auto list =
        client.get(jobs + "pods?resourceVersion=101&resourceVersionMatch=Exact&limit=1");
    BOOST_TEST(list.status == 410);
    BOOST_TEST(list.json() == recorded("list-410"));
    PlainClient watcher(port());
    BOOST_TEST(watcher.open_stream(jobs + "pods?watch=1&resourceVersion=101") == 200);
    BOOST_TEST(json::parse(watcher.read_line()) == recorded("watch-410"));
    BOOST_TEST(watcher.read_line() == "");
}

BOOST_FIXTURE_TEST_CASE(a_pod_that_succeeds_lives_as_recorded, LifeFixture) {
    submit("succeeds");
    compare("life-local.ndjson");
}

BOOST_FIXTURE_TEST_CASE(a_pod_that_is_deleted_lives_as_recorded, LifeFixture) {
    const auto name = submit("endless");
    until_phase(name, "Running");
    BOOST_TEST(client.remove(jobs + "pods/" + name, R"({"gracePeriodSeconds":10})").status == 200);
    compare("life-kill.ndjson");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::k8s
