// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_session.hpp"

#include "support/printing.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::detail::rest;
using namespace std::chrono_literals;

namespace {

LivySession fresh_session() {
    LivySession session;
    session.record.id = SessionId{6};
    session.log = {"stdout: ", "\nstderr: "};
    return session;
}

/// A statement that has begun at 1 000 ms.
StatementRecord begun(std::string kind = "pyspark") {
    StatementRecord record;
    record.session = SessionId{6};
    record.spec.id = StatementId{3};
    record.spec.kind = std::move(kind);
    record.spec.code = "1+1";
    record.started = Timestamp(1000ms);
    return record;
}

StatementRecord ended(StatementResult result, std::string kind = "pyspark") {
    StatementRecord record = begun(std::move(kind));
    record.result = std::move(result);
    record.completed = Timestamp(2500ms);
    return record;
}

StatementRecord with_data(std::map<std::string, std::string> data, std::string kind = "pyspark") {
    StatementResult result;
    result.data = std::move(data);
    return ended(std::move(result), std::move(kind));
}

StatementResult failure(StatementOutcome outcome) {
    StatementResult result;
    result.outcome = outcome;
    result.error_name = "ValueError";
    result.error_value = "msg\xC3\xA9";
    result.traceback = {"Traceback (most recent call last):\n", "ValueError: msg\xC3\xA9\n"};
    return result;
}

/// The text behind "output": up to "progress".
std::string output_of(const StatementRecord& record) {
    const std::string text = livy_statement_json(record);
    const auto begin = text.find(",\"output\":") + 10;
    return text.substr(begin, text.find(",\"progress\":") - begin);
}

std::string plain_text_of(const StatementRecord& record) {
    const auto value = boost::json::parse(livy_statement_json(record));
    return std::string(value.at("output").at("data").at("text/plain").as_string());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_livy_session)

BOOST_AUTO_TEST_CASE(a_session_has_livys_keys_in_livys_order) {
    BOOST_TEST(
        livy_session_json(fresh_session()) ==
        "{\"id\":6,\"name\":null,\"appId\":null,\"owner\":null,\"proxyUser\":null,"
        "\"state\":\"starting\",\"kind\":\"shared\",\"appInfo\":{\"driverLogUrl\":null,"
        "\"sparkUiUrl\":null,\"executorLogUrls\":null},\"log\":[\"stdout: \",\"\\nstderr: \"],"
        "\"ttl\":null,\"idleTimeout\":null,\"driverMemory\":null,\"driverCores\":0,"
        "\"executorMemory\":null,\"executorCores\":0,\"conf\":{},\"archives\":[],\"files\":[],"
        "\"heartbeatTimeoutInSecond\":0,\"jars\":[],\"numExecutors\":0,\"pyFiles\":[],"
        "\"queue\":null}");
}

BOOST_AUTO_TEST_CASE(everything_that_is_known_of_a_session_is_shown) {
    LivySession session = fresh_session();
    SessionRecord& record = session.record;
    record.spec.kind = "pyspark";
    record.spec.idle_timeout = 30min;
    BatchSpec& spec = record.spec.spec;
    spec.name = "gold";
    spec.owner = "ann";
    spec.driver_memory = "1g";
    spec.driver_cores = 2;
    spec.executor_memory = "2g";
    spec.executor_cores = 1;
    spec.num_executors = 4;
    spec.queue = "q";
    spec.conf = {{"my.conf", "1"}, {"spark.ui.enabled", "true"}};
    spec.archives = {"/a.zip"};
    spec.files = {"/f"};
    spec.jars = {"/j"};
    spec.py_files = {"/p.py"};
    record.facts.emplace();
    record.facts->application_id = "local-1";
    record.facts->ui_url = "http://driver:4040";
    BOOST_TEST(
        livy_session_json(session) ==
        "{\"id\":6,\"name\":\"gold\",\"appId\":\"local-1\",\"owner\":\"ann\",\"proxyUser\":null,"
        "\"state\":\"idle\",\"kind\":\"pyspark\",\"appInfo\":{\"driverLogUrl\":null,"
        "\"sparkUiUrl\":\"http://driver:4040\",\"executorLogUrls\":null},"
        "\"log\":[\"stdout: \",\"\\nstderr: \"],\"ttl\":null,\"idleTimeout\":\"30m\","
        "\"driverMemory\":\"1g\",\"driverCores\":2,\"executorMemory\":\"2g\",\"executorCores\":1,"
        "\"conf\":{\"my.conf\":\"1\",\"spark.ui.enabled\":\"true\"},\"archives\":[\"/a.zip\"],"
        "\"files\":[\"/f\"],\"heartbeatTimeoutInSecond\":0,\"jars\":[\"/j\"],\"numExecutors\":4,"
        "\"pyFiles\":[\"/p.py\"],\"queue\":\"q\"}");
}

BOOST_AUTO_TEST_CASE(what_the_backend_knows_stands_in_until_the_agent_tells) {
    LivySession session = fresh_session();
    session.record.application.application_id = "app-1";
    session.record.application.ui_url = "http://ui";
    const auto value = boost::json::parse(livy_session_json(session));
    BOOST_TEST(value.at("appId").as_string() == "app-1");
    BOOST_TEST(value.at("appInfo").at("sparkUiUrl").as_string() == "http://ui");
}

BOOST_AUTO_TEST_CASE(secrets_of_a_session_are_not_shown) {
    LivySession session = fresh_session();
    session.record.spec.spec.conf = {{"spark.my.password", "hunter22"}, {"spark.a", "b"}};
    session.record.spec.spec.jars = {"http://ann:hunter22@host/j.jar"};
    const std::string text = livy_session_json(session);
    BOOST_TEST(text.find("hunter22") == std::string::npos);
    BOOST_TEST(text.find("\"spark.my.password\":\"*********(redacted)\"") != std::string::npos);
    BOOST_TEST(text.find("\"spark.a\":\"b\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(idle_timeouts_are_told_in_a_unit_that_clients_can_send_back) {
    struct Row {
        std::chrono::seconds timeout;
        std::string text;
    };
    const std::vector<Row> rows{{0s, "0s"},     {1s, "1s"},    {90s, "90s"},   {60s, "1m"},
                                {1800s, "30m"}, {3600s, "1h"}, {86400s, "1d"}, {86401s, "86401s"}};
    for (const Row& row : rows) {
        LivySession session = fresh_session();
        session.record.spec.idle_timeout = row.timeout;
        const auto value = boost::json::parse(livy_session_json(session));
        BOOST_TEST(value.at("idleTimeout").as_string() == row.text);
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rest_livy_statement)

BOOST_AUTO_TEST_CASE(a_statement_has_livys_keys_in_livys_order) {
    StatementRecord waiting = begun();
    waiting.started.reset();
    BOOST_TEST(livy_statement_json(waiting) ==
               R"({"id":3,"code":"1+1","state":"waiting","output":null,"progress":0.0,)"
               R"("started":0,"completed":0})");
    StatementRecord running = begun();
    running.progress = 0.25;
    BOOST_TEST(livy_statement_json(running) ==
               R"({"id":3,"code":"1+1","state":"running","output":null,"progress":0.25,)"
               R"("started":1000,"completed":0})");
    BOOST_TEST(livy_statement_json(with_data({{"text/plain", "2"}})) ==
               R"({"id":3,"code":"1+1","state":"available","output":{"status":"ok",)"
               R"("execution_count":3,"data":{"text/plain":"2"}},"progress":1.0,)"
               R"("started":1000,"completed":2500})");
}

BOOST_AUTO_TEST_CASE(code_that_failed_is_available_with_an_error) {
    BOOST_TEST(
        livy_statement_json(ended(failure(StatementOutcome::error))) ==
        "{\"id\":3,\"code\":\"1+1\",\"state\":\"available\",\"output\":{\"status\":\"error\","
        "\"execution_count\":3,\"ename\":\"ValueError\",\"evalue\":\"msg\xC3\xA9\","
        "\"traceback\":[\"Traceback (most recent call last):\\n\","
        "\"ValueError: msg\xC3\xA9\\n\"]},\"progress\":1.0,\"started\":1000,"
        "\"completed\":2500}");
}

BOOST_AUTO_TEST_CASE(progress_is_a_fraction_as_java_writes_it) {
    StatementRecord record = begun();
    const auto progress = [&record](double value) {
        record.progress = value;
        const std::string text = livy_statement_json(record);
        const auto begin = text.find("\"progress\":") + 11;
        return text.substr(begin, text.find(',', begin) - begin);
    };
    BOOST_TEST(progress(0) == "0.0");
    BOOST_TEST(progress(-1) == "0.0");
    BOOST_TEST(progress(std::numeric_limits<double>::quiet_NaN()) == "0.0");
    BOOST_TEST(progress(1) == "1.0");
    BOOST_TEST(progress(7) == "1.0");
    BOOST_TEST(progress(0.5) == "0.5");
    BOOST_TEST(progress(1.0 / 3) == "0.3333333333333333");
}

BOOST_AUTO_TEST_CASE(plain_text_is_what_was_written_then_the_echo_without_blanks_behind) {
    StatementRecord record = with_data({{"text/plain", "3"}});
    record.output = {{OutputStream::standard_output, " a\n"},
                     {OutputStream::standard_error, "b"},
                     {OutputStream::standard_output, "\n\n"}};
    BOOST_TEST(plain_text_of(record) == " a\nb\n\n3");
    record.result->data.clear();
    BOOST_TEST(plain_text_of(record) == " a\nb");
    record.output.clear();
    BOOST_TEST(plain_text_of(record) == "");
    record.output = {{OutputStream::standard_output, " \t\r\n\v\f"}};
    BOOST_TEST(plain_text_of(record) == "");
}

BOOST_AUTO_TEST_CASE(sql_has_its_table_as_json_and_nothing_else) {
    StatementRecord record = with_data(
        {{"application/json", R"({"schema": {"type": "struct"}, "data": [[1.10, "a b"]]})"}},
        "sql");
    record.output = {{OutputStream::standard_error, "a warning"}};
    BOOST_TEST(output_of(record) ==
               R"({"status":"ok","execution_count":3,"data":{"application/json":)"
               R"({"schema":{"type":"struct"},"data":[[1.10,"a b"]]}}})");
}

BOOST_AUTO_TEST_CASE(only_json_is_embedded) {
    const auto data = [](const std::string& type, const std::string& text) {
        const auto output = output_of(with_data({{type, text}}, "sql"));
        const auto begin = output.find("\"data\":{") + 8;
        return output.substr(begin, output.size() - begin - 2);
    };
    BOOST_TEST(data("application/json", "[1]") == R"("application/json":[1])");
    BOOST_TEST(data("application/json", "[1") == R"("application/json":"[1")");
    BOOST_TEST(data("application/vnd.livy.table.v1+json", "{}") ==
               R"("application/vnd.livy.table.v1+json":{})");
    BOOST_TEST(data("image/png", "iVBOR") == R"("image/png":"iVBOR")");
    BOOST_TEST(data("text/html", "[1]") == R"("text/html":"[1]")");
    BOOST_TEST(data("application/json", "[\"\xFF\"]") == "\"application/json\":[\"\xEF\xBF\xBD\"]");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_text_are_replaced_everywhere) {
    StatementRecord record = ended(failure(StatementOutcome::error));
    record.spec.code = "'\xFF'";
    record.result->error_name = "E\xFF";
    record.result->error_value = "v\xFF";
    record.result->traceback = {"t\xFF"};
    boost::system::error_code problem;
    boost::json::parse(livy_statement_json(record), problem);
    BOOST_TEST(!problem);
    StatementRecord good = with_data({{"text/pl\xFF", "\xFF"}, {"text/plain", "\xFF"}});
    good.output = {{OutputStream::standard_output, "\xFF"}};
    boost::json::parse(livy_statement_json(good), problem);
    BOOST_TEST(!problem);
    BOOST_TEST(plain_text_of(good) == "\xEF\xBF\xBD\xEF\xBF\xBD");
}

BOOST_AUTO_TEST_CASE(a_cancelled_statement_shows_what_interrupted_it_if_it_had_begun) {
    StatementRecord record = ended(failure(StatementOutcome::cancelled));
    const auto value = boost::json::parse(livy_statement_json(record));
    BOOST_TEST(value.at("state").as_string() == "cancelled");
    BOOST_TEST(value.at("output").at("status").as_string() == "error");
    BOOST_TEST(value.at("output").at("ename").as_string() == "ValueError");
    BOOST_TEST(value.at("completed").as_int64() == 2500);
    record.started.reset();
    BOOST_TEST(livy_statement_json(record) ==
               R"({"id":3,"code":"1+1","state":"cancelled","output":null,"progress":1.0,)"
               R"("started":0,"completed":0})");
    StatementResult bare;
    bare.outcome = StatementOutcome::cancelled;
    BOOST_TEST(output_of(ended(bare)) == "null");
}

BOOST_AUTO_TEST_CASE(code_that_ended_well_in_spite_of_an_interrupt_is_available) {
    StatementRecord record = with_data({{"text/plain", "2"}});
    record.cancel_requested = true;
    record.result->interrupted = true;
    const auto value = boost::json::parse(livy_statement_json(record));
    BOOST_TEST(value.at("state").as_string() == "available");
    BOOST_TEST(value.at("output").at("status").as_string() == "ok");
}

BOOST_AUTO_TEST_CASE(a_forgotten_result_is_an_error_that_says_so) {
    StatementResult result;
    result.outcome = StatementOutcome::forgotten;
    const auto value = boost::json::parse(livy_statement_json(ended(result)));
    BOOST_TEST(value.at("state").as_string() == "available");
    BOOST_TEST(value.at("output").at("status").as_string() == "error");
    BOOST_TEST(value.at("output").at("ename").as_string() == "ResultForgotten");
    BOOST_TEST(value.at("output").at("traceback").as_array().empty());
}

BOOST_AUTO_TEST_CASE(a_statement_list_is_livys) {
    BOOST_TEST(livy_statement_list_json(0, {}) == R"({"total_statements":0,"statements":[]})");
    const std::string one = livy_statement_json(begun());
    BOOST_TEST(livy_statement_list_json(48, {begun(), begun()}) ==
               "{\"total_statements\":48,\"statements\":[" + one + "," + one + "]}");
}

BOOST_AUTO_TEST_CASE(windows_of_statements_are_cut_as_in_livy) {
    struct Row {
        StatementWindowRequest request;
        std::int64_t offset;
        std::int64_t count;
    };
    const std::vector<Row> rows{
        {{.total = 10, .from = 0, .size = 10}, 0, 10},
        {{.total = 10, .from = 2, .size = 3}, 2, 3},
        {{.total = 10, .from = 8, .size = 100}, 8, 2},
        {{.total = 10, .from = 100, .size = 100}, 10, 0},
        {{.total = 10, .from = -5, .size = 2}, 0, 2},
        {{.total = 10, .from = 0, .size = -1}, 0, 0},
        {{.total = 0, .from = 0, .size = 5}, 0, 0},
        {{.total = 10, .from = 0, .size = 3, .newest_first = true}, 7, 3},
        {{.total = 10, .from = 2, .size = 3, .newest_first = true}, 5, 3},
        {{.total = 10, .from = 8, .size = 9, .newest_first = true}, 0, 2},
        {{.total = 10, .from = 99, .size = 9, .newest_first = true}, 0, 0},
        {{.total = 10, .from = 0, .size = 2147483647, .newest_first = true}, 0, 10},
    };
    for (const Row& row : rows) {
        const auto window = statement_window(row.request);
        BOOST_TEST(window.count == row.count);
        BOOST_TEST((row.count == 0 || window.offset == row.offset));
    }
}

BOOST_AUTO_TEST_SUITE_END()
