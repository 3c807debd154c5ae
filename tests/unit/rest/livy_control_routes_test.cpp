// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/session_fixture.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

struct ControlledSessions : StartedSessions {
    std::string state_of(SessionId id) {
        return std::string(body_of(get(path(id) + "/state")).at("state").as_string());
    }
    rest::Response complete(SessionId id, boost::json::object body) {
        return eventual_post(path(id) + "/completion", boost::json::serialize(body));
    }
};

const std::string endless_code = "loop";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_livy_control_routes, ControlledSessions)

BOOST_AUTO_TEST_CASE(a_stopped_session_has_ended_and_stays) {
    const SessionId id = open_idle(R"({"kind": "pyspark", "name": "gold"})");
    execute(id, "1");
    result_of(id, 0);
    const auto stopped = eventual_post("/sessions/gold/stop");
    BOOST_TEST(stopped.result_int() == 204u);
    BOOST_TEST(stopped.body() == "");
    BOOST_TEST(header(stopped, "Content-Length") == "");
    BOOST_TEST(header(stopped, "Content-Type") == "application/json;charset=utf-8");
    BOOST_TEST(state_of(id) == "success");
    BOOST_TEST(body_of(get("/sessions")).at("total").as_int64() == 1);
    BOOST_TEST(body_of(get(path(id, 0))).at("state").as_string() == "available");
    BOOST_TEST(post(path(id) + "/stop", "").result_int() == 204u, "again");
}

BOOST_AUTO_TEST_CASE(an_interrupt_stops_what_runs_and_nothing_else) {
    agents->answer(endless_code, {.endless = true});
    const SessionId id = open_idle();
    execute(id, endless_code);
    execute(id, "after");
    until_running(id, 0);
    const auto interrupted = post(path(id) + "/interrupt", "");
    BOOST_TEST(interrupted.result_int() == 200u);
    BOOST_TEST(interrupted.body() == R"({"msg":"interrupted"})");
    BOOST_TEST(result_of(id, 0).at("state").as_string() == "cancelled");
    BOOST_TEST(result_of(id, 1).at("state").as_string() == "available");
    BOOST_TEST(state_of(id) == "idle");
}

BOOST_AUTO_TEST_CASE(an_interrupt_finds_what_runs_between_what_is_over) {
    agents->answer(endless_code, {.endless = true});
    const SessionId id = open_idle();
    execute(id, endless_code);
    execute(id, "cancelled");
    until_running(id, 0);
    post(path(id, 1) + "/cancel", "");
    result_of(id, 1);
    post(path(id) + "/interrupt", "");
    BOOST_TEST(result_of(id, 0).at("state").as_string() == "cancelled");
}

BOOST_AUTO_TEST_CASE(an_interrupt_of_nothing_changes_nothing) {
    const SessionId id = open_idle();
    BOOST_TEST(post(path(id) + "/interrupt", "").body() == R"({"msg":"interrupted"})");
    BOOST_TEST(state_of(id) == "idle");
}

BOOST_AUTO_TEST_CASE(connect_gives_the_session) {
    const SessionId id = open_idle(R"({"kind": "pyspark", "name": "gold"})");
    const auto connected = post("/sessions/gold/connect", "");
    BOOST_TEST(connected.result_int() == 200u);
    BOOST_TEST(connected.body() == get(path(id)).body());
    BOOST_TEST(header(connected, "Location") == "");
}

BOOST_AUTO_TEST_CASE(connect_counts_as_activity) {
    const SessionId id = open_idle(R"({"kind": "pyspark", "idleTimeout": "60s"})");
    for (int i = 0; i < 3; ++i) {
        advance(45s);
        post(path(id) + "/connect", "");
        BOOST_TEST(state_of(id) == "idle");
    }
    advance(45s);
    BOOST_TEST(state_of(id) == "idle");
    advance(20s);
    BOOST_TEST(state_of(id) != "idle");
}

BOOST_AUTO_TEST_CASE(code_is_completed_at_the_cursor) {
    agents->know_words({"print", "printer", "spark"});
    const SessionId id = open_idle();
    struct Row {
        boost::json::object body;
        std::string answer;
    };
    const std::string both = R"({"candidates":["print","printer"]})";
    const std::string all = R"({"candidates":["print","printer","spark"]})";
    const std::vector<Row> rows{
        {{{"code", "pri"}, {"kind", "pyspark"}, {"cursor", 3}}, both},
        {{{"code", "pri"}, {"kind", "python"}, {"cursor", 99}}, both},
        {{{"code", "pri"}, {"cursor", 3}}, both},
        {{{"code", "pri"}, {"kind", "shared"}, {"cursor", 3}}, both},
        {{{"code", "pri spa"}, {"cursor", 3}}, both},
        {{{"code", "pri"}}, all},
        {{{"code", "pri"}, {"cursor", -5}}, all},
        // an umlaut is one unit, an emoji two, in Java's strings
        {{{"code", "\xC3\xA4 \xF0\x9F\x98\x80 pri spa"}, {"cursor", 8}}, both},
        {{{"code", "x"}, {"cursor", 1}}, R"({"candidates":[]})"},
    };
    for (const Row& row : rows) {
        const auto response = complete(id, row.body);
        BOOST_TEST(response.result_int() == 200u, response.body());
        BOOST_TEST(response.body() == row.answer, boost::json::serialize(row.body));
    }
}

BOOST_AUTO_TEST_CASE(a_completion_that_cannot_be_is_refused) {
    const SessionId shared = open_idle("{}");
    struct Row {
        std::string body;
        std::string answer;
    };
    const std::vector<Row> rows{
        {R"({"code": "x", "cursor": 1})",
         R"({"msg":"Code type should be specified if session kind is shared"})"},
        {R"({"code": "x", "kind": "shared"})",
         R"({"msg":"Code type should be specified if session kind is shared"})"},
        {R"({"code": "x", "kind": "foo"})", R"({"msg":"Invalid kind: foo"})"},
    };
    for (const Row& row : rows) {
        const auto response = post(path(shared) + "/completion", row.body);
        BOOST_TEST(response.result_int() == 400u);
        BOOST_TEST(response.body() == row.answer);
    }
    for (const std::string body : {"", "{", "[]", R"({"codes": "x"})", R"({"cursor": "1"})"}) {
        const auto response = post(path(shared) + "/completion", body);
        BOOST_TEST(response.result_int() == 400u, body);
        BOOST_TEST(body_of(response).is_string(), response.body());
    }
}

BOOST_AUTO_TEST_CASE(code_of_a_session_without_an_agent_is_not_completed) {
    agents->hold("dial");
    const SessionId id = open();
    const std::string body = R"({"code": "x", "cursor": 1})";
    const auto early = post(path(id) + "/completion", body);
    BOOST_TEST(early.result_int() == 503u);
    BOOST_TEST(header(early, "Retry-After") == "1");
    BOOST_TEST(early.body() ==
               R"("java.lang.IllegalStateException: Session is in state starting")");
    agents->let_go("dial");
    eventual_get(path(id) + "/state?wait=300&state=starting");
    eventual_post(path(id) + "/stop");
    const auto late = post(path(id) + "/completion", body);
    BOOST_TEST(late.result_int() == 400u);
    BOOST_TEST(late.body() == R"({"msg":"requirement failed: Session isn't active."})");
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_found_and_other_methods_are_405) {
    for (const std::string action : {"stop", "interrupt", "connect", "completion"}) {
        const auto missing = post("/sessions/7/" + action, "{}");
        BOOST_TEST(missing.result_int() == 404u, action);
        BOOST_TEST(missing.body() == R"({"msg":"Session '7' not found."})");
        const auto wrong = get("/sessions/7/" + action);
        BOOST_TEST(wrong.result_int() == 405u, action);
        BOOST_TEST(header(wrong, "Allow") == "POST");
        BOOST_TEST(!handle(make_request(http::verb::post, "/sessions/7/" + action + "/")));
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rest_site_rules)

BOOST_FIXTURE_TEST_CASE(a_sites_rules_are_told_in_livys_words, WithAgents<RouterFixture>) {
    options.refused_conf = {"spark.master", "spark.secret"};
    options.local_file_roots = {"/data"};
    options.default_conf = {{"spark.site", "1"}};
    start();
    struct Row {
        std::string field;
        std::string words;
    };
    const std::vector<Row> rows{
        {R"("conf": {"spark.secret": "x", "spark.master": "y"})",
         "Rejected, Reason: Blacklisted configuration values in session config: spark.master, "
         "spark.secret"},
        {R"("jars": ["file:/x"])",
         "Rejected, Reason: requirement failed: Local path /x cannot be added to user sessions."},
    };
    for (const std::string object : {"/sessions", "/batches"}) {
        const std::string file = object == "/batches" ? R"("file": "/data/job.py", )" : "";
        for (const Row& row : rows) {
            const auto response = post(object, "{" + file + R"("name": "n", )" + row.field + "}");
            BOOST_TEST(response.result_int() == 400u);
            BOOST_TEST(body_of(response).at("msg").as_string() == row.words);
        }
        const auto made = post(object, "{" + file + R"("name": "n"})");
        BOOST_TEST(header(made, "Location") == object + "/0");
    }
    BOOST_TEST(body_of(get("/sessions/0")).at("conf").at("spark.site").as_string() == "1");
}

BOOST_AUTO_TEST_SUITE_END()
