// SPDX-License-Identifier: Apache-2.0

// Makes the statements that a real Livy server has shown, and compares them.

#include "rest/livy_session.hpp"

#include "support/printing.hpp"
#include "unit/rest/recorded_exchange.hpp"

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::detail::rest;
using sparkhost::rest_test::recorded;

namespace {

/// The statement of a recorded answer, without its result.
StatementRecord statement_of(const boost::json::value& shown) {
    StatementRecord record;
    record.spec.id = StatementId{shown.at("id").as_int64()};
    record.spec.code = shown.at("code").as_string();
    record.spec.kind = "pyspark";
    const auto time = [&shown](const char* name) {
        const auto count = shown.at(name).as_int64();
        return count == 0 ? std::optional<Timestamp>()
                          : std::optional<Timestamp>(Timestamp(std::chrono::milliseconds(count)));
    };
    record.started = time("started");
    record.completed = time("completed");
    return record;
}

void same_statement(const std::string& name, StatementRecord record) {
    BOOST_TEST(livy_statement_json(record) == recorded(name).body, name);
}

StatementRecord recorded_statement(const std::string& name) {
    return statement_of(boost::json::parse(recorded(name).body));
}

StatementResult good_result(std::map<std::string, std::string> data) {
    StatementResult result;
    result.data = std::move(data);
    return result;
}

StatementResult bad_result(std::string name, std::string value,
                           std::vector<std::string> traceback) {
    StatementResult result;
    result.outcome = StatementOutcome::error;
    result.error_name = std::move(name);
    result.error_value = std::move(value);
    result.traceback = std::move(traceback);
    return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_livy_golden_statement)

BOOST_AUTO_TEST_CASE(statements_on_their_way_are_livys) {
    for (const char* name : {"stmt-post-py-expr", "stmt-running", "stmt-queued-waiting"}) {
        same_statement(name, recorded_statement(name));
    }
    auto cancelling = recorded_statement("stmt-cancelling");
    cancelling.cancel_requested = true;
    same_statement("stmt-cancelling", cancelling);
}

BOOST_AUTO_TEST_CASE(results_are_livys) {
    struct Row {
        std::string name;
        std::string written;
        StatementResult result;
    };
    const std::vector<Row> rows{
        {"stmt-result-py-expr", "", good_result({{"text/plain", "2"}})},
        {"stmt-result-py-print-and-expr", "a\nb\n", good_result({{"text/plain", "3"}})},
        {"stmt-result-py-assign-empty", "", good_result({})},
        {"stmt-result-py-show", "+---+\n| id|\n+---+\n|  0|\n|  1|\n|  2|\n+---+\n\n",
         good_result({})},
        {"stmt-result-py-unicode", "", good_result({{"text/plain", "'\xE4\xBD\xA0\xE5\xA5\xBD'"}})},
        {"stmt-result-py-zerodiv", "",
         bad_result(
             "ZeroDivisionError", "division by zero",
             {"Traceback (most recent call last):\n", "ZeroDivisionError: division by zero\n"})},
        {"stmt-result-py-traceback", "",
         bad_result("ValueError", "msg\xC3\xA9",
                    {"Traceback (most recent call last):\n", "  File \"<stdin>\", line 4, in g\n",
                     "  File \"<stdin>\", line 2, in f\n", "ValueError: msg\xC3\xA9\n"})},
    };
    for (const Row& row : rows) {
        auto record = recorded_statement(row.name);
        record.output = {{OutputStream::standard_output, row.written}};
        record.result = row.result;
        same_statement(row.name, record);
    }
}

BOOST_AUTO_TEST_CASE(results_of_scala_are_livys) {
    struct Row {
        std::string name;
        std::string written;
        StatementResult result;
    };
    const std::vector<Row> rows{
        {"stmt-result-scala-expr", "", good_result({{"text/plain", "res0: Int = 2\n"}})},
        {"stmt-result-scala-multi", "x: Int = 1\ny: Int = 2\n",
         good_result({{"text/plain", "res1: Int = 3\n"}})},
        {"stmt-result-scala-println", "hi\n", good_result({{"text/plain", "res2: Int = 5\n"}})},
        {"stmt-result-scala-comment", "", good_result({})},
        {"stmt-result-scala-closure", "",
         good_result({{"text/plain", "res0: Double = 10100.0\n"}})},
        {"stmt-result-scala-error", "",
         bad_result("Error", "<console>:23: error: not found: value abcde",
                    {"       abcde\n", "       ^\n"})},
        {"stmt-result-scala-incomplete", "", bad_result("Error", "incomplete statement", {})},
        {"stmt-result-scala-magic-json", "", bad_result("NameError", "Value a does not exist", {})},
        {"stmt-result-scala-magic-json-ok",
         "m: scala.collection.immutable.Map[String,Int] = Map(a -> 1)\n",
         good_result({{"application/json", R"({"a":1})"}})},
        {"stmt-result-scala-magic-table", "a: Seq[(Int, String)] = List((1,a), (2,b))\n",
         good_result({{"application/vnd.livy.table.v1+json",
                       R"({"headers":[{"type":"BIGINT_TYPE","name":"_1"},)"
                       R"({"type":"STRING_TYPE","name":"_2"}],"data":[[1,"a"],[2,"b"]]})"}})},
    };
    for (const Row& row : rows) {
        auto record = recorded_statement(row.name);
        record.spec.kind = "spark";
        record.output = {{OutputStream::standard_output, row.written}};
        record.result = row.result;
        same_statement(row.name, record);
    }
}

BOOST_AUTO_TEST_CASE(of_what_scala_writes_to_standard_error_only_our_notes_are_shown) {
    auto record = recorded_statement("stmt-result-scala-println");
    record.spec.kind = "spark";
    record.output = {{OutputStream::standard_error, "Exception in thread\n"},
                     {OutputStream::standard_output, "hi\n"},
                     {OutputStream::standard_error, "[sparkhost: 9 bytes of output were cut]\n"}};
    record.result = good_result({{"text/plain", "res2: Int = 5\n"}});
    const auto shown = boost::json::parse(livy_statement_json(record));
    BOOST_TEST(shown.at("output").at("data").at("text/plain").as_string() ==
               "hi\n[sparkhost: 9 bytes of output were cut]\nres2: Int = 5\n");
}

BOOST_AUTO_TEST_CASE(tables_are_livys) {
    auto simple = recorded_statement("stmt-result-sql-simple");
    simple.spec.kind = "sql";
    simple.result =
        good_result({{"application/json",
                      R"({"schema": {"type": "struct", "fields": [{"name": "a", "type": )"
                      R"("integer", "nullable": false, "metadata": {}}]}, "data": [[1]]})"}});
    same_statement("stmt-result-sql-simple", simple);
    auto view = recorded_statement("stmt-result-sql-create-view");
    view.spec.kind = "sql";
    view.result = good_result(
        {{"application/json", R"({"schema": {"type": "struct", "fields": []}, "data": []})"}});
    same_statement("stmt-result-sql-create-view", view);
}

BOOST_AUTO_TEST_CASE(cancelled_statements_are_livys) {
    StatementResult cancelled;
    cancelled.outcome = StatementOutcome::cancelled;
    auto forced = recorded_statement("stmt-cancelled-infinite-loop");
    forced.result = cancelled;
    same_statement("stmt-cancelled-infinite-loop", forced);
    auto queued = recorded_statement("stmt-cancelled-queued");
    queued.completed = Timestamp(std::chrono::milliseconds(5));
    cancelled.error_name = "SessionEnded";
    queued.result = cancelled;
    same_statement("stmt-cancelled-queued", queued);
}

BOOST_AUTO_TEST_CASE(a_page_of_statements_is_livys) {
    const auto shown = boost::json::parse(recorded("statements-page").body);
    std::vector<StatementRecord> statements;
    for (const auto& one : shown.at("statements").as_array()) {
        auto record = statement_of(one);
        record.result =
            good_result({{"text/plain",
                          std::string(one.at("output").at("data").at("text/plain").as_string())}});
        statements.push_back(std::move(record));
    }
    BOOST_TEST(livy_statement_list_json(48, statements) == recorded("statements-page").body);
    BOOST_TEST(livy_statement_list_json(48, {}) == recorded("statements-page-beyond").body);
}

BOOST_AUTO_TEST_CASE(a_session_is_livys_but_for_what_is_not_kept) {
    LivySession session;
    session.record.id = SessionId{6};
    session.record.spec.kind = "pyspark";
    session.record.spec.idle_timeout = std::chrono::minutes(30);
    BatchSpec& spec = session.record.spec.spec;
    spec.name = "gold";
    spec.driver_memory = "1g";
    spec.executor_cores = 1;
    spec.conf = {
        {"spark.ui.enabled", "true"}, {"my.conf", "1"}, {"spark.driver.host", "127.0.0.1"}};
    session.log = {"stdout: ", "\nstderr: "};
    const auto shown = boost::json::parse(livy_session_json(session)).as_object();
    const auto theirs = boost::json::parse(recorded("session-starting").body).as_object();
    BOOST_TEST_REQUIRE(shown.size() == theirs.size());
    for (auto a = shown.begin(), b = theirs.begin(); a != shown.end(); ++a, ++b) {
        BOOST_TEST(a->key() == b->key());
        BOOST_TEST((a->value() == b->value() || a->key() == "ttl"), a->key());
    }
}

BOOST_AUTO_TEST_SUITE_END()
