// SPDX-License-Identifier: Apache-2.0
#include "runtimes/spark/agent_messages.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::detail::spark;

namespace {

template <class Body>
Body read_as(const std::string& line) {
    auto message = read_message(line);
    BOOST_TEST_REQUIRE(message.has_value(), line);
    BOOST_TEST_REQUIRE(std::holds_alternative<Body>(message->body), line);
    return std::get<Body>(message->body);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(agent_messages)

BOOST_AUTO_TEST_CASE(lines_are_found_however_the_bytes_arrive) {
    LineReader reader;
    BOOST_TEST(reader.feed("a").value().empty());
    BOOST_TEST(reader.feed("b\n\nc\nd").value() == (std::vector<std::string>{"ab", "", "c"}),
               boost::test_tools::per_element());
    BOOST_TEST(reader.feed("\n").value() == std::vector<std::string>{"d"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_long_is_refused_before_it_ends) {
    const std::string almost(max_line - 1, 'x');
    BOOST_TEST(LineReader().feed(almost + "\n").value().size() == 1u);
    BOOST_TEST(LineReader().feed(almost + "x").error().is(Errc::backend_failed));
    BOOST_TEST(LineReader().feed(almost + "x\n").error().is(Errc::backend_failed));
}

BOOST_AUTO_TEST_CASE(ready_brings_the_facts) {
    const auto facts =
        read_as<AgentReady>(R"({"type":"ready","application_id":"local-1","ui":null,"seq":2,)"
                            R"("spark_version":"4.3.0","python_version":"3.11.2","pid":47})")
            .facts;
    BOOST_TEST(facts.application_id == "local-1");
    BOOST_TEST(facts.ui_url == "");
    BOOST_TEST(facts.spark_version == "4.3.0");
    BOOST_TEST(facts.runtime_version == "3.11.2");
    BOOST_TEST(facts.pid == 47);
}

BOOST_AUTO_TEST_CASE(texts_are_bytes_in_both_forms) {
    struct Row {
        std::string text;
        std::string bytes;
    };
    const std::vector<Row> rows{
        {R"("caf\u00e9")", "caf\xC3\xA9"},
        {R"({"base64":""})", ""},
        {R"({"base64":"/w=="})", "\xFF"},
        {R"({"base64":"/wA="})", std::string("\xFF\0", 2)},
        {R"({"base64":"/wAB"})", std::string("\xFF\0\1", 3)},
    };
    for (const auto& row : rows) {
        const auto output = read_as<AgentOutput>(
            R"({"type":"output","statement":0,"stream":"stderr","seq":1,"text":)" + row.text + "}");
        BOOST_TEST(output.bytes == row.bytes);
        BOOST_TEST((output.stream == OutputSink::Stream::standard_error));
    }
}

BOOST_AUTO_TEST_CASE(results_have_their_four_outcomes) {
    const auto ok =
        read_as<AgentResult>(
            R"({"type":"result","statement":0,"seq":1,"status":"ok","interrupted":true,)"
            R"("data":{"text/plain":"2"},"notes":["cut"]})")
            .result;
    BOOST_TEST((ok.outcome == StatementOutcome::ok));
    BOOST_TEST(ok.interrupted);
    BOOST_TEST(ok.data.at("text/plain") == "2");
    BOOST_TEST(ok.notes.at(0) == "cut");
    const auto error =
        read_as<AgentResult>(R"({"type":"result","statement":0,"seq":1,"status":"error",)"
                             R"("ename":"ValueError","evalue":"no","traceback":["a\n","b"]})")
            .result;
    BOOST_TEST((error.outcome == StatementOutcome::error));
    BOOST_TEST(!error.interrupted);
    BOOST_TEST(error.error_name == "ValueError");
    BOOST_TEST(error.error_value == "no");
    BOOST_TEST(error.traceback.size() == 2u);
    const auto gone =
        read_as<AgentResult>(R"({"type":"result","statement":0,"seq":1,"status":"forgotten"})");
    BOOST_TEST((gone.result.outcome == StatementOutcome::forgotten));
}

BOOST_AUTO_TEST_CASE(small_messages_are_read) {
    BOOST_TEST((read_as<AgentStatus>(R"({"type":"status","state":"idle","seq":4})").state ==
                AgentStatus::State::idle));
    BOOST_TEST(
        read_as<AgentProgress>(R"({"type":"progress","statement":0,"completed_tasks":3,"tasks":8})")
            .completed == 3);
    BOOST_TEST(read_as<AgentUnheeded>(R"({"type":"unheeded","statement":0,"attempts":5,"seq":1})")
                   .attempts == 5);
    BOOST_TEST(
        read_as<AgentBye>(R"({"type":"bye","reason":"closed","detail":"","seq":9})").end.reason ==
        "closed");
    BOOST_TEST(read_as<AgentPing>(R"({"type":"ping","id":{"a":1}})").id == R"({"a":1})");
    BOOST_TEST(read_as<AgentAdded>(R"({"type":"added","request":4,"error":null})").request == 4);
    BOOST_TEST(!read_as<AgentAdded>(R"({"type":"added","request":4,"error":null})").fault);
    BOOST_TEST(read_as<AgentAdded>(R"({"type":"added","request":4,"error":"no"})").fault == "no");
    const auto completion = read_as<AgentCompletion>(
        R"({"type":"completion","request":9,"candidates":["range"],"replaces":2})");
    BOOST_TEST(completion.completion.candidates.at(0) == "range");
    BOOST_TEST(completion.completion.replaces == 2u);
    read_as<AgentOther>(R"({"type":"of a later version","seq":7})");
    read_as<AgentOther>(R"({"type":"pong","id":1})");
}

BOOST_AUTO_TEST_CASE(what_breaks_the_protocol_is_refused_with_the_field) {
    struct Row {
        std::string line;
        std::string words;
    };
    const std::vector<Row> rows{
        {"", "not a JSON object"},
        {"[]", "not a JSON object"},
        {"{\"type\":\"idle\"", "not a JSON object"},
        {"{\"type\":\"\xFF\"}", "not a JSON object"},
        {"{}", "type: must be"},
        {R"({"type":"status","state":"tired","seq":1})", "state: must be"},
        {R"({"type":"status","state":"idle","seq":0})", "seq: must be"},
        {R"({"type":"status","state":"idle","seq":-1})", "seq: must be"},
        {R"({"type":"status","state":"idle","seq":9007199254740993})", "seq: must be"},
        {R"({"type":"output","stream":"stdlog","text":"x","seq":1})", "stream: must be"},
        {R"({"type":"output","stream":"stdout","text":7,"seq":1})", "text: must be"},
        {R"({"type":"output","stream":"stdout","text":{"base64":"!!!!"},"seq":1})",
         "text: must be"},
        {R"({"type":"output","stream":"stdout","text":{"base64":"/w="},"seq":1})", "text: must be"},
        {R"({"type":"output","stream":"stdout","text":{"base64":"===="},"seq":1})",
         "text: must be"},
        {R"({"type":"output","stream":"stdout","text":{"base32":""},"seq":1})", "text: must be"},
        {R"({"type":"result","status":"forgotten","seq":1})", "statement: must be"},
        {R"({"type":"result","statement":-1,"status":"forgotten","seq":1})", "statement: must be"},
        {R"({"type":"result","statement":0,"status":"done","seq":1})", "status: must be"},
        {R"({"type":"result","statement":0,"status":"ok","data":[],"notes":[],"seq":1})",
         "data: must be"},
        {R"({"type":"bye","reason":1,"detail":"","seq":1})", "reason: must be"},
    };
    for (const auto& row : rows) {
        const auto message = read_message(row.line);
        BOOST_TEST_REQUIRE(message.has_error(), row.line);
        BOOST_TEST(message.error().is(Errc::backend_failed));
        BOOST_TEST(message.error().text().find(row.words) != std::string::npos,
                   message.error().text());
    }
}

BOOST_AUTO_TEST_CASE(commands_are_written_as_the_protocol_has_them) {
    StatementSpec statement{StatementId{3}, "sql", "SELECT 'caf\xC3\xA9'\n"};
    BOOST_TEST(write_execute(7, statement) ==
               "{\"type\":\"execute\",\"seq\":7,\"statement\":3,\"kind\":\"sql\","
               "\"code\":\"SELECT 'caf\xC3\xA9'\\n\"}\n");
    statement.code = "\xFF";
    BOOST_TEST(write_execute(8, statement).find(R"("code":{"base64":"/w=="})") !=
               std::string::npos);
    InterruptRequest request{StatementId{3}, {}};
    BOOST_TEST(write_interrupt(9, request).find(R"("end_session_after":null)") !=
               std::string::npos);
    request.end_session_after = std::chrono::milliseconds(1500);
    BOOST_TEST(write_interrupt(9, request).find(R"("end_session_after":1.5E0)") !=
               std::string::npos);
    BOOST_TEST(
        write_execute(3, {StatementId{2}, "spark", "eA==", true}) ==
        "{\"type\":\"execute\",\"seq\":3,\"statement\":2,\"kind\":\"spark\",\"code\":\"eA==\","
        "\"job\":true}\n");
    for (const auto& [use, word] :
         {std::pair{SessionFile::Use::data, "file"}, std::pair{SessionFile::Use::jar, "jar"},
          std::pair{SessionFile::Use::python, "pyfile"}}) {
        BOOST_TEST(write_add(4, {use, "/x"}) == std::string("{\"type\":\"add\",\"request\":4,"
                                                            "\"what\":\"") +
                                                    word + "\",\"uri\":\"/x\"}\n");
    }
    BOOST_TEST(write_complete(2, {"pyspark", "spark.ra", 8}) ==
               "{\"type\":\"complete\",\"request\":2,\"kind\":\"pyspark\",\"code\":\"spark.ra\","
               "\"cursor\":8}\n");
    BOOST_TEST(write_close(10) == "{\"type\":\"close\",\"seq\":10}\n");
    BOOST_TEST(write_ack(11) == "{\"type\":\"ack\",\"received\":11}\n");
    BOOST_TEST(write_pong("\"x\"") == "{\"type\":\"pong\",\"id\":\"x\"}\n");
}

BOOST_AUTO_TEST_SUITE_END()
