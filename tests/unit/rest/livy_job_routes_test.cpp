// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

struct JobRoutes : StartedSessions {
    static std::string job_path(SessionId id, std::int64_t job) {
        return path(id) + "/jobs/" + std::to_string(job);
    }
    std::int64_t submit(SessionId id, const std::string& payload,
                        const std::string& route = "/submit-job") {
        const auto made =
            post(path(id) + route, R"({"job": ")" + payload + R"(", "jobType": "pyspark"})");
        BOOST_TEST_REQUIRE(made.result_int() == 201u, made.body());
        BOOST_TEST(body_of(made).at("state").as_string() == "SENT");
        return body_of(made).at("id").as_int64();
    }
    boost::json::object until_not(SessionId id, std::int64_t job, const std::string& state) {
        return body_of(eventual_get(job_path(id, job) + "?wait=300&state=" + state)).as_object();
    }
    /// The job when it is over.
    boost::json::object end_of(SessionId id, std::int64_t job) {
        for (const auto* state : {"waiting", "running", "cancelling"}) {
            until_not(id, job, state);
        }
        return body_of(get(job_path(id, job))).as_object();
    }
};

StatementResult gave(std::string bytes) {
    StatementResult result;
    result.data.emplace("application/octet-stream", std::move(bytes));
    return result;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_livy_job_routes, JobRoutes)

BOOST_AUTO_TEST_CASE(the_same_idempotency_key_gives_the_same_job_and_the_same_answer) {
    agents->answer("am9i", {.result = gave("cmVzdWx0")});
    const SessionId id = open_idle();
    const std::string body = R"({"job": "am9i", "jobType": "pyspark"})";
    const auto first = post(path(id) + "/submit-job", body, {{"Idempotency-Key", "k"}});
    BOOST_TEST(first.result_int() == 201u);
    BOOST_TEST(end_of(id, 0).at("state").as_string() == "SUCCEEDED");
    for (const char* route : {"/submit-job", "/run-job"}) {
        const auto again = post(path(id) + route, body, {{"Idempotency-Key", "k"}});
        BOOST_TEST(again.result_int() == 201u);
        BOOST_TEST(again.body() == first.body());
    }
    const auto other =
        post(path(id) + "/submit-job", R"({"job": "b3RoZXI=", "jobType": "pyspark"})",
             {{"Idempotency-Key", "k"}});
    BOOST_TEST(other.result_int() == 422u);
    BOOST_TEST(submit(id, "am9i") == 1);
}

BOOST_AUTO_TEST_CASE(a_job_is_submitted_followed_and_read_again) {
    agents->answer("am9i", {.result = gave("cmVzdWx0")});
    const SessionId id = open_idle();
    const auto job = submit(id, "am9i");
    for (int round = 0; round < 2; ++round) {
        const auto over = end_of(id, job);
        BOOST_TEST(over.size() == 4u);
        BOOST_TEST(over.at("state").as_string() == "SUCCEEDED");
        BOOST_TEST(over.at("result").as_string() == "cmVzdWx0");
        BOOST_TEST(over.at("error").is_null());
    }
    BOOST_TEST(end_of(id, submit(id, "am9i", "/run-job")).at("state").as_string() == "SUCCEEDED");
    BOOST_TEST(body_of(get(path(id) + "/statements")).at("total_statements").as_int64() == 0);
    BOOST_TEST(get(path(id, job)).result_int() == 404u);
    BOOST_TEST(post(path(id, job) + "/cancel", "").body() == "\"Statement not found\"");
}

BOOST_AUTO_TEST_CASE(a_job_that_fails_says_why) {
    StatementResult failed;
    failed.outcome = StatementOutcome::error;
    failed.error_name = "ValueError";
    failed.error_value = "Client job error:Traceback …";
    agents->answer("YmFk", {.result = failed});
    const SessionId id = open_idle();
    const auto over = end_of(id, submit(id, "YmFk"));
    BOOST_TEST(over.at("state").as_string() == "FAILED");
    BOOST_TEST(over.at("result").is_null());
    BOOST_TEST(over.at("error").as_string() == "Client job error:Traceback …");
}

BOOST_AUTO_TEST_CASE(a_job_waits_runs_and_is_cancelled) {
    agents->answer("bG9vcA==", {.endless = true});
    const SessionId id = open_idle();
    const auto running = submit(id, "bG9vcA==");
    const auto waiting = submit(id, "am9i");
    BOOST_TEST(until_not(id, running, "waiting").at("state").as_string() == "STARTED");
    BOOST_TEST(body_of(get(job_path(id, waiting))).at("state").as_string() == "QUEUED");
    const auto cancelled = eventual_post(job_path(id, running) + "/cancel");
    BOOST_TEST(cancelled.result_int() == 200u);
    BOOST_TEST(cancelled.body() == "");
    const auto over = end_of(id, running);
    BOOST_TEST(over.at("state").as_string() == "CANCELLED");
    BOOST_TEST(over.at("result").is_null());
    BOOST_TEST(over.at("error").is_null());
    BOOST_TEST(end_of(id, waiting).at("state").as_string() == "SUCCEEDED");
}

BOOST_AUTO_TEST_CASE(wrong_jobs_are_refused_and_leave_nothing) {
    const SessionId id = open_idle();
    const auto at = path(id) + "/submit-job";
    const auto empty = post(at, R"({"job": "", "jobType": "pyspark"})");
    BOOST_TEST(empty.result_int() == 400u);
    BOOST_TEST(empty.body() == R"({"msg":"requirement failed: no job provided."})");
    BOOST_TEST(post(at, R"({"jobType": "pyspark"})").result_int() == 400u);
    BOOST_TEST(post(at, R"({"job": "eA==", "jobType": "cobol"})").body() ==
               R"({"msg":"Invalid kind: cobol"})");
    BOOST_TEST(post(at, R"({"job": "eA==", "jobTipe": "pyspark"})").body().find("jobTipe") !=
               std::string::npos);
    BOOST_TEST(post("/sessions/9/submit-job", R"({"job": "eA=="})").body() ==
               R"({"msg":"Session '9' not found."})");
    BOOST_TEST(get(job_path(id, 7)).body() == "\"Job not found\"");
    BOOST_TEST(post(job_path(id, 7) + "/cancel", "").result_int() == 404u);
    const auto statement = execute(id, "1");
    BOOST_TEST(statement == 0);
    BOOST_TEST(get(job_path(id, statement)).result_int() == 404u);
    BOOST_TEST(get(path(id) + "/submit-job").result_int() == 405u);
    BOOST_TEST(get(path(id) + "/jobs/x").result_int() == 400u);
    eventual_post(path(id) + "/stop");
    const auto late = post(at, R"({"job": "eA==", "jobType": "pyspark"})");
    BOOST_TEST(late.result_int() == 500u);
    BOOST_TEST(late.body() == "\"java.lang.IllegalStateException: Session is in state dead\"");
}

BOOST_AUTO_TEST_SUITE_END()
