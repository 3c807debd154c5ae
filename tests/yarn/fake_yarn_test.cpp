// SPDX-License-Identifier: Apache-2.0
#include "yarn/fake_client.hpp"

#include <algorithm>
#include <string>

// What was seen of Hadoop 3.3.6 holds for the fake.

namespace sparkhost::test::yarn {

BOOST_FIXTURE_TEST_SUITE(fake_yarn, FakeFixture)

BOOST_AUTO_TEST_CASE(an_application_goes_its_way_and_is_listed_by_its_tag) {
    cluster.with([](Cluster& c) { c.settings.holds_saving = true; });
    const auto id = submit();
    BOOST_TEST(text(id, "state") == "NEW_SAVING");
    cluster.with([](Cluster& c) { c.let_go(); });
    grant(id, "endless");
    until_state(id, "RUNNING");
    BOOST_TEST(text(id, "finalStatus") == "UNDEFINED");
    BOOST_TEST(text(id, "trackingUrl").ends_with("/proxy/" + id + "/"));
    BOOST_TEST(text(id, "amContainerLogs").find("container_" + numbers_of(id)) !=
               std::string::npos);
    const auto listed = [&](const std::string& query) {
        const auto found = rm("GET", std::string(apps) + "?" + query).object();
        return found.at("apps").as_object().contains("app");
    };
    BOOST_TEST(listed("applicationTags=x,mine&states=ACCEPTED,RUNNING&deSelects=resourceRequests"));
    BOOST_TEST(!listed("applicationTags=others"));
    BOOST_TEST(!listed("applicationTags=mine&states=FINISHED"));
    BOOST_TEST(rm("GET", std::string(apps) + "?deSelects=nonsense").status == 400);
    BOOST_TEST(rm("GET", std::string(apps) + "?states=nonsense").status == 400);
    BOOST_TEST(cluster.starts("m") == 1u);
}

BOOST_AUTO_TEST_CASE(a_program_ends_as_its_application_does) {
    const auto good = submit();
    grant(good, "succeeds");
    until_state(good, "FINISHED");
    BOOST_TEST(text(good, "finalStatus") == "SUCCEEDED");
    BOOST_TEST(cluster.with(
        [&](Cluster& c) { return c.hdfs.below("/user/ann/staging/" + good).empty(); }));
    const auto bad = submit();
    grant(bad, "fails");
    until_state(bad, "FAILED");
    BOOST_TEST(text(bad, "diagnostics").find("exited with  exitCode: 3\n") != std::string::npos);
    cluster.with([](Cluster& c) { c.masters.unregisters_failures = true; });
    const auto told = submit();
    grant(told, "fails");
    until_state(told, "FINISHED");
    BOOST_TEST(text(told, "finalStatus") == "FAILED");
    BOOST_TEST(text(told, "diagnostics") == "User application exited with status 3");
}

BOOST_AUTO_TEST_CASE(a_kill_is_heard_first_and_done_later) {
    cluster.with([](Cluster& c) { c.settings.holds_kills = true; });
    const auto id = submit();
    grant(id, "endless");
    until_state(id, "RUNNING");
    const auto heard = kill(id);
    BOOST_TEST(heard.status == 202);
    BOOST_TEST(text(id, "state") == "RUNNING");
    cluster.with([](Cluster& c) { c.let_go(); });
    until_state(id, "KILLED");
    BOOST_TEST(cluster.with([&](Cluster& c) { return c.masters.last_of(id)->is_over(); }));
    BOOST_TEST(kill(id).status == 200);
    BOOST_TEST(kill("application_1_1").status == 404);
    BOOST_TEST(
        rm("PUT", std::string(apps) + "/" + submit() + "/state", R"({"state":"RUNNING"})").status ==
        400);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused_or_accepted_and_then_failed) {
    auto wanted = context(new_id());
    wanted["resource"] = json::object{{"memory", 999999}, {"vCores", 1}};
    const auto refused = post(wanted);
    BOOST_TEST(refused.status == 400);
    BOOST_TEST(refused.body.find("Requested more memory than configured max") != std::string::npos);
    wanted = context("app_x");
    BOOST_TEST(post(wanted).status == 400);
    BOOST_TEST(rm("POST", apps, "{").status == 400);
    const auto id = new_id();
    wanted = context(id);
    wanted["queue"] = "nope";
    BOOST_TEST(post(wanted).status == 202);
    until_state(id, "FAILED");
    BOOST_TEST(text(id, "diagnostics").ends_with("submitted by user ann to unknown queue: nope"));
    BOOST_TEST(rm("GET", std::string(apps) + "/application_1_1")
                   .body.find("app with id: application_1_1 not found") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_same_id_again_changes_nothing) {
    const auto id = new_id();
    auto wanted = context(id);
    BOOST_TEST(post(wanted).status == 202);
    wanted["application-name"] = "another";
    BOOST_TEST(post(wanted).status == 202);
    grant(id, "succeeds");
    until_state(id, "FINISHED");
    BOOST_TEST(post(wanted).status == 202);
    BOOST_TEST(text(id, "state") == "FINISHED");
    BOOST_TEST(text(id, "name") == "a name");
    BOOST_TEST(cluster.starts("m") == 1u);
    BOOST_TEST(cluster.sins().empty());
}

BOOST_AUTO_TEST_CASE(a_resource_that_has_changed_or_is_gone_keeps_an_application_from_running) {
    const auto change = [&](auto what) {
        const auto id = new_id();
        auto wanted = context(id);
        cluster.with(
            [&](Cluster& c) { what(c.hdfs, "/user/ann/staging/" + id + "/__spark_conf__"); });
        BOOST_TEST(post(wanted).status == 202);
        until_state(id, "FAILED");
        BOOST_TEST(text(id, "diagnostics").find("exitCode: -1000") != std::string::npos);
        return text(id, "diagnostics");
    };
    const auto changed =
        change([](Hdfs& hdfs, const std::string& path) { hdfs.put(path, "other", "ann"); });
    BOOST_TEST(changed.find("changed on src filesystem") != std::string::npos, changed);
    const auto gone = change([](Hdfs& hdfs, const std::string& path) { hdfs.remove(path); });
    BOOST_TEST(gone.find("does not exist") != std::string::npos, gone);
}

BOOST_AUTO_TEST_CASE(without_the_guard_on_its_class_path_a_driver_ends_at_once) {
    const auto id = new_id();
    auto wanted = context(id);
    auto& spec = wanted["am-container-spec"].as_object();
    spec["environment"] = json::object{{"entry", json::array()}};
    BOOST_TEST(post(wanted).status == 202);
    until_state(id, "FAILED");
    BOOST_TEST(text(id, "diagnostics").find("ClassNotFoundException") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_dies_right_after_its_202_has_forgotten_it) {
    cluster.with([](Cluster& c) { c.rm.dies_after_submission = true; });
    const auto id = submit();
    cluster.wait("its death", [](Cluster& c) { return !c.rm.is_up(); });
    BOOST_TEST(rm("GET", "/ws/v1/cluster/info").status == 0);
    cluster.with([](Cluster& c) { c.rm.start(); });
    cluster.wait("its recovery", [](Cluster& c) { return c.rm.is_active(); });
    BOOST_TEST(rm("GET", std::string(apps) + "/" + id).status == 404);
    BOOST_TEST(new_id() != id);
    BOOST_TEST(post(context(id)).status == 202);
    until_state(id, "ACCEPTED");
}

BOOST_AUTO_TEST_CASE(while_it_recovers_it_denies_everything_and_a_known_id_ends_it) {
    const auto id = submit();
    grant(id, "endless");
    until_state(id, "RUNNING");
    const auto before = cluster.with([](Cluster& c) { return c.rm.started_on(); });
    cluster.with([](Cluster& c) {
        c.settings.holds_recovery = true;
        c.rm.die();
        c.rm.start();
    });
    const auto info = rm("GET", "/ws/v1/cluster/info").object().at("clusterInfo").as_object();
    BOOST_TEST(json::value_to<std::string>(info.at("haState")) == "INITIALIZING");
    BOOST_TEST(info.at("startedOn").as_int64() > before);
    BOOST_TEST(rm("GET", std::string(apps) + "/" + id).status == 404);
    BOOST_TEST(rm("GET", apps).body == R"({"apps":{}})");
    cluster.with([](Cluster& c) { c.settings.holds_recovery = false; });
    BOOST_TEST(post(context(id)).status == 202);
    BOOST_TEST(cluster.sins().size() == 1u);
    until_state(id, "RUNNING");
    BOOST_TEST(cluster.with([](Cluster& c) { return c.masters.all().size(); }) == 1u);
}

BOOST_AUTO_TEST_CASE(what_has_ended_meanwhile_is_found_out_by_the_next_life) {
    cluster.with([](Cluster& c) { c.masters.holds_ends = true; });
    const auto id = submit();
    grant(id, "succeeds");
    until_state(id, "RUNNING");
    cluster.with([](Cluster& c) {
        c.rm.die();
        c.let_go();
        c.rm.start();
    });
    until_state(id, "FINISHED");
    const auto next = submit();
    until_state(next, "ACCEPTED");
    cluster.wait("a container", [=](Cluster& c) { return c.masters.last_of(next) != nullptr; });
    BOOST_TEST(text(next, "amContainerLogs").find("/container_e01_") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_one_that_stands_by_shows_the_way) {
    cluster.with([](Cluster& c) { c.have_two_resource_managers(); });
    const auto id = submit();
    grant(id, "endless");
    const auto other = cluster.urls().other_resource_manager;
    const auto target = std::string(apps) + "/" + id;
    const auto shown = ask(other, "GET", target);
    BOOST_TEST(shown.status == 307);
    BOOST_TEST(shown.location == cluster.urls().resource_manager + target);
    BOOST_TEST(ask(other, "GET", "/ws/v1/cluster/info").body.find("STANDBY") != std::string::npos);
    cluster.with([](Cluster& c) { c.fail_over(); });
    until_state(id, "RUNNING");
    BOOST_TEST(ask(other, "GET", target).status == 200);
    BOOST_TEST(rm("GET", target).location == other + target);
    cluster.with([](Cluster& c) { c.other_rm.stand_by(); });
    BOOST_TEST(rm("GET", target).status == 307);
    BOOST_TEST(rm("GET", target).location.empty());
}

BOOST_AUTO_TEST_CASE(a_finished_application_is_forgotten_when_there_are_many) {
    cluster.with([](Cluster& c) { c.settings.max_completed = 1; });
    const auto first = submit();
    grant(first, "succeeds");
    until_state(first, "FINISHED");
    const auto second = submit();
    grant(second, "succeeds");
    until_state(second, "FINISHED");
    BOOST_TEST(rm("GET", std::string(apps) + "/" + first).status == 404);
}

BOOST_AUTO_TEST_CASE(an_attempt_that_fails_is_followed_by_another_where_that_is_allowed) {
    const auto id = new_id();
    auto wanted = context(id);
    wanted.erase("max-app-attempts");
    BOOST_TEST(post(wanted).status == 202);
    grant(id, "fails");
    cluster.wait("a second attempt", [](Cluster& c) { return c.masters.all().size() == 2; });
    BOOST_TEST(text(id, "state") == "ACCEPTED");
}

BOOST_AUTO_TEST_CASE(logs_are_at_the_node_until_they_are_handed_over) {
    const auto id = submit();
    grant(id, "endless");
    until_state(id, "RUNNING");
    const auto container = cluster.with([&](Cluster& c) {
        c.masters.last_of(id)->out = "one\ntwo\n";
        return c.masters.last_of(id)->container;
    });
    const auto file = "/containers/" + container + "/logs/stdout";
    const auto node = [&](const std::string& query) {
        return ask(cluster.urls().node_manager, "GET", "/ws/v1/node" + file + query);
    };
    BOOST_TEST(node("").body.find("LogLength:8\nLogContents:\none\ntwo\n\nEnd of LogType:stdout."
                                  "This log file belongs to a running container") !=
               std::string::npos);
    BOOST_TEST(node("?size=-4").body.find("LogContents:\ntwo\n") != std::string::npos);
    cluster.with([&](Cluster& c) {
        c.masters.aggregates_logs = true;
        c.masters.end(c.masters.last_of(id), 0);
    });
    BOOST_TEST(node("").status == 404);
    const auto kept = ask(cluster.urls().log_server, "GET", "/ws/v1/history" + file);
    BOOST_TEST(kept.body.find("LogAggregationType: AGGREGATED") != std::string::npos);
    cluster.with([](Cluster& c) { c.logs.redirects = true; });
    BOOST_TEST(node("?size=-4").location == cluster.urls().log_server + "/ws/v1/history" + file +
                                                "?size=-4&redirected_from_node=true");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(fake_hdfs, FakeFixture)

BOOST_AUTO_TEST_CASE(a_file_is_written_in_two_steps_and_read_again) {
    const auto nn = [&](const std::string& method, const std::string& target) {
        return ask(cluster.urls().name_node, method, "/webhdfs/v1" + target);
    };
    const auto bytes_to = [&](const std::string& location, const std::string& bytes) {
        const auto path = location.find('/', 7);
        return ask(location.substr(0, path), "PUT", location.substr(path), bytes).status;
    };
    const std::string ann = "&user.name=ann";
    BOOST_TEST(nn("PUT", "/user/ann/a?op=MKDIRS&permission=700" + ann).body ==
               R"({"boolean":true})");
    const auto create = "/user/ann/a/f%20g?op=CREATE&overwrite=true&permission=644" + ann;
    const auto sent = nn("PUT", create);
    BOOST_TEST(sent.status == 307);
    BOOST_TEST(bytes_to(sent.location, "hello") == 201);
    const auto found = nn("GET", "/user/ann/a/f%20g?op=GETFILESTATUS" + ann).object();
    const auto& status = found.at("FileStatus").as_object();
    BOOST_TEST(status.at("length").as_int64() == 5);
    BOOST_TEST(json::value_to<std::string>(status.at("permission")) == "644");
    BOOST_TEST(status.at("modificationTime").as_int64() > 0);
    const auto others = nn("GET", "/user/ann/a/f%20g?op=GETFILESTATUS&user.name=bob");
    BOOST_TEST(others.status == 403);
    BOOST_TEST(nn("PUT", "/user/x?op=MKDIRS&user.name=bob").status == 403);
    BOOST_TEST(nn("DELETE", "/user/ann/a?op=DELETE" + ann).status == 403);
    BOOST_TEST(nn("DELETE", "/user/ann/a?op=DELETE&recursive=true" + ann).body ==
               R"({"boolean":true})");
    BOOST_TEST(nn("GET", "/user/ann/a?op=GETFILESTATUS" + ann).status == 404);
    cluster.with([](Cluster& c) { c.hdfs.active = 1; });
    BOOST_TEST(nn("PUT", create).body.find("StandbyException") != std::string::npos);
    BOOST_TEST(ask(cluster.urls().other_name_node, "PUT", "/webhdfs/v1" + create).status == 307);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
