// SPDX-License-Identifier: Apache-2.0
#include "yarn/yarn_place.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace sparkhost::test::yarn {

namespace backend_test {

/// The one application there is.
Application only_application(Place& place) {
    return place.host.cluster.with([](Cluster& c) { return *c.rm.applications.begin()->second; });
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string waiting_reason(const BatchRecord& record) {
    for (const auto& each : record.timeline) {
        if (each.what == "waiting") {
            return each.reason;
        }
    }
    return {};
}

}  // namespace backend_test

BOOST_FIXTURE_TEST_SUITE(yarn_backend, Place)

using namespace backend_test;

BOOST_AUTO_TEST_CASE(a_batch_runs_as_an_application_of_its_user_queue_and_name) {
    host.cluster.with([](Cluster& c) { c.settings.queues.insert("etl"); });
    auto spec = scripted_spec("endless", "m");
    spec.name = "a 'name' of $mine";
    spec.queue = "etl";
    spec.proxy_user = "bob";
    const auto id = submit(spec);
    until_running(id);
    const auto application = only_application(*this);
    BOOST_TEST(application.name == spec.name);
    BOOST_TEST(application.queue == "etl");
    BOOST_TEST(application.user == "bob");
    BOOST_TEST(application.type == "SPARK");
    BOOST_TEST(application.max_attempts == 1);
    BOOST_TEST(!application.tags.empty());
    BOOST_TEST(host.find(id).application_id == application.id);
    BOOST_TEST(has(host.find(id).ui_url, "http://"));
    const auto files =
        host.cluster.with([](Cluster& c) { return c.hdfs.below("/user/bob/.sparkStaging"); });
    BOOST_TEST(files.size() == 3u);  // the folder, the archive, the guard
}

BOOST_AUTO_TEST_CASE(a_guard_that_is_there_for_all_is_not_handed_over_again) {
    const std::string shared = "/apps/guard.jar";
    std::string jar;
    until_running(submit("endless"));
    for (const auto& each : std::filesystem::directory_iterator(host.backend.work_dir)) {
        jar = each.path().extension() == ".jar" ? read_text(each.path()) : jar;
    }
    change([&](Cluster& c) { c.hdfs.put(shared, jar, "hdfs"); });
    host.backend.guard_jar = "hdfs://namenode:8020" + shared;
    host.crash();
    host.start();
    until_running(submit("endless"));
    const auto files = host.cluster.with(
        [](Cluster& c) { return c.hdfs.below("/user/" + test_user + "/.sparkStaging"); });
    BOOST_TEST(files.size() == 3u + 2u);  // the second has a folder and the archive

    change([&](Cluster& c) { c.hdfs.put(shared, jar + "more", "hdfs"); });
    const auto other = until_ended(submit("succeeds"));
    BOOST_TEST(other.state() == BatchState::dead);
    BOOST_TEST(has(other.reason, "is of another version"), other.reason);
    change([&](Cluster& c) { c.hdfs.remove(shared); });
    const auto gone = until_ended(submit("succeeds"));
    BOOST_TEST(has(gone.reason, "guard_jar: cannot look at"), gone.reason);
}

BOOST_AUTO_TEST_CASE(arguments_are_granted_and_stand_nowhere_else) {
    auto spec = scripted_spec("succeeds", "m");
    spec.args.emplace_back("it's $HOME \"hunter2\"");
    BOOST_TEST(until_ended(submit(spec)).state() == BatchState::success);
    const auto am = host.cluster.with([](Cluster& c) { return Am(*only_am(c)); });
    BOOST_TEST(am.main_class == "org.apache.spark.deploy.PythonRunner");
    BOOST_TEST(am.args.back() == spec.args.back());
    BOOST_TEST(!has(boost::json::serialize(only_application(*this).context), "hunter2"));
    for (const auto& [link, bytes] : am.localized) {
        BOOST_TEST(!has(bytes, "hunter2"));
    }
}

BOOST_AUTO_TEST_CASE(files_of_the_host_are_in_the_folder_of_the_driver) {
    const auto folder = std::filesystem::path(host.backend.work_dir).parent_path();
    std::ofstream(folder / "job.py") << "print('here')\n";
    std::ofstream(folder / "more.txt") << "more\n";
    auto spec = scripted_spec("succeeds", "m");
    spec.file = (folder / "job.py").string();
    spec.files = {(folder / "more.txt").string()};
    const auto end = until_ended(submit(spec));
    BOOST_TEST(end.state() == BatchState::success, end.reason);
    const auto am = host.cluster.with([](Cluster& c) { return Am(*only_am(c)); });
    BOOST_TEST(am.localized.at("job.py") == "print('here')\n");
    BOOST_TEST(am.localized.at("more.txt") == "more\n");
    const bool is_named = std::ranges::find(am.args, "job.py") != am.args.end();
    BOOST_TEST(is_named);
}

BOOST_AUTO_TEST_CASE(what_a_cluster_says_no_to_fails_with_its_words) {
    auto queued = scripted_spec("succeeds", "m");
    queued.queue = "nope";
    const auto no_queue = until_ended(submit(queued));
    BOOST_TEST(no_queue.state() == BatchState::dead);
    BOOST_TEST(has(no_queue.reason, "unknown queue: nope"), no_queue.reason);
    auto large = scripted_spec("succeeds", "m");
    large.driver_memory = "100g";
    const auto too_large = until_ended(submit(large));
    BOOST_TEST(too_large.state() == BatchState::dead);
    BOOST_TEST(has(too_large.reason, "Requested more memory than configured max"),
               too_large.reason);
    auto absent = scripted_spec("succeeds", "m");
    absent.file = "hdfs://namenode:8020/user/ann/none.py";
    const auto missing = until_ended(submit(absent));
    BOOST_TEST(missing.state() == BatchState::dead);
    BOOST_TEST(has(missing.reason, "none.py"), missing.reason);
    BOOST_TEST(host.cluster.starts("m") == 0u);
}

BOOST_AUTO_TEST_CASE(a_file_that_changes_while_its_application_waits_keeps_it_from_running) {
    change([](Cluster& c) {
        c.hdfs.put("/user/ann/job.py", "one", test_user);
        c.settings.holds_launches = true;
    });
    auto spec = scripted_spec("succeeds", "m");
    spec.file = "hdfs://namenode:8020/user/ann/job.py";
    const auto id = submit(spec);
    until_cluster("it to wait", [](Cluster& c) { return !c.rm.applications.empty(); });
    change([](Cluster& c) { c.hdfs.put("/user/ann/job.py", "two", test_user); });
    until_looked();
    change([](Cluster& c) { c.let_go(); });
    const auto end = until_ended(id);
    BOOST_TEST(end.state() == BatchState::dead);
    BOOST_TEST(has(end.reason, "changed on src filesystem"), end.reason);
    BOOST_TEST(host.cluster.starts("m") == 0u);
}

BOOST_AUTO_TEST_CASE(what_fails_has_its_exit_code_and_the_most_telling_line) {
    const auto by_code = until_ended(submit("fails"));
    BOOST_TEST(by_code.state() == BatchState::dead);
    BOOST_TEST_REQUIRE(by_code.exit_code.has_value());
    BOOST_TEST(*by_code.exit_code == 3);
    const auto id = submit("endless");
    until_running(id);
    change([](Cluster& c) {
        c.masters.end(c.masters.all().back(), 1,
                      "Traceback (most recent call last):\n  File \"x.py\", line 1\n"
                      "ValueError: seven\n"
                      "26/11/22 06:30:00 INFO ShutdownHookManager: Shutdown hook called\n");
    });
    const auto end = until_ended(id);
    BOOST_TEST(has(end.reason, "ValueError: seven"), end.reason);
    BOOST_TEST(!has(end.reason, "ShutdownHookManager"), end.reason);
}

BOOST_AUTO_TEST_CASE(an_application_that_is_finished_and_has_failed_has_failed) {
    change([](Cluster& c) { c.masters.unregisters_failures = true; });
    const auto end = until_ended(submit("fails"));
    BOOST_TEST(end.state() == BatchState::dead);
    BOOST_TEST(has(end.reason, "exited with status 3"), end.reason);
}

BOOST_AUTO_TEST_CASE(what_waits_says_why_and_can_be_killed) {
    change([](Cluster& c) { c.settings.holds_launches = true; });
    const auto id = submit("succeeds");
    host.until("a reason", [&] { return !waiting_reason(host.find(id)).empty(); });
    BOOST_TEST(has(waiting_reason(host.find(id)), "AM resource limit exceeded"),
               waiting_reason(host.find(id)));
    BOOST_TEST(host.ask(host.host().kill(id)).has_value());
    BOOST_TEST(until_ended(id).state() == BatchState::killed);
    change([](Cluster& c) { c.let_go(); });
    BOOST_TEST(until_ended(submit(scripted_spec("succeeds", "other"))).state() ==
               BatchState::success);
    BOOST_TEST(host.cluster.starts("succeeds") == 0u);
}

BOOST_AUTO_TEST_CASE(a_kill_that_takes_a_while_is_told_again_and_ends_it) {
    const auto id = submit("endless");
    until_running(id);
    change([](Cluster& c) { c.settings.holds_kills = true; });
    auto wish = host.begin(host.host().kill(id));
    until_cluster("the kill to be told",
                  [](Cluster& c) { return c.traffic.requests("PUT", "/state") > 0; });
    until_looked();
    BOOST_TEST(!host.find(id).has_ended());
    change([](Cluster& c) { c.let_go(); });
    BOOST_TEST(until_ended(id).state() == BatchState::killed);
    host.until("its answer", [&] { return wish->done(); });
}

BOOST_AUTO_TEST_CASE(what_somebody_else_kills_is_killed) {
    const auto id = submit("endless");
    until_running(id);
    change([](Cluster& c) {
        c.settings.holds_kills = true;
        c.rm.applications.begin()->second->is_being_killed = true;
        c.let_go();
    });
    BOOST_TEST(until_ended(id).state() == BatchState::killed);
}

BOOST_AUTO_TEST_CASE(a_second_attempt_of_the_same_application_runs_nothing) {
    const auto id = submit("endless");
    until_running(id);
    // as with a cluster that does not heed max-app-attempts
    change([](Cluster& c) {
        c.rm.applications.begin()->second->max_attempts = 2;
        c.masters.end(only_am(c), 1);
    });
    BOOST_TEST(until_ended(id).state() == BatchState::dead);
    BOOST_TEST(host.cluster.starts("endless") == 1u);
    BOOST_TEST(host.cluster.with([](Cluster& c) { return c.masters.all().size(); }) == 2u);
}

BOOST_AUTO_TEST_CASE(the_name_node_that_is_active_is_asked) {
    host.backend.webhdfs = {host.cluster.urls().other_name_node, host.cluster.urls().name_node};
    BOOST_TEST(until_ended(submit("succeeds")).state() == BatchState::success);
    change([](Cluster& c) { c.hdfs.active = 1; });
    const auto end = until_ended(submit("succeeds"));
    BOOST_TEST(end.state() == BatchState::success, end.reason);
    BOOST_TEST(host.cluster.starts("succeeds") == 2u);
}

BOOST_AUTO_TEST_CASE(a_staging_without_room_is_waited_for) {
    change([](Cluster& c) { c.hdfs.has_no_room = true; });
    const auto id = submit("succeeds");
    until_looked();
    BOOST_TEST(!host.find(id).has_ended());
    change([](Cluster& c) { c.hdfs.has_no_room = false; });
    const auto end = until_ended(id);
    BOOST_TEST(end.state() == BatchState::success, end.reason);
    BOOST_TEST(host.cluster.starts("succeeds") == 1u);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_a_batch_that_was_released) {
    for (const auto* program : {"succeeds", "fails"}) {
        const auto id = submit(program);
        host.until("its release", [&] { return host.find(id).phase == BatchPhase::released; });
    }
    const auto left =
        host.cluster.with([](Cluster& c) { return c.hdfs.below("/user/ann/.sparkStaging"); });
    BOOST_TEST(left.empty());
    BOOST_TEST(std::filesystem::is_empty(host.backend.work_dir + "/tickets"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(yarn_options)

using namespace backend_test;

BOOST_AUTO_TEST_CASE(a_wrong_option_is_named) {
    const auto refusal = [](auto change) {
        YarnBackendOptions options;
        options.resource_managers = {"http://rm:8088"};
        options.staging = "hdfs://namenode:8020/user/{user}/.sparkStaging";
        options.webhdfs = {"http://namenode:9870"};
        options.spark_home = "/opt/spark";
        options.work_dir = "/tmp/x";
        change(options);
        boost::asio::io_context io;
        try {
            (void)make_yarn_backend(io.get_executor(), options);
        } catch (const std::invalid_argument& failure) {
            return std::string(failure.what());
        }
        return std::string();
    };
    using Options = YarnBackendOptions;
    BOOST_TEST(refusal([](Options&) {}).empty());
    const auto names = [&](const std::string& option, auto change) {
        const auto text = refusal(change);
        BOOST_TEST(text.starts_with("YarnBackendOptions::" + option), text);
    };
    names("resource_managers", [](Options& o) { o.resource_managers.clear(); });
    names("resource_managers", [](Options& o) { o.resource_managers = {"rm:8088"}; });
    names("staging", [](Options& o) { o.staging.clear(); });
    names("staging", [](Options& o) { o.staging = "s3://bucket/x"; });
    names("webhdfs", [](Options& o) { o.webhdfs.clear(); });
    names("spark_home", [](Options& o) { o.spark_home.clear(); });
    names("guard_jar", [](Options& o) { o.guard_jar = "/opt/guard.jar"; });
    names("work_dir", [](Options& o) { o.work_dir = "x"; });
    names("user", [](Options& o) { o.user = "a b"; });
    names("environment", [](Options& o) { o.environment["SPARKHOST_GUARD_TICKET"] = "x"; });
    names("lost_after", [](Options& o) { o.lost_after = std::chrono::milliseconds(0); });
    names("max_requests", [](Options& o) { o.max_requests = 0; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
