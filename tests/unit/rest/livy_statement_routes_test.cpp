// SPDX-License-Identifier: Apache-2.0
#include "unit/rest/session_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::rest_test;

namespace {

struct StartedStatements : WithAgents<RouterFixture> {
    StartedStatements() { start(); }

    void hang_on(const std::string& code) {
        FakeStatement statement;
        statement.endless = true;
        agents->answer(code, statement);
    }
};

std::string complaint_of(const rest::Response& response) {
    return std::string(body_of(response).at("msg").as_string());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rest_livy_statement_routes, StartedStatements)

BOOST_AUTO_TEST_CASE(code_is_accepted_run_and_shown) {
    const SessionId id = open_idle();
    const auto made = post(path(id) + "/statements", R"({"code": "1\r\n+1"})");
    BOOST_TEST(made.result_int() == 201u);
    BOOST_TEST(header(made, "Location") == "/sessions/0/statements/0");
    BOOST_TEST(header(made, "ETag") != "");
    BOOST_TEST(made.body().starts_with(R"({"id":0,"code":"1\n+1","state":)"));
    const auto statement = result_of(id, 0);
    BOOST_TEST(statement.at("state").as_string() == "available");
    BOOST_TEST(statement.at("output").at("status").as_string() == "ok");
    BOOST_TEST(statement.at("output").at("data").at("text/plain").as_string() == "1\n+1");
    BOOST_TEST(statement.at("progress").as_double() == 1.0);
    BOOST_TEST(statement.at("completed").as_int64() > 0);
}

BOOST_AUTO_TEST_CASE(the_same_idempotency_key_gives_the_same_statement) {
    const SessionId id = open_idle();
    const std::string target = path(id) + "/statements";
    const std::string body = R"({"code": "1"})";
    const auto first = post(target, body, {{"Idempotency-Key", "k"}});
    BOOST_TEST(first.result_int() == 201u);
    result_of(id, 0);
    const auto again = post(target, body, {{"Idempotency-Key", "k"}});
    BOOST_TEST(again.result_int() == 201u);
    BOOST_TEST(header(again, "Location") == header(first, "Location"));
    BOOST_TEST(body_of(again).at("id").as_int64() == 0);
    BOOST_TEST(body_of(again).at("state").as_string() == "available");
    const auto other = post(target, R"({"code": "2"})", {{"Idempotency-Key", "k"}});
    BOOST_TEST(other.result_int() == 422u);
    BOOST_TEST(complaint_of(other).find("idempotency_key") != std::string::npos);
    BOOST_TEST(header(post(target, body), "Location") == path(id, 1));
    ask(host().sessions().close(id)).value();
    BOOST_TEST(header(post(target, body, {{"Idempotency-Key", "k"}}), "Location") == path(id, 0));
}

BOOST_AUTO_TEST_CASE(malformed_idempotency_keys_are_refused_wherever_something_is_made) {
    const SessionId id = open_idle();
    for (const auto& [target, body] :
         {std::pair<std::string, std::string>{path(id) + "/statements", R"({"code": "1"})"},
          {path(id) + "/submit-job", R"({"job": "am9i"})"},
          {path(id) + "/run-job", R"({"job": "am9i"})"},
          {"/batches", R"({"file": "/x.py"})"},
          {"/sessions", R"({"kind": "pyspark"})"}}) {
        for (const auto& key : {std::string(257, 'k'), std::string("a\tb")}) {
            const auto answer = post(target, body, {{"Idempotency-Key", key}});
            BOOST_TEST(answer.result_int() == 400u, target);
            BOOST_TEST(complaint_of(answer).find("idempotency_key") != std::string::npos,
                       answer.body());
        }
    }
    BOOST_TEST(ask(host().list({})).value().total == 0);
    BOOST_TEST(ask(host().sessions().list({})).value().total == 1);
}

BOOST_AUTO_TEST_CASE(code_posted_while_the_session_is_starting_waits) {
    agents->hold("dial");
    const SessionId id = open();
    execute(id, "1");
    BOOST_TEST(get(path(id, 0)).body() ==
               R"({"id":0,"code":"1","state":"waiting","output":null,"progress":0.0,)"
               R"("started":0,"completed":0})");
    agents->let_go("dial");
    BOOST_TEST(result_of(id, 0).at("state").as_string() == "available");
}

BOOST_AUTO_TEST_CASE(output_stands_before_the_echo) {
    FakeStatement statement;
    statement.output = {{OutputStream::standard_output, "a\n"},
                        {OutputStream::standard_error, "b\n"}};
    statement.result.data = {{"text/plain", "3"}};
    agents->answer("print", statement);
    const SessionId id = open_idle();
    const auto result = result_of(id, execute(id, "print"));
    BOOST_TEST(result.at("output").at("data").at("text/plain").as_string() == "a\nb\n3");
}

BOOST_AUTO_TEST_CASE(a_kind_is_the_statements_or_the_sessions) {
    FakeStatement table;
    table.result.data = {{"application/json", R"({"data": [[1.50]]})"}};
    agents->answer("select", table);
    const auto data = [&](const std::string& session, const std::string& kind) {
        const SessionId id = open_idle("{\"kind\": \"" + session + "\"}");
        const auto number = execute(id, "select", kind);
        result_of(id, number);
        const std::string body = get(path(id, number)).body();
        const auto begin = body.find("\"data\":") + 7;
        const std::string alone = body.substr(begin, body.find("},\"progress\"") - begin);
        const std::string list = get(path(id) + "/statements").body();
        BOOST_TEST(list.find(alone) != std::string::npos);
        return alone;
    };
    BOOST_TEST(data("sql", "") == R"({"application/json":{"data":[[1.50]]}})");
    BOOST_TEST(data("shared", "sql") == R"({"application/json":{"data":[[1.50]]}})");
    BOOST_TEST(data("pyspark", "sql") == R"({"application/json":{"data":[[1.50]]}})");
    BOOST_TEST(data("pyspark", "") == R"({"application/json":{"data":[[1.50]]}})");
}

BOOST_AUTO_TEST_CASE(statements_are_listed_in_either_order) {
    const SessionId id = open_idle();
    BOOST_TEST(get(path(id) + "/statements").body() == R"({"total_statements":0,"statements":[]})");
    for (const std::string code : {"a", "b", "c"}) {
        result_of(id, execute(id, code));
    }
    const auto ids = [&](const std::string& query) {
        const auto list = body_of(get(path(id) + "/statements" + query));
        BOOST_TEST(list.at("total_statements").as_int64() == 3);
        std::string text;
        for (const auto& statement : list.at("statements").as_array()) {
            text += std::to_string(statement.at("id").as_int64());
        }
        return text;
    };
    BOOST_TEST(ids("") == "012");
    BOOST_TEST(ids("?from=1") == "12");
    BOOST_TEST(ids("?size=2") == "01");
    BOOST_TEST(ids("?from=1000") == "");
    BOOST_TEST(ids("?size=-1") == "");
    BOOST_TEST(ids("?order=desc") == "210");
    BOOST_TEST(ids("?order=%20DESC%20&from=1&size=1") == "1");
    BOOST_TEST(ids("?order=asc") == "012");
    BOOST_TEST(get(path(id) + "/statements?size=x").result_int() == 400u);
}

BOOST_AUTO_TEST_CASE(jobs_are_no_statements) {
    const SessionId id = open_idle();
    execute(id, "zero");
    StatementSpec job;
    job.job = true;
    job.code = "am9i";
    BOOST_TEST_REQUIRE(ask(host().sessions().execute(id, job)).value().spec.id.value == 1);
    execute(id, "two");
    result_of(id, 2);
    const auto list = body_of(get(path(id) + "/statements"));
    BOOST_TEST(list.at("total_statements").as_int64() == 2);
    BOOST_TEST(list.at("statements").as_array().size() == 2u);
    BOOST_TEST(list.at("statements").at(1).at("id").as_int64() == 2);
    for (const auto& response : {get(path(id, 1)), post(path(id, 1) + "/cancel", "")}) {
        BOOST_TEST(response.result_int() == 404u);
        BOOST_TEST(response.body() == R"("Statement not found")");
    }
}

BOOST_AUTO_TEST_CASE(a_statement_can_be_waited_for) {
    hang_on("loop");
    const SessionId id = open_idle();
    execute(id, "loop");
    until_running(id, 0);
    const auto seen = header(get(path(id, 0)), "ETag");
    BOOST_TEST(get(path(id, 0), {{"If-None-Match", seen}}).result_int() == 304u);
    auto by_tag = begin_get(path(id, 0) + "?wait=300", {{"If-None-Match", seen}});
    auto by_state = begin_get(path(id, 0) + "?wait=300&state=running");
    BOOST_TEST(!by_tag->done);
    BOOST_TEST(!by_state->done);
    agents->finish(id, {});
    eventually([&] { return by_tag->done && by_state->done; });
    BOOST_TEST(by_tag->response->result_int() == 200u);
    BOOST_TEST(body_of(*by_state->response).at("state").as_string() == "available");
    BOOST_TEST(get(path(id, 0) + "?wait=1&state=idle").result_int() == 400u);
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_for_a_statement_is_answered_with_the_moment) {
    hang_on("loop");
    const SessionId id = open_idle();
    execute(id, "loop");
    until_running(id, 0);
    auto pending = begin_get(path(id, 0) + "?wait=300&state=running");
    pending->cancel.emit(asio::cancellation_type::terminal);
    settle();
    BOOST_TEST_REQUIRE(pending->done);
    BOOST_TEST(body_of(*pending->response).at("state").as_string() == "running");
}

BOOST_AUTO_TEST_CASE(a_statement_is_cancelled_and_no_other) {
    hang_on("loop");
    const SessionId id = open_idle();
    execute(id, "loop");
    execute(id, "after");
    until_running(id, 0);
    BOOST_TEST(post(path(id, 0) + "/cancel", "").body() == R"({"msg":"canceled"})");
    BOOST_TEST(result_of(id, 0).at("state").as_string() == "cancelled");
    BOOST_TEST(result_of(id, 1).at("state").as_string() == "available");
    BOOST_TEST(post(path(id, 1) + "/cancel", "").body() == R"({"msg":"canceled"})");
    BOOST_TEST(result_of(id, 1).at("state").as_string() == "available");
}

BOOST_AUTO_TEST_CASE(a_cancelled_statement_that_never_ran_has_no_output) {
    hang_on("loop");
    const SessionId id = open_idle();
    execute(id, "loop");
    until_running(id, 0);
    execute(id, "2+2");
    post(path(id, 1) + "/cancel", "");
    result_of(id, 1);
    BOOST_TEST(get(path(id, 1)).body() ==
               R"({"id":1,"code":"2+2","state":"cancelled","output":null,"progress":1.0,)"
               R"("started":0,"completed":0})");
}

BOOST_AUTO_TEST_CASE(a_cancel_may_end_the_session_in_time) {
    FakeStatement stubborn;
    stubborn.endless = true;
    stubborn.swallows_interrupts = true;
    agents->answer("loop", stubborn);
    const SessionId id = open_idle();
    execute(id, "loop");
    until_running(id, 0);
    BOOST_TEST(post(path(id, 0) + "/cancel?endSessionAfter=x", "").result_int() == 400u);
    BOOST_TEST(post(path(id, 0) + "/cancel?endSessionAfter=0", "").result_int() == 200u);
    BOOST_TEST(result_of(id, 0).at("state").as_string() == "cancelled");
    eventual_get(path(id) + "?wait=300&state=busy");
    eventual_get(path(id) + "?wait=300&state=idle");
    eventual_get(path(id) + "?wait=300&state=shutting_down");
    BOOST_TEST(body_of(get(path(id))).at("state").as_string() == "dead");
}

BOOST_AUTO_TEST_CASE(a_session_that_has_ended_takes_no_code_and_keeps_its_statements) {
    const SessionId id = open_idle();
    result_of(id, execute(id, "1"));
    agents->crash(id);
    eventual_get(path(id) + "?wait=300&state=idle");
    const auto refused = post(path(id) + "/statements", R"({"code": "1"})");
    BOOST_TEST(refused.result_int() == 500u);
    BOOST_TEST(refused.body() == "\"java.lang.IllegalStateException: Session is in state dead\"");
    BOOST_TEST(body_of(get(path(id, 0))).at("state").as_string() == "available");
    BOOST_TEST(body_of(get(path(id) + "/statements")).at("total_statements").as_int64() == 1);
    BOOST_TEST(post(path(id, 0) + "/cancel", "").result_int() == 200u);
}

BOOST_AUTO_TEST_CASE(what_does_not_exist_is_404_in_livys_two_shapes) {
    const SessionId id = open_idle();
    for (const std::string rest : {"", "?wait=1&state=running", "?stream=1"}) {
        const auto response = get(path(id, 9999) + rest);
        BOOST_TEST(response.result_int() == 404u, rest);
        BOOST_TEST(response.body() == R"("Statement not found")", rest);
    }
    BOOST_TEST(post(path(id, 9) + "/cancel", "").body() == R"("Statement not found")");
    BOOST_TEST(get("/sessions/none/statements/0").body() ==
               R"({"msg":"Session 'none' not found."})");
    BOOST_TEST(get("/sessions/0/statements/x").body() == R"({"msg":"For input string: \"x\""})");
}

BOOST_AUTO_TEST_CASE(code_that_cannot_be_run_is_refused) {
    const std::string shared = path(open(R"({"kind": "shared"})")) + "/statements";
    const std::string python = path(open()) + "/statements";
    struct Row {
        std::string target;
        std::string body;
        std::string words;
    };
    const std::vector<Row> rows{
        {shared, R"({"code": "1"})", "Code type should be specified if session kind is shared"},
        {shared, R"({"code": "1", "kind": "shared"})",
         "Code type should be specified if session kind is shared"},
        {python, R"({"code": "1", "kind": "foo"})", "Invalid kind: foo"},
        {python, R"({})", "requirement failed: Code is required."},
    };
    for (const Row& row : rows) {
        const auto response = post(row.target, row.body);
        BOOST_TEST(response.result_int() == 400u, row.body);
        BOOST_TEST(complaint_of(response) == row.words);
    }
    BOOST_TEST(post(python, R"({"code": "1", "kind": "spark"})").result_int() == 400u);
    const auto unknown = post(python, R"({"code": "1", "zzz": 1})");
    BOOST_TEST(unknown.result_int() == 400u);
    BOOST_TEST(body_of(unknown).is_string());
    BOOST_TEST(post(python, "{}", {{"Content-Encoding", "gzip"}}).result_int() == 415u);
}

BOOST_AUTO_TEST_CASE(who_cannot_stream_is_told_so) {
    const SessionId id = open_idle();
    execute(id, "1");
    BOOST_TEST(get(path(id, 0) + "?stream=1").result_int() == 501u);
    BOOST_TEST(get(path(id, 0) + "?stream=0").result_int() == 200u);
    BOOST_TEST(get(path(id, 0) + "?stream=yes").result_int() == 400u);
    BOOST_TEST(get(path(id, 0) + "?stream=1&position=x").result_int() == 400u);
}

BOOST_FIXTURE_TEST_CASE(too_many_waiting_statements_are_refused, WithAgents<RouterFixture>) {
    options.max_statements = 1;
    start();
    agents->hold("dial");
    const SessionId id = open();
    execute(id, "1");
    const auto response = post(path(id) + "/statements", R"({"code": "2"})");
    BOOST_TEST(response.result_int() == 400u);
    BOOST_TEST(header(response, "Retry-After") == "5");
    BOOST_TEST(complaint_of(response) == "Rejected, too many statements are waiting!");
}

BOOST_AUTO_TEST_SUITE_END()
