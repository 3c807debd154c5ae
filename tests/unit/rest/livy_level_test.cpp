// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_session.hpp"
#include "unit/rest/session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::rest_test;
using sparkhost::rest::LivyLevel;

namespace {

std::string level_keys_of(const boost::json::value& object) {
    std::string keys;
    for (const auto& entry : object.as_object()) {
        keys += (keys.empty() ? "" : " ") + std::string(entry.key());
    }
    return keys;
}

const std::string unnamed_session_keys = "id appId owner proxyUser state kind appInfo log";
const std::string named_session_keys = "id name appId owner proxyUser state kind appInfo log";
const std::string session_request_keys =
    " driverMemory driverCores executorMemory executorCores conf archives files "
    "heartbeatTimeoutInSecond jars numExecutors pyFiles queue";

struct LevelRow {
    LivyLevel level;
    std::string version;
    std::string session;
    std::string batch;
    std::string app_info;
};

const std::string batch_keys = "id name owner proxyUser state appId appInfo log";
const std::string app_info_keys = "driverLogUrl sparkUiUrl";

const std::vector<LevelRow> level_rows{
    {LivyLevel::v0_5, "0.5.0-", unnamed_session_keys, "id state appId appInfo log", app_info_keys},
    {LivyLevel::v0_6, "0.6.0-", named_session_keys, batch_keys, app_info_keys},
    {LivyLevel::v0_7, "0.7.0-", named_session_keys, batch_keys, app_info_keys},
    {LivyLevel::v0_8, "0.8.0-", named_session_keys + " ttl" + session_request_keys, batch_keys,
     app_info_keys},
    {LivyLevel::v0_9, "0.9.0-", named_session_keys + " ttl idleTimeout" + session_request_keys,
     batch_keys, app_info_keys + " executorLogUrls"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_livy_level)

BOOST_FIXTURE_TEST_CASE(each_version_has_its_keys, WithAgents<RouterFixture>) {
    start();
    for (const LevelRow& row : level_rows) {
        router_options.livy_level = row.level;
        router.emplace(host(), router_options);
        const auto made = post("/sessions", R"({"kind": "pyspark"})");
        BOOST_TEST(level_keys_of(body_of(made)) == row.session);
        const auto path = header(made, "Location");
        BOOST_TEST(level_keys_of(body_of(get(path))) == row.session);
        BOOST_TEST(level_keys_of(body_of(get(path)).at("appInfo")) == row.app_info);
        BOOST_TEST(level_keys_of(body_of(post(path + "/connect", ""))) == row.session);
        BOOST_TEST(level_keys_of(body_of(get("/sessions")).at("sessions").at(0)) == row.session);
        const auto batch = post("/batches", R"({"file": "/jobs/job.py"})");
        BOOST_TEST(level_keys_of(body_of(batch)) == row.batch);
        BOOST_TEST(level_keys_of(body_of(get("/batches")).at("sessions").at(0)) == row.batch);
        const auto version = body_of(get("/version")).at("version").as_string();
        BOOST_TEST(std::string(version).starts_with(row.version), version.c_str());
    }
}

BOOST_FIXTURE_TEST_CASE(what_is_not_found_was_a_bare_string_once, WithAgents<RouterFixture>) {
    start();
    for (const LevelRow& row : level_rows) {
        router_options.livy_level = row.level;
        router.emplace(host(), router_options);
        const std::string words = row.level == LivyLevel::v0_5
                                      ? R"("Session '7' not found.")"
                                      : R"({"msg":"Session '7' not found."})";
        for (const std::string path : {"/sessions/7", "/batches/7", "/sessions/7/statements/1"}) {
            BOOST_TEST(get(path).result_int() == 404u);
            BOOST_TEST(get(path).body() == words, path);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
