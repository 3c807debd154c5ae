// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_request.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace std::chrono_literals;
using detail::rest::parse_duration;
using detail::rest::parse_kind;
using detail::rest::read_create_session;
using detail::rest::read_create_statement;

namespace {

std::string session_refusal(const std::string& body) {
    const auto create = read_create_session(body);
    return create ? "accepted" : create.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_livy_session_request)

BOOST_AUTO_TEST_CASE(every_field_of_a_session_finds_its_place) {
    const auto create = read_create_session(R"({
        "kind": "python", "proxyUser": "bob", "jars": ["/j1", "/j2"], "pyFiles": ["/p"],
        "files": ["/f"], "archives": ["/z"], "driverMemory": "1g", "driverCores": 2,
        "executorMemory": "2g", "executorCores": 3, "numExecutors": 4, "queue": "q", "name": "n",
        "conf": {"spark.a": 1}, "heartbeatTimeoutInSecond": 60, "ttl": "1h",
        "idleTimeout": "30m"})");
    BOOST_TEST_REQUIRE(create.has_value());
    BatchSpec expected;
    expected.proxy_user = "bob";
    expected.jars = {"/j1", "/j2"};
    expected.py_files = {"/p"};
    expected.files = {"/f"};
    expected.archives = {"/z"};
    expected.driver_memory = "1g";
    expected.driver_cores = 2;
    expected.executor_memory = "2g";
    expected.executor_cores = 3;
    expected.num_executors = 4;
    expected.queue = "q";
    expected.name = "n";
    expected.conf = {{"spark.a", "1"}};
    BOOST_TEST((create->spec == expected));
    BOOST_TEST(create->kind == "pyspark");
    BOOST_TEST(create->heartbeat_timeout.value() == 60);
    BOOST_TEST(create->ttl == "1h");
    BOOST_TEST(create->idle_timeout == "30m");
    BOOST_TEST(!create->has_empty_name);
}

BOOST_AUTO_TEST_CASE(a_session_needs_nothing) {
    for (const std::string body :
         {R"({})", R"({"kind": null, "ttl": null, "idleTimeout": null, "name": null,
                       "heartbeatTimeoutInSecond": null, "conf": null, "jars": null})"}) {
        const auto create = read_create_session(body);
        BOOST_TEST_REQUIRE(create.has_value());
        BOOST_TEST((create->spec == BatchSpec{}));
        BOOST_TEST(create->kind == "");
        BOOST_TEST(create->ttl == "");
        BOOST_TEST(create->idle_timeout == "");
        BOOST_TEST(!create->heartbeat_timeout.has_value());
        BOOST_TEST(!create->has_empty_name);
    }
    BOOST_TEST(read_create_session(R"({"name": ""})")->has_empty_name);
}

BOOST_AUTO_TEST_CASE(sessions_know_seventeen_fields) {
    const auto words = session_refusal(R"({"kind": "pyspark", "foo": 1})");
    BOOST_TEST(words.starts_with(
        "Unrecognized field \"foo\" (class "
        "org.apache.livy.server.interactive.CreateInteractiveRequest), not marked as ignorable "
        "(17 known properties: \"kind\", "));
    BOOST_TEST(
        words.ends_with("\"conf\"]) (through reference chain: "
                        "org.apache.livy.server.interactive.CreateInteractiveRequest[\"foo\"])"));
    for (const std::string field : {"file", "args", "className"}) {
        BOOST_TEST(session_refusal("{\"" + field + "\": \"x\"}").starts_with("Unrecognized field"),
                   field);
    }
}

BOOST_AUTO_TEST_CASE(wrong_shapes_of_a_session_are_refused) {
    BOOST_TEST(session_refusal(R"({"kind": "foo"})") ==
               "Invalid kind: foo (through reference chain: "
               "org.apache.livy.server.interactive.CreateInteractiveRequest[\"kind\"])");
    BOOST_TEST(session_refusal(R"({"kind": []})") ==
               "Cannot read field \"kind\": expected a string, found an array.");
    BOOST_TEST(session_refusal(R"({"heartbeatTimeoutInSecond": "60"})") ==
               "Cannot read field \"heartbeatTimeoutInSecond\": expected an integer, found a "
               "string; write the number without quotes.");
    BOOST_TEST(session_refusal(R"({"driverCores": 2.5})") ==
               "Cannot read field \"driverCores\": expected an integer, found the number 2.5.");
    BOOST_TEST(session_refusal("null") == "The request body must be a JSON object, found null.");
    BOOST_TEST(session_refusal("").starts_with("No content to map due to end-of-input"));
}

BOOST_AUTO_TEST_CASE(kinds_have_livys_names) {
    struct Row {
        std::string name;
        std::string kind;
    };
    const std::vector<Row> rows{{"shared", ""},         {"spark", "spark"},    {"scala", "spark"},
                                {"pyspark", "pyspark"}, {"python", "pyspark"}, {"sparkr", "sparkr"},
                                {"r", "sparkr"},        {"sql", "sql"}};
    for (const Row& row : rows) {
        BOOST_TEST(parse_kind(row.name).value() == row.kind);
    }
    for (const std::string name : {"", "PySpark", "pyspark3", " sql", "foo"}) {
        BOOST_TEST(parse_kind(name).error().detail == "Invalid kind: " + name);
    }
}

BOOST_AUTO_TEST_CASE(durations_are_read_as_livy_does) {
    struct Row {
        std::string text;
        std::chrono::milliseconds duration;
    };
    const std::vector<Row> rows{{"0", 0ms},   {"1500", 1500ms}, {"1500ms", 1500ms},
                                {"1us", 1ms}, {"1001us", 2ms},  {"90s", 90s},
                                {"2m", 2min}, {"2min", 2min},   {"1h", 1h},
                                {"1H", 1h},   {"2d", 48h},      {"007s", 7s}};
    for (const Row& row : rows) {
        BOOST_TEST((parse_duration(row.text).value() == row.duration), row.text);
    }
}

BOOST_AUTO_TEST_CASE(other_durations_are_refused_in_livys_words) {
    struct Row {
        std::string text;
        std::string words;
    };
    const std::vector<Row> rows{
        {"abc", "Invalid time string: abc"},
        {"", "Invalid time string: "},
        {"1.5h", "Invalid time string: 1.5h"},
        {"1 h", "Invalid time string: 1 h"},
        {" 1h", "Invalid time string:  1h"},
        {"+1h", "Invalid time string: +1h"},
        {"1h2", "Invalid time string: 1h2"},
        {"1x", "Invalid suffix: \"x\""},
        {"1weeks", "Invalid suffix: \"weeks\""},
        {"-1", "Invalid value: -1"},
        {"-5m", "Invalid value: -5m"},
        {"99999999999999999999", "Invalid value: 99999999999999999999"},
        {"9223372036854775807d", "Invalid value: 9223372036854775807d"},
    };
    for (const Row& row : rows) {
        BOOST_TEST(parse_duration(row.text).error().detail == row.words);
    }
}

BOOST_AUTO_TEST_CASE(a_statement_has_code_and_perhaps_a_kind) {
    const auto plain = read_create_statement(R"({"code": "1+1"})");
    BOOST_TEST(plain->code.value() == "1+1");
    BOOST_TEST(plain->kind == "");
    const auto full =
        read_create_statement(R"({"code": "", "kind": "sql", "msg_type": "execute_request"})");
    BOOST_TEST(full->code.value() == "");
    BOOST_TEST(full->kind == "sql");
    BOOST_TEST(!read_create_statement("{}")->code.has_value());
    BOOST_TEST(!read_create_statement(R"({"code": null})")->code.has_value());
}

BOOST_AUTO_TEST_CASE(lines_of_code_end_with_a_line_feed) {
    const auto read = [](const std::string& json) {
        return read_create_statement("{\"code\": \"" + json + "\"}")->code.value();
    };
    BOOST_TEST(read(R"(a\r\nb\r\n)") == "a\nb\n");
    BOOST_TEST(read(R"(a\rb)") == "a\rb");
    BOOST_TEST(read(R"(\r\r\n)") == "\r\n");
}

BOOST_AUTO_TEST_CASE(statements_know_three_fields) {
    const auto statement = read_create_statement(R"({"code": "1", "zzz": 1})");
    BOOST_TEST_REQUIRE(statement.has_error());
    BOOST_TEST(statement.error().detail ==
               "Unrecognized field \"zzz\" (class org.apache.livy.ExecuteRequest), not marked as "
               "ignorable (3 known properties: \"code\", \"kind\", \"msg_type\"]) (through "
               "reference chain: org.apache.livy.ExecuteRequest[\"zzz\"])");
    BOOST_TEST(read_create_statement(R"({"code": ["1"]})").has_error());
}

BOOST_AUTO_TEST_SUITE_END()
