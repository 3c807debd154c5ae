// SPDX-License-Identifier: Apache-2.0
#include "rest/responses.hpp"

#include "rest/livy_batch.hpp"
#include "rest/livy_json.hpp"

#include <boost/asio/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::detail::rest;

namespace {

std::string field(const Response& response, const std::string& name) {
    const auto found = response.find(name);
    return found == response.end() ? "" : std::string(found->value());
}

std::string message(const Error& error) {
    const auto response = error_response(Dialect::livy, error);
    return std::string(boost::json::parse(response.body()).at("msg").as_string());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_responses)

BOOST_AUTO_TEST_CASE(each_shape_of_error_has_its_type_and_body) {
    const auto object = message_response(http::status::not_found, "a \"b\"\n'c'");
    BOOST_TEST(object.result_int() == 404u);
    BOOST_TEST(field(object, "Content-Type") == "application/json;charset=utf-8");
    BOOST_TEST(object.body() == R"({"msg":"a \"b\"\n'c'"})");
    const auto bare = string_response(http::status::bad_request, "a \"b\"");
    BOOST_TEST(field(bare, "Content-Type") == "application/json;charset=utf-8");
    BOOST_TEST(bare.body() == R"("a \"b\"")");
    const auto problem = problem_response(http::status::conflict, "taken", "name");
    BOOST_TEST(field(problem, "Content-Type") == "application/problem+json");
    BOOST_TEST(problem.body() == R"({"type":"about:blank","title":"Conflict","status":409,)"
                                 R"("detail":"taken","field":"name"})");
    BOOST_TEST(problem_response(http::status::gone, "x").body().find("field") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_dialect_chooses_the_shape) {
    const auto type = [](Dialect dialect) {
        return field(dialect_response(dialect, http::status::bad_request, "x"), "Content-Type");
    };
    BOOST_TEST(type(Dialect::native) == "application/problem+json");
    BOOST_TEST(type(Dialect::livy) == "application/json;charset=utf-8");
    BOOST_TEST(type(Dialect::plain) == "application/json;charset=utf-8");
}

BOOST_AUTO_TEST_CASE(errors_say_what_to_do) {
    BOOST_TEST(message(Errc::stopped) ==
               "The server is shutting down; send the request again later.");
    BOOST_TEST(message(Error(boost::asio::error::operation_aborted)) == message(Errc::stopped));
    BOOST_TEST(message(Error(Errc::storage_failed, "disk full")).find("nothing has been changed") !=
               std::string::npos);
    BOOST_TEST(message(Errc::indeterminate).find("same Idempotency-Key") != std::string::npos);
    BOOST_TEST(message(Error(Errc::rejected, "the queue is full")) ==
               "Rejected, too many sessions are being created!");
    BOOST_TEST(message(Error(Errc::invalid_argument, "must be at least 1", "numExecutors")) ==
               "numExecutors: must be at least 1");
    BOOST_TEST(message(Error(Errc::backend_failed, "no route to the cluster")) ==
               "no route to the cluster");
}

BOOST_AUTO_TEST_CASE(native_errors_tell_field_and_detail_apart) {
    const auto response = error_response(
        Dialect::native, Error(Errc::invalid_argument, "must be at least 1", "numExecutors"));
    const auto problem = boost::json::parse(response.body());
    BOOST_TEST(problem.at("detail").as_string() == "must be at least 1");
    BOOST_TEST(problem.at("field").as_string() == "numExecutors");
    const auto rejected =
        error_response(Dialect::native, Error(Errc::rejected, "the queue is full"));
    BOOST_TEST(rejected.result_int() == 429u);
    BOOST_TEST(field(rejected, "Retry-After") == "5");
    BOOST_TEST(boost::json::parse(rejected.body()).at("detail").as_string() == "the queue is full");
}

BOOST_AUTO_TEST_CASE(only_what_may_succeed_later_has_retry_after) {
    BOOST_TEST(field(error_response(Dialect::livy, Errc::stopped), "Retry-After") == "5");
    BOOST_TEST(field(error_response(Dialect::livy, Errc::not_found), "Retry-After") == "");
    BOOST_TEST(field(error_response(Dialect::livy, Errc::invalid_argument), "Retry-After") == "");
}

BOOST_AUTO_TEST_CASE(finishing_sets_the_length_and_keeps_it_for_head) {
    auto response = make_response(http::status::ok, "text/plain", "four");
    finish(response, false);
    BOOST_TEST(field(response, "Content-Length") == "4");
    BOOST_TEST(response.body() == "four");
    finish(response, true);
    BOOST_TEST(field(response, "Content-Length") == "4");
    BOOST_TEST(response.body() == "");
    Response unchanged{http::status::not_modified, 11};
    finish(unchanged, false);
    BOOST_TEST(field(unchanged, "Content-Length") == "");
    BOOST_TEST(field(unchanged, "X-Frame-Options") == "SAMEORIGIN");
}

BOOST_AUTO_TEST_CASE(tags_are_quoted) {
    Response response;
    set_etag(response, 42);
    BOOST_TEST(field(response, "ETag") == "\"42\"");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rest_livy_batch)

BOOST_AUTO_TEST_CASE(a_batch_has_livys_keys_in_livys_order) {
    LivyBatch batch;
    batch.record.id = BatchId{3};
    batch.record.spec.name = "n\"x";
    batch.record.spec.owner = "ann";
    batch.record.spec.proxy_user = "bob";
    batch.record.phase = BatchPhase::running;
    batch.record.application_id = "app-1";
    batch.record.ui_url = "http://driver:4040";
    batch.log = {"stdout: ", "\ttab \xC3\xA9", "\nstderr: "};
    BOOST_TEST(livy_batch_json(batch) ==
               "{\"id\":3,\"name\":\"n\\\"x\",\"owner\":\"ann\",\"proxyUser\":\"bob\","
               "\"state\":\"running\",\"appId\":\"app-1\",\"appInfo\":{\"driverLogUrl\":null,"
               "\"sparkUiUrl\":\"http://driver:4040\",\"executorLogUrls\":null},"
               "\"log\":[\"stdout: \",\"\\ttab \xC3\xA9\",\"\\nstderr: \"]}");
}

BOOST_AUTO_TEST_CASE(every_state_has_livys_word) {
    BatchRecord record;
    record.id = BatchId{1};
    const auto state = [&record](BatchPhase phase, Outcome outcome) {
        record.phase = phase;
        record.outcome = outcome;
        return livy_state_json(record.id.value, to_string(record.state()));
    };
    for (const auto phase : {BatchPhase::accepted, BatchPhase::reserved, BatchPhase::submitted}) {
        BOOST_TEST(state(phase, Outcome::none) == R"({"id":1,"state":"starting"})");
    }
    BOOST_TEST(state(BatchPhase::running, Outcome::none) == R"({"id":1,"state":"running"})");
    for (const auto phase : {BatchPhase::ended, BatchPhase::released}) {
        BOOST_TEST(state(phase, Outcome::success) == R"({"id":1,"state":"success"})");
        BOOST_TEST(state(phase, Outcome::failed) == R"({"id":1,"state":"dead"})");
        BOOST_TEST(state(phase, Outcome::unknown) == R"({"id":1,"state":"dead"})");
        BOOST_TEST(state(phase, Outcome::killed) == R"({"id":1,"state":"killed"})");
    }
}

BOOST_AUTO_TEST_CASE(lists_and_logs_have_livys_keys) {
    using livy_json::ListText;
    BOOST_TEST(ListText(-5, 7).finish() == R"({"from":-5,"total":7,"sessions":[]})");
    ListText list(0, 2);
    list.add(R"({"id":1})");
    list.add(R"({"id":2})");
    BOOST_TEST(std::move(list).finish() ==
               R"({"from":0,"total":2,"sessions":[{"id":1},{"id":2}]})");
    LogView view;
    view.from = 2;
    view.total = 9;
    view.lines = {"a", ""};
    BOOST_TEST(livy_log_json(4, view) == R"({"id":4,"from":2,"total":9,"log":["a",""]})");
}

BOOST_AUTO_TEST_SUITE_END()
