// SPDX-License-Identifier: Apache-2.0
#include "rest/native_batch.hpp"

#include "unit/rest/router_fixture.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::rest_test;
using detail::rest::format_time;
using detail::rest::native_batch_json;

BOOST_AUTO_TEST_SUITE(rest_native)

BOOST_AUTO_TEST_CASE(times_are_written_as_rfc_3339_with_milliseconds) {
    BOOST_TEST(format_time(Timestamp{}) == "1970-01-01T00:00:00.000Z");
    BOOST_TEST(format_time(Timestamp{1767225600000ms}) == "2026-01-01T00:00:00.000Z");
    BOOST_TEST(format_time(Timestamp{1772323199009ms}) == "2026-02-28T23:59:59.009Z");
    BOOST_TEST(format_time(Timestamp{-1ms}) == "1969-12-31T23:59:59.999Z");
}

BOOST_AUTO_TEST_CASE(a_new_batch_has_all_keys_and_nulls) {
    BatchRecord record;
    record.id = BatchId{7};
    record.version = 1;
    record.spec.file = "/x.py";
    const auto value = boost::json::parse(native_batch_json(record));
    std::vector<std::string> keys;
    for (const auto& pair : value.as_object()) {
        keys.emplace_back(pair.key());
    }
    const std::vector<std::string> expected{
        "id",      "version", "name",     "owner",       "state",
        "phase",   "outcome", "exitCode", "reason",      "applicationId",
        "uiUrl",   "attempt", "attempts", "nextAttempt", "killRequested",
        "created", "updated", "timeline", "spec"};
    BOOST_TEST(keys == expected, boost::test_tools::per_element());
    for (const char* key : {"name", "owner", "outcome", "exitCode", "reason", "applicationId",
                            "uiUrl", "nextAttempt"}) {
        BOOST_TEST(value.at(key).is_null(), key);
    }
    BOOST_TEST(value.at("id").as_int64() == 7);
    BOOST_TEST(value.at("phase").as_string() == "accepted");
    BOOST_TEST(value.at("spec").at("driverCores").is_null());
    BOOST_TEST(value.at("spec").at("args").as_array().empty());
}

BOOST_AUTO_TEST_CASE(an_ended_batch_tells_its_whole_story) {
    BatchRecord record;
    record.phase = BatchPhase::ended;
    record.outcome = Outcome::failed;
    record.exit_code = 3;
    record.reason = "exit status 3";
    record.application_id = "app-1";
    record.ui_url = "http://driver:4040";
    record.spec.num_executors = 2;
    record.spec.conf = {{"spark.a", "b"}};
    record.created = Timestamp{1767225600000ms};
    record.timeline = {{"accepted", record.created, ""}, {"ended", record.created + 5ms, "why"}};
    const auto value = boost::json::parse(native_batch_json(record));
    BOOST_TEST(value.at("state").as_string() == "dead");
    BOOST_TEST(value.at("outcome").as_string() == "failed");
    BOOST_TEST(value.at("exitCode").as_int64() == 3);
    BOOST_TEST(value.at("spec").at("numExecutors").as_int64() == 2);
    BOOST_TEST(value.at("spec").at("conf").at("spark.a").as_string() == "b");
    const auto& timeline = value.at("timeline").as_array();
    BOOST_TEST_REQUIRE(timeline.size() == 2u);
    BOOST_TEST(timeline[0].at("reason").is_null());
    BOOST_TEST(timeline[1].at("what").as_string() == "ended");
    BOOST_TEST(timeline[1].at("at").as_string() == "2026-01-01T00:00:00.005Z");
    BOOST_TEST(timeline[1].at("reason").as_string() == "why");
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_tried_again_tells_of_each_attempt) {
    BatchRecord record;
    record.phase = BatchPhase::waiting;
    record.attempt = 1;
    record.spec.retry.max_attempts = 3;
    record.spec.retry.delay = 1500ms;
    record.spec.retry.factor = 1.5;
    record.spec.retry.causes = {RetryCause::failed, RetryCause::unknown};
    record.next_attempt = NextAttempt{Timestamp{1767225600000ms}, 1500ms};
    record.attempts = {{.ticket = "t-1",
                        .outcome = Outcome::failed,
                        .exit_code = 3,
                        .reason = "exit status 3",
                        .started = Timestamp{1767225590000ms},
                        .ended = Timestamp{1767225598500ms}}};
    const auto value = boost::json::parse(native_batch_json(record));
    BOOST_TEST(value.at("state").as_string() == "running");
    BOOST_TEST(value.at("phase").as_string() == "waiting");
    BOOST_TEST(value.at("nextAttempt").as_string() == "2026-01-01T00:00:00.000Z");
    BOOST_TEST(boost::json::serialize(value.at("attempts")) ==
               R"([{"ticket":"t-1","outcome":"failed","exitCode":3,"reason":"exit status 3",)"
               R"("applicationId":null,"started":"2025-12-31T23:59:50.000Z",)"
               R"("ended":"2025-12-31T23:59:58.500Z"}])");
    BOOST_TEST(boost::json::serialize(value.at("spec").at("retry")) ==
               R"({"maxAttempts":3,"delay":1.5E0,"factor":1.5E0,"maxDelay":null,"jitter":null,)"
               R"("on":["failed","unknown"]})");
}

BOOST_AUTO_TEST_CASE(secrets_do_not_show) {
    BatchRecord record;
    record.spec.conf = {{"spark.my.password", "hunter22"}};
    record.spec.args = {"hunter22"};
    record.attempts = {{.reason = "wrong password hunter22"}};
    BOOST_TEST(native_batch_json(record).find("hunter22") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(the_route_gives_the_record_or_a_problem, RouterFixture) {
    RouterFixture::start();
    create(R"({"file": "/x.py", "name": "n"})");
    const auto response = get("/api/v1/batches/n");
    BOOST_TEST(response.result_int() == 200u);
    BOOST_TEST(header(response, "Content-Type") == "application/json");
    BOOST_TEST(body_of(response).at("created").as_string() == "2026-01-01T00:00:00.000Z");
    BOOST_TEST(body_of(response).at("timeline").at(0).at("what").as_string() == "accepted");
    const auto missing = get("/api/v1/batches/7");
    BOOST_TEST(missing.result_int() == 404u);
    BOOST_TEST(header(missing, "Content-Type") == "application/problem+json");
    BOOST_TEST(missing.body() == R"({"type":"about:blank","title":"Not Found","status":404,)"
                                 R"("detail":"There is no batch '7'."})");
}

BOOST_AUTO_TEST_SUITE_END()
