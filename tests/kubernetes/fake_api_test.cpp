// SPDX-License-Identifier: Apache-2.0
#include "kubernetes/fake_fixture.hpp"

#include <vector>

namespace sparkhost::test::k8s {

namespace fake_api_test {

std::string reason(const PlainAnswer& answer) {
    return text_at(answer.json().as_object(), {"reason"});
}

std::vector<std::string> names(const PlainAnswer& answer) {
    std::vector<std::string> found;
    const auto list = answer.json();
    for (const auto& item : list.at("items").as_array()) {
        found.push_back(text_at(item.as_object(), {"metadata", "name"}));
    }
    return found;
}

using Names = std::vector<std::string>;

struct ListFixture : FakeFixture {
    ListFixture() {
        for (const auto* name : {"a", "b", "c", "d", "e"}) {
            client.post(jobs + "configmaps", R"({"metadata":{"name":")" + std::string(name) +
                                                 R"(","labels":{"name":")" + name +
                                                 R"(","app":"x"}}})");
        }
    }
};

}  // namespace fake_api_test

using namespace fake_api_test;

BOOST_AUTO_TEST_SUITE(fake_kubernetes_api)

BOOST_FIXTURE_TEST_CASE(what_is_not_there_is_not_found, FakeFixture) {
    const auto answer = client.get(jobs + "pods/none");
    BOOST_TEST(answer.status == 404);
    BOOST_TEST(json::serialize(answer.json()) ==
               R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
               R"("message":"pods \"none\" not found","reason":"NotFound",)"
               R"("details":{"name":"none","kind":"pods"},"code":404})");
    const auto elsewhere = client.post("/api/v1/namespaces/nope/pods", pod("p"));
    BOOST_TEST(elsewhere.status == 404);
    BOOST_TEST(text_at(elsewhere.json().as_object(), {"message"}) ==
               "namespaces \"nope\" not found");
    BOOST_TEST(client.get("/api/v1/namespaces/nope/pods").status == 200);
    BOOST_TEST(client.get("/version").json().at("minor").as_string() == "36");
}

BOOST_FIXTURE_TEST_CASE(what_is_invalid_is_refused_with_its_field, FakeFixture) {
    const auto answer = client.post(jobs + "pods", R"({"metadata":{"name":"p"},"spec":{}})");
    BOOST_TEST(answer.status == 422);
    BOOST_TEST(text_at(answer.json().as_object(), {"message"}) ==
               "Pod \"p\" is invalid: spec.containers: Required value");
    BOOST_TEST(client.post(jobs + "configmaps", config_map("Big")).status == 422);
    BOOST_TEST(client.post(jobs + "configmaps", "{").status == 400);
}

BOOST_FIXTURE_TEST_CASE(lists_are_selected_by_labels_and_fields, ListFixture) {
    auto select = [&](const std::string& query) {
        return names(client.get(jobs + "configmaps?" + query));
    };
    BOOST_TEST(select("labelSelector=name%20in%20(b,c)") == (Names{"b", "c"}));
    BOOST_TEST(select("labelSelector=app%3Dx,name%20notin%20(b,c)") == (Names{"a", "d", "e"}));
    BOOST_TEST(select("labelSelector=name%21%3Da,app") == (Names{"b", "c", "d", "e"}));
    BOOST_TEST(select("labelSelector=!app") == Names{});
    BOOST_TEST(select("fieldSelector=metadata.name%3Dd") == Names{"d"});
    BOOST_TEST(client.get(jobs + "configmaps?fieldSelector=no.such%3Dd").status == 400);
}

BOOST_FIXTURE_TEST_CASE(lists_come_in_pages_of_one_version, ListFixture) {
    const auto first = client.get(jobs + "configmaps?limit=2");
    const auto page = first.json();
    const auto& metadata = page.at("metadata").as_object();
    BOOST_TEST(names(first) == (Names{"a", "b"}));
    BOOST_TEST(metadata.at("remainingItemCount").as_int64() == 3);
    client.remove(jobs + "configmaps/d");
    const auto next = text_at(metadata, {"continue"});
    const auto second = client.get(jobs + "configmaps?limit=2&continue=" + next);
    BOOST_TEST(names(second) == (Names{"c", "d"}));
    BOOST_TEST(text_at(second.json().as_object(), {"metadata", "resourceVersion"}) ==
               text_at(metadata, {"resourceVersion"}));
    fake.with([](Cluster& cluster) { cluster.store.compact(); });
    const auto late = client.get(jobs + "configmaps?limit=2&continue=" + next);
    BOOST_TEST(late.status == 410);
    BOOST_TEST(reason(late) == "Expired");
}

BOOST_FIXTURE_TEST_CASE(metadata_alone_can_be_asked_for, ListFixture) {
    client.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    const auto list = get(jobs + "configmaps");
    BOOST_TEST(list.at("kind").as_string() == "PartialObjectMetadataList");
    BOOST_TEST(!list.at("items").at(0).as_object().contains("data"));
}

BOOST_FIXTURE_TEST_CASE(deletion_waits_for_finalizers, FakeFixture) {
    client.post(jobs + "configmaps", config_map("c", "{}", R"(,"finalizers":["x/y"])"));
    BOOST_TEST(client.remove(jobs + "configmaps/c").status == 200);
    const auto there = get(jobs + "configmaps/c");
    BOOST_TEST(there.at("metadata").as_object().contains("deletionTimestamp"));
    const auto again = client.post(jobs + "configmaps", config_map("c"));
    BOOST_TEST(text_at(again.json().as_object(), {"message"}) ==
               "object is being deleted: configmaps \"c\" already exists");
    const std::string tested = R"([{"op":"test","path":"/metadata/finalizers/0","value":"z"},)"
                               R"({"op":"remove","path":"/metadata/finalizers/0"}])";
    const auto wrong =
        client.send("PATCH", jobs + "configmaps/c", tested, "application/json-patch+json");
    BOOST_TEST(wrong.status == 422);
    const auto grown =
        client.send("PATCH", jobs + "configmaps/c", R"({"metadata":{"finalizers":["x/y","a/b"]}})",
                    "application/merge-patch+json");
    BOOST_TEST(grown.status == 422);
    BOOST_TEST(client
                   .send("PATCH", jobs + "configmaps/c", R"({"metadata":{"finalizers":null}})",
                         "application/merge-patch+json")
                   .status == 200);
    BOOST_TEST(client.get(jobs + "configmaps/c").status == 404);
}

BOOST_FIXTURE_TEST_CASE(updates_are_made_from_the_latest_version_only, FakeFixture) {
    auto made = client.post(jobs + "configmaps", config_map("c")).json();
    made.as_object()["data"] = json::object{{"k", "v"}};
    const auto body = json::serialize(made);
    BOOST_TEST(client.send("PUT", jobs + "configmaps/c", body).status == 200);
    const auto second = client.send("PUT", jobs + "configmaps/c", body);
    BOOST_TEST(second.status == 409);
    BOOST_TEST(reason(second) == "Conflict");
    const auto stranger =
        client.send("PATCH", jobs + "configmaps/c", R"({"metadata":{"uid":"nope"}})",
                    "application/merge-patch+json");
    BOOST_TEST(stranger.status == 409);
    BOOST_TEST(client.send("PATCH", jobs + "configmaps/c", "{}", "text/plain").status == 415);
}

BOOST_FIXTURE_TEST_CASE(what_belongs_to_a_pod_goes_with_it, FakeFixture) {
    const auto owner = client.post(jobs + "pods", pod("p", "endless")).json();
    const auto uid = text_at(owner.as_object(), {"metadata", "uid"});
    const auto reference = [](const std::string& of) {
        return R"(,"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":")" + of +
               R"("}])";
    };
    client.post(jobs + "configmaps", config_map("ours", "{}", reference(uid)));
    client.post(jobs + "configmaps", config_map("orphan", "{}", reference("gone")));
    until_gone("orphan", "configmaps");
    BOOST_TEST(client.get(jobs + "configmaps/ours").status == 200);
    client.remove(jobs + "pods/p");
    until_gone("ours", "configmaps");
}

BOOST_FIXTURE_TEST_CASE(a_watch_goes_on_where_another_ended, FakeFixture) {
    client.post(jobs + "configmaps", config_map("a"));
    const auto list = get(jobs + "configmaps");
    const auto version = text_at(list.as_object(), {"metadata", "resourceVersion"});
    client.post(jobs + "configmaps", config_map("b"));
    PlainClient watcher(port());
    watcher.open_stream(jobs +
                        "configmaps?watch=1&allowWatchBookmarks=true&labelSelector=app%3Dx"
                        "&resourceVersion=" +
                        version);
    const auto added = json::parse(watcher.read_line());
    BOOST_TEST(added.at("type").as_string() == "ADDED");
    BOOST_TEST(text_at(added.as_object(), {"object", "metadata", "name"}) == "b");
    client.send("PATCH", jobs + "configmaps/b", R"({"metadata":{"labels":{"app":"y"}}})",
                "application/merge-patch+json");
    BOOST_TEST(json::parse(watcher.read_line()).at("type").as_string() == "DELETED");
    fake.with([](Cluster& cluster) { cluster.server.send_bookmarks(); });
    BOOST_TEST(json::parse(watcher.read_line()).at("type").as_string() == "BOOKMARK");
    fake.with([](Cluster& cluster) { cluster.server.end_streams(); });
    BOOST_TEST(watcher.read_line() == "");
}

BOOST_FIXTURE_TEST_CASE(a_quota_is_kept, FakeFixture) {
    fake.with([](Cluster& cluster) { cluster.api.pod_quota["jobs"] = 1; });
    BOOST_TEST(client.post(jobs + "pods", pod("p1", "endless")).status == 201);
    const auto answer = client.post(jobs + "pods", pod("p2"));
    BOOST_TEST(answer.status == 403);
    BOOST_TEST(text_at(answer.json().as_object(), {"message"}) ==
               "pods \"p2\" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=1, "
               "limited: pods=1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::k8s
