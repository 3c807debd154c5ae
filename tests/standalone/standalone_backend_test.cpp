// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/jws.hpp"
#include "standalone/standalone_host.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace sparkhost::test::alone {

namespace backend_test {

struct Place {
    Place() { host.backend.lost_after = std::chrono::seconds(1); }

    BatchId submit(const BatchSpec& spec) {
        if (!started) {
            host.start();
            started = true;
        }
        return host.ask(host.host().submit(spec)).value().id;
    }
    BatchId submit(const std::string& program) { return submit(scripted_spec(program, program)); }
    BatchRecord until_ended(BatchId id) {
        host.until("the end", [&] { return host.find(id).has_ended(); });
        return host.find(id);
    }
    void until_running(BatchId id) {
        host.until("it to run", [&] { return host.find(id).state() == BatchState::running; });
    }

    StandaloneHost host;
    bool started{false};
};

const std::string& content_of(const Driver& driver, const std::string& name) {
    static const std::string none;
    const auto found =
        std::ranges::find_if(driver.files, [&name](const auto& each) { return each.name == name; });
    return found == driver.files.end() ? none : found->content;
}

}  // namespace backend_test

BOOST_FIXTURE_TEST_SUITE(standalone_backend, backend_test::Place)

using namespace backend_test;

BOOST_AUTO_TEST_CASE(properties_are_granted_and_stand_nowhere_else) {
    auto spec = scripted_spec("succeeds", "m");
    spec.conf["spark.my.password"] = "hunter2";
    spec.conf["spark.driver.extraJavaOptions"] = "-Dx=y";
    spec.driver_memory = "2g";
    spec.num_executors = 3;
    const auto end = until_ended(submit(spec));
    BOOST_TEST(end.state() == BatchState::success, end.reason);
    BOOST_TEST(end.application_id.starts_with("app-"));
    const auto driver =
        host.cluster.with([](Cluster& c) { return Driver(*c.drivers.all().front()); });
    const auto body = boost::json::serialize(driver.body);
    BOOST_TEST(body.find("hunter2") == std::string::npos);
    BOOST_TEST(body.find("--add-opens=java.base/java.lang=ALL-UNNAMED") != std::string::npos);
    BOOST_TEST(body.find("\"spark.driver.memory\":\"2g\"") != std::string::npos);
    const auto& properties = content_of(driver, "spark.properties");
    BOOST_TEST(properties.find("hunter2") != std::string::npos);
    BOOST_TEST(properties.find("spark.cores.max=3") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_the_backend_decides_is_refused_with_its_field) {
    struct Row {
        std::string key;
        std::string value;
    };
    for (const auto& row : {Row{"spark.driver.supervise", "true"},
                            {"spark.master", "local"},
                            {"spark.submit.deployMode", "cluster"},
                            {"spark.driver.host", "x"},
                            {"spark.driver.extraJavaOptions", "-Dpassword=x"}}) {
        auto spec = scripted_spec("succeeds", "m");
        spec.conf[row.key] = row.value;
        const auto end = until_ended(submit(spec));
        BOOST_TEST(end.state() == BatchState::dead);
        BOOST_TEST(end.reason.find("conf." + row.key) != std::string::npos, end.reason);
    }
    for (const auto& [change, field] :
         {std::pair{+[](BatchSpec& s) { s.queue = "q"; }, "queue"},
          {+[](BatchSpec& s) { s.proxy_user = "p"; }, "proxy_user"},
          {+[](BatchSpec& s) { s.args.emplace_back("{{USER_JAR}}"); }, "args[2]"}}) {
        auto spec = scripted_spec("succeeds", "m");
        change(spec);
        const auto end = until_ended(submit(spec));
        BOOST_TEST(end.reason.find(field) != std::string::npos, end.reason);
    }
    BOOST_TEST(host.cluster.starts("m") == 0u);
}

BOOST_AUTO_TEST_CASE(the_master_that_is_alive_is_asked) {
    FakeStandalone other;
    other.with([](Cluster& c) { c.master.status = "STANDBY"; });
    host.backend.rest_urls.insert(host.backend.rest_urls.begin(), other.url());
    host.backend.web_urls.insert(host.backend.web_urls.begin(), other.url());
    BOOST_TEST(until_ended(submit("succeeds")).state() == BatchState::success);
    BOOST_TEST(host.cluster.starts("succeeds") == 1u);
}

BOOST_AUTO_TEST_CASE(what_a_master_refuses_fails_with_its_words) {
    host.cluster.with([](Cluster& c) { c.master.refusal = "no such thing here"; });
    const auto end = until_ended(submit("succeeds"));
    BOOST_TEST(end.state() == BatchState::dead);
    BOOST_TEST(end.reason.find("no such thing here") != std::string::npos, end.reason);
}

BOOST_AUTO_TEST_CASE(a_driver_that_every_master_has_forgotten_is_lost) {
    const auto id = submit("endless");
    until_running(id);
    host.cluster.with([](Cluster& c) { c.drivers.forget(); });
    const auto end = until_ended(id);
    BOOST_TEST(end.state() == BatchState::dead);
    BOOST_TEST(end.reason.find("no master knows") != std::string::npos, end.reason);
}

BOOST_AUTO_TEST_CASE(a_driver_that_has_left_the_list_is_asked_for) {
    host.cluster.with([](Cluster& c) { c.drivers.hides_completed = true; });
    BOOST_TEST(until_ended(submit("succeeds")).state() == BatchState::success);
}

BOOST_AUTO_TEST_CASE(a_master_that_is_away_for_a_while_changes_no_end) {
    const auto id = submit("endless");
    until_running(id);
    host.cluster.with([](Cluster& c) {
        c.server.go_away();
        c.drivers.end(c.drivers.all().front(), "FAILED", "java.lang.X: it broke");
    });
    host.until("time to pass", [turns = 0]() mutable { return ++turns > 50; });
    BOOST_TEST(host.find(id).state() == BatchState::running);
    host.cluster.with([](Cluster& c) { c.server.come_back(); });
    const auto end = until_ended(id);
    BOOST_TEST(end.state() == BatchState::dead);
    BOOST_TEST(end.reason.find("java.lang.X: it broke") != std::string::npos, end.reason);
}

BOOST_AUTO_TEST_CASE(the_reason_of_a_failure_comes_from_its_log) {
    host.cluster.with([](Cluster& c) { c.drivers.holds_ends = true; });
    const auto id = submit("fails");
    until_running(id);
    host.cluster.with([](Cluster& c) {
        c.drivers.all().front()->out =
            "Traceback (most recent call last):\n  File \"x.py\"\nValueError: seven\n";
        c.drivers.end(c.drivers.all().front(), "FAILED");
    });
    BOOST_TEST(until_ended(id).reason == "ValueError: seven");
}

BOOST_AUTO_TEST_CASE(a_driver_that_ends_before_its_claim_fails_and_its_twin_runs_nothing) {
    host.cluster.with([](Cluster& c) {
        c.drivers.holds_claims = true;
        c.traffic.plan({.kind = Fault::Kind::lose_answer, .path = "/create"});
    });
    const auto id = submit("succeeds");
    host.until("two drivers", [&] {
        return host.cluster.with([](Cluster& c) { return c.drivers.all().size() == 2; });
    });
    host.cluster.with(
        [](Cluster& c) { c.drivers.end(c.drivers.all().back(), "ERROR", "java.lang.X: no jar"); });
    const auto end = until_ended(id);
    BOOST_TEST(end.state() == BatchState::dead);
    BOOST_TEST(end.reason.find("no jar") != std::string::npos, end.reason);
    host.cluster.with([](Cluster& c) { c.drivers.let_go(); });
    host.until("its twin to end", [&] {
        return host.cluster.with(
            [](Cluster& c) { return c.drivers.all().front()->state == "FAILED"; });
    });
    BOOST_TEST(host.cluster.starts("succeeds") == 0u);
}

BOOST_AUTO_TEST_CASE(a_token_of_the_key_file_opens_a_filtered_master) {
    const std::string key(32, 'k');
    const auto path = std::filesystem::path(host.backend.work_dir).parent_path() / "jws";
    std::ofstream(path) << "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s\n";
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    host.backend.jws_key_file = path.string();
    const auto token = detail::standalone::make_jws(key, R"({"sub":"sparkhost"})");
    BOOST_TEST(
        token.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJzcGFya2hvc3QifQ."));
    host.cluster.with([&](Cluster& c) { c.master.token = token; });
    BOOST_TEST(until_ended(submit("succeeds")).state() == BatchState::success);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(standalone_options)

using namespace backend_test;

BOOST_AUTO_TEST_CASE(a_wrong_option_is_named) {
    const auto refusal = [](auto change) {
        StandaloneBackendOptions options;
        options.master = "spark://host:7077";
        options.work_dir = "/tmp/x";
        change(options);
        boost::asio::io_context io;
        try {
            (void)make_standalone_backend(io.get_executor(), options);
        } catch (const std::invalid_argument& failure) {
            return std::string(failure.what());
        }
        return std::string();
    };
    using Options = StandaloneBackendOptions;
    BOOST_TEST(refusal([](Options&) {}).empty());
    const auto names = [&](const std::string& option, auto change) {
        const auto text = refusal(change);
        BOOST_TEST(text.starts_with("StandaloneBackendOptions::" + option), text);
    };
    names("master", [](Options& o) { o.master = "host:7077"; });
    names("master", [](Options& o) { o.master = "spark://host"; });
    names("rest_urls", [](Options& o) { o.rest_urls = {"host:6066"}; });
    names("work_dir", [](Options& o) { o.work_dir = "x"; });
    names("conf", [](Options& o) { o.conf["spark.driver.supervise"] = "true"; });
    names("environment", [](Options& o) { o.environment["SPARKHOST_GUARD_TICKET"] = "x"; });
    names("lost_after", [](Options& o) { o.lost_after = std::chrono::milliseconds(0); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::alone
