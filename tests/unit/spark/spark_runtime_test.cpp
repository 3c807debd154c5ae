// SPDX-License-Identifier: Apache-2.0
#include "runtimes/spark/agent_source.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <sparkhost/runtimes/spark.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace sparkhost::test {

namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

SessionRuntime::SessionRequest request_for(const std::string& kind) {
    SessionRuntime::SessionRequest request;
    request.store_uuid = "0123";
    request.id = SessionId{3};
    request.session.kind = kind;
    request.session.spec.name = "mine";
    request.session.spec.conf = {{"spark.executor.memory", "1g"}};
    request.ticket = "0123-session-3-1";
    request.agent_endpoint = "unix:/run/agents";
    request.claim_file = "/run/claim";
    return request;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(spark_runtime)

BOOST_AUTO_TEST_CASE(a_driver_elsewhere_finds_all_it_needs_beside_its_settings) {
    TempDir dir;
    auto runtime = make_spark_runtime({.work_dir = dir / "agents", .job_jars = {"/a.jar"}});
    auto request = request_for("sql");
    request.shares_files = false;
    request.agent_endpoint = "tcp:host.example:4711";
    const auto launch = run([&] { return runtime->prepare(request); }).value();
    BOOST_TEST_REQUIRE(launch.driver_files.size() == detail::agent_files.size() + 2);
    std::size_t secrets = 0;
    std::size_t named = 0;
    for (const auto& file : launch.driver_files) {
        BOOST_TEST(fs::path(file.path).is_absolute());
        secrets += file.secret ? 1 : 0;
        named += file.path == launch.spec.file || file.path == launch.spec.args.at(0) ? 1 : 0;
        BOOST_TEST((file.secret == (file.path == "/run/claim")));
    }
    BOOST_TEST(secrets == 1u);
    BOOST_TEST(named == 2u);
    const auto settings = boost::json::parse(content(launch.spec.args[0])).as_object();
    BOOST_TEST(settings.at("endpoint").as_string() == "tcp:host.example:4711");
    BOOST_TEST(settings.at("secret_file").as_string() == "claim");
    BOOST_TEST(settings.at("cache_folder").as_string() == "");
    BOOST_TEST(settings.at("job_jars").as_string() == "/a.jar");
}

BOOST_AUTO_TEST_CASE(what_it_prepares_launches_the_agent_with_its_settings) {
    TempDir dir;
    auto runtime = make_spark_runtime(
        {.work_dir = dir / "agents", .max_rows = 7, .job_jars = {"/a.jar", "/b.jar"}});
    for (int round = 0; round < 2; ++round) {  // the same request, the same answer
        const auto launch = run([&] { return runtime->prepare(request_for("sql")); }).value();
        BOOST_TEST(launch.subject == "session-3");
        BOOST_TEST(launch.store_uuid == "0123");
        BOOST_TEST(launch.spec.name == "mine");
        BOOST_TEST(launch.spec.conf.size() == 1u);
        BOOST_TEST(content(launch.spec.file) == detail::agent_module_agent());
        BOOST_TEST_REQUIRE(launch.spec.args.size() == 1u);
        const auto settings = boost::json::parse(content(launch.spec.args[0])).as_object();
        BOOST_TEST(settings.at("endpoint").as_string() == "unix:/run/agents");
        BOOST_TEST(settings.at("ticket").as_string() == "0123-session-3-1");
        BOOST_TEST(settings.at("secret_file").as_string() == "/run/claim");
        BOOST_TEST(settings.at("kind").as_string() == "sql");
        BOOST_TEST(std::string(settings.at("cache_folder").as_string()) ==
                   fs::path(dir / "agents"));
        BOOST_TEST(settings.at("max_rows").to_number<int>() == 7);
        BOOST_TEST(settings.at("job_jars").as_string() == "/a.jar:/b.jar");
        BOOST_TEST(!settings.contains("secret"));
        const auto others = fs::perms::group_all | fs::perms::others_all;
        BOOST_TEST(((fs::status(launch.spec.args[0]).permissions() & others) == fs::perms::none));
        BOOST_TEST(((fs::status(dir / "agents").permissions() & others) == fs::perms::none));
    }
    const auto files = std::distance(fs::directory_iterator(dir / "agents"), {});
    BOOST_TEST(static_cast<std::size_t>(files) == detail::agent_files.size() + 1);
}

BOOST_AUTO_TEST_CASE(what_sessions_compile_is_kept_where_the_option_says) {
    TempDir dir;
    auto runtime =
        make_spark_runtime({.work_dir = dir / "agents", .cache_dir = dir / "cache/agents"});
    const auto launch = run([&] { return runtime->prepare(request_for("spark")); }).value();
    const auto settings = boost::json::parse(content(launch.spec.args[0])).as_object();
    BOOST_TEST(std::string(settings.at("cache_folder").as_string()) ==
               fs::path(dir / "cache/agents"));
    BOOST_TEST(((fs::status(dir / "cache/agents").permissions() & fs::perms::mask) ==
                fs::perms::owner_all));
}

BOOST_AUTO_TEST_CASE(kinds_it_does_not_speak_are_refused) {
    TempDir dir;
    auto runtime = make_spark_runtime({.work_dir = dir / "agents"});
    for (const std::string kind : {"", "pyspark", "spark", "sparkr", "sql"}) {
        BOOST_TEST(run([&] { return runtime->prepare(request_for(kind)); }).has_value());
    }
    const auto refused = run([&] { return runtime->prepare(request_for("perl")); });
    BOOST_TEST(refused.error().is(Errc::invalid_argument));
    BOOST_TEST(refused.error().field == "kind");
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_written_is_told) {
    TempDir dir;
    dir.write("file", "");
    auto runtime = make_spark_runtime({.work_dir = dir / "file/agents"});
    const auto failed = run([&] { return runtime->prepare(request_for("")); });
    BOOST_TEST(failed.error().is(Errc::backend_failed));
    BOOST_TEST(failed.error().text().find("file/agents") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(wrong_options_throw_and_name_the_option) {
    const auto names = [](const char* option) {
        return [option](const std::invalid_argument& refused) {
            return std::string(refused.what()).find(option) != std::string::npos;
        };
    };
    BOOST_CHECK_EXCEPTION(make_spark_runtime({}), std::invalid_argument, names("work_dir"));
    BOOST_CHECK_EXCEPTION(make_spark_runtime({.work_dir = "/x", .cache_dir = "x"}),
                          std::invalid_argument, names("cache_dir"));
    BOOST_CHECK_EXCEPTION(make_spark_runtime({.work_dir = "/x", .max_output = 1}),
                          std::invalid_argument, names("max_output"));
    BOOST_CHECK_EXCEPTION(make_spark_runtime({.work_dir = "/x", .max_result = 2u << 20}),
                          std::invalid_argument, names("max_result"));
    BOOST_CHECK_EXCEPTION(make_spark_runtime({.work_dir = "/x", .max_rows = 0}),
                          std::invalid_argument, names("max_rows"));
    BOOST_CHECK_EXCEPTION(
        make_spark_runtime({.work_dir = "/x", .host_vanished_after = std::chrono::seconds(0)}),
        std::invalid_argument, names("host_vanished_after"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
