// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

struct HostWithoutRuntime : RouterFixture {
    HostWithoutRuntime() { RouterFixture::start(); }
};

std::string message_of(const rest::Response& response) {
    return std::string(body_of(response).at("msg").as_string());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_livy_session_routes, StartedSessions)

BOOST_AUTO_TEST_CASE(a_session_is_opened_shown_and_listed) {
    agents->hold("dial");
    const auto made = post("/sessions", R"({"kind": "pyspark", "name": "gold", "proxyUser": "bob",
        "idleTimeout": "30m", "conf": {"spark.my.token": "a-secret-token"}})");
    BOOST_TEST(made.result_int() == 201u);
    BOOST_TEST(header(made, "Location") == "/sessions/0");
    const auto session = body_of(made).as_object();
    BOOST_TEST(session.size() == 23u);
    BOOST_TEST(session.at("state").as_string() == "starting");
    BOOST_TEST(session.at("kind").as_string() == "pyspark");
    BOOST_TEST(session.at("proxyUser").is_null());
    BOOST_TEST(session.at("idleTimeout").as_string() == "30m");
    BOOST_TEST(session.at("conf").at("spark.my.token").as_string() == "*********(redacted)");
    BOOST_TEST(body_of(get("/sessions/0")).at("name").as_string() == "gold");
    BOOST_TEST(get("/sessions/gold").body() == get("/sessions/0").body());
    BOOST_TEST(get("/sessions/gold/state").body() == R"({"id":0,"state":"starting"})");
    BOOST_TEST(get("/sessions/gold/log").body() ==
               R"({"id":0,"from":0,"total":2,"log":["stdout: ","\nstderr: "]})");
    const auto list = body_of(get("/sessions?from=-1"));
    BOOST_TEST(list.at("from").as_int64() == -1);
    BOOST_TEST(list.at("total").as_int64() == 1);
    BOOST_TEST((list.at("sessions").at(0) == body_of(get("/sessions/0"))));
}

BOOST_AUTO_TEST_CASE(times_of_a_session_are_kept_and_shown) {
    const auto made = body_of(post("/sessions", R"({"kind": "pyspark", "ttl": "7200s",
        "heartbeatTimeoutInSecond": 45, "idleTimeout": "1500"})"));
    BOOST_TEST(made.at("ttl").as_string() == "2h");
    BOOST_TEST(made.at("heartbeatTimeoutInSecond").as_int64() == 45);
    BOOST_TEST(made.at("idleTimeout").as_string() == "2s");
    const auto none = body_of(post("/sessions", R"({"heartbeatTimeoutInSecond": 0})"));
    BOOST_TEST(none.at("ttl").is_null());
    BOOST_TEST(none.at("heartbeatTimeoutInSecond").as_int64() == 0);
    const auto refused = post("/sessions", R"({"ttl": "0"})");
    BOOST_TEST(refused.result_int() == 400u);
    BOOST_TEST(message_of(refused) ==
               "Rejected, Reason: requirement failed: ttl: must be greater "
               "than zero and at most 100 years");
}

BOOST_AUTO_TEST_CASE(a_session_that_nobody_asks_for_is_gone) {
    const SessionId id = open_idle(R"({"kind": "pyspark", "heartbeatTimeoutInSecond": 60})");
    for (int i = 0; i < 3; ++i) {
        advance(45s);
        BOOST_TEST(get(path(id) + "/log").result_int() == 200u);
    }
    advance(45s);
    get("/sessions");  // names nobody
    advance(20s);
    eventually([&] { return body_of(get("/sessions")).at("total").as_int64() == 0; });
    BOOST_TEST(get(path(id)).result_int() == 404u);
}

BOOST_AUTO_TEST_CASE(the_version_is_the_etag_on_every_route_of_one_session) {
    const SessionId id = open_idle();
    const std::string tag = header(get(path(id)), "ETag");
    BOOST_TEST(tag != "");
    for (const std::string& target : {path(id), path(id) + "/state"}) {
        BOOST_TEST(header(get(target), "ETag") == tag, target);
        BOOST_TEST(get(target, {{"If-None-Match", tag}}).result_int() == 304u, target);
    }
    execute(id, "1");
    BOOST_TEST(get(path(id), {{"If-None-Match", tag}}).result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(states_of_a_session_can_be_waited_away) {
    agents->hold("ready");
    const SessionId id = open();
    auto pending = begin_get(path(id) + "/state?wait=300&state=starting");
    BOOST_TEST(!pending->done);
    agents->let_go("ready");
    eventually([&] { return pending->done; });
    BOOST_TEST(pending->response->body() == R"({"id":0,"state":"idle"})");
    agents->hold("statement");
    execute(id, "1");
    BOOST_TEST(get(path(id) + "/state").body() == R"({"id":0,"state":"busy"})");
    BOOST_TEST(get(path(id) + "?wait=1&state=running").result_int() == 400u);
}

BOOST_AUTO_TEST_CASE(facts_of_the_agent_are_shown) {
    const auto session = body_of(get(path(open_idle())));
    BOOST_TEST(session.at("state").as_string() == "idle");
    BOOST_TEST(session.at("appId").as_string() != "");
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_for_a_session_is_answered_with_the_moment) {
    agents->hold("dial");
    const SessionId id = open();
    auto pending = begin_get(path(id) + "/state?wait=300&state=starting");
    BOOST_TEST(!pending->done);
    pending->cancel.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST_REQUIRE(pending->done);
    BOOST_TEST(pending->response->body() == R"({"id":0,"state":"starting"})");
}

BOOST_AUTO_TEST_CASE(a_key_makes_one_session_of_two_requests) {
    const std::string body = R"({"kind": "pyspark"})";
    BOOST_TEST(header(post("/sessions", body, {{"Idempotency-Key", "k"}}), "Location") ==
               "/sessions/0");
    BOOST_TEST(header(post("/sessions", body, {{"Idempotency-Key", "k"}}), "Location") ==
               "/sessions/0");
    const auto retried = post("/sessions?maxAttempts=2", body);
    BOOST_TEST(retried.result_int() == 400u);
    BOOST_TEST(retried.body().find("retry") != std::string::npos);
    BOOST_TEST(post("/sessions", R"({"kind": "sql"})", {{"Idempotency-Key", "k"}}).result_int() ==
               422u);
}

BOOST_AUTO_TEST_CASE(requests_that_break_a_rule_are_refused_in_livys_words) {
    open(R"({"kind": "pyspark", "name": "gold"})");
    struct Row {
        std::string target;
        std::string body;
        std::string words;
    };
    const std::vector<Row> rows{
        {"/sessions", R"({"name": "gold"})",
         "Rejected, Reason: Duplicate session name: Some(gold) for session 0"},
        {"/sessions", R"({"name": ""})", "Rejected, Reason: Invalid session name: "},
        {"/sessions", R"({"name": "123"})", "Rejected, Reason: Invalid session name: 123"},
        {"/sessions", R"({"idleTimeout": "abc"})", "Rejected, Reason: Invalid time string: abc"},
        {"/sessions", R"({"ttl": "1x"})", "Rejected, Reason: Invalid suffix: \"x\""},
        {"/sessions", R"({"ttl": "-1"})", "Rejected, Reason: Invalid value: -1"},
    };
    for (const Row& row : rows) {
        const auto response = post(row.target, row.body);
        BOOST_TEST(response.result_int() == 400u, row.body);
        BOOST_TEST(message_of(response) == row.words);
    }
    for (const std::string kind : {"spark", "r"}) {
        const auto response = post("/sessions", "{\"kind\": \"" + kind + "\"}");
        BOOST_TEST(response.result_int() == 400u, kind);
        BOOST_TEST(message_of(response).starts_with("Rejected, Reason: requirement failed: kind"));
    }
    BOOST_TEST(message_of(post("/sessions?backend=none", "{}")).starts_with("Rejected, Reason: "));
    for (const std::string body : {R"({"kind": "foo"})", R"({"foo": 1})", "{", "null"}) {
        const auto response = post("/sessions", body);
        BOOST_TEST(response.result_int() == 400u, body);
        BOOST_TEST(body_of(response).is_string(), body);
    }
    BOOST_TEST(post("/sessions", "{}", {{"Content-Encoding", "gzip"}}).result_int() == 415u);
    BOOST_TEST(body_of(get("/sessions")).at("total").as_int64() == 1);
}

BOOST_AUTO_TEST_CASE(a_session_is_deleted_when_it_has_ended) {
    const SessionId id = open_idle();
    const auto gone = eventual(make_request(http::verb::delete_, path(id)));
    BOOST_TEST(gone.body() == R"({"msg":"deleted"})");
    for (const std::string rest : {"", "/state", "/log", "/statements", "/statements/0"}) {
        const auto response = get(path(id) + rest);
        BOOST_TEST(response.result_int() == 404u, rest);
        BOOST_TEST(response.body() == R"({"msg":"Session '0' not found."})", rest);
    }
    BOOST_TEST(answer(http::verb::delete_, path(id)).result_int() == 404u);
    BOOST_TEST(post(path(id) + "/statements", R"({"code": "1"})").result_int() == 404u);
    BOOST_TEST(post(path(id, 0) + "/cancel", "").result_int() == 404u);
}

BOOST_FIXTURE_TEST_CASE(too_many_sessions_are_refused_as_in_livy, WithAgents<RouterFixture>) {
    options.max_sessions = 1;
    start();
    open();
    const auto response = post("/sessions", "{}");
    BOOST_TEST(response.result_int() == 400u);
    BOOST_TEST(header(response, "Retry-After") == "5");
    BOOST_TEST(message_of(response) == "Rejected, too many sessions are being created!");
}

BOOST_FIXTURE_TEST_CASE(a_host_without_a_runtime_has_no_sessions, HostWithoutRuntime) {
    BOOST_TEST(post("/sessions", "{}").result_int() == 400u);
    BOOST_TEST(get("/sessions").body() == R"({"from":0,"total":0,"sessions":[]})");
    BOOST_TEST(get("/sessions/0").result_int() == 404u);
}

BOOST_AUTO_TEST_SUITE_END()
