// SPDX-License-Identifier: Apache-2.0
#include "core/guard_messages.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sparkhost::detail {

BOOST_AUTO_TEST_SUITE(guard_messages_suite)

BOOST_AUTO_TEST_CASE(reports_are_read_with_what_is_known) {
    const auto read = [](const char* line) {
        return std::get<DriverReport>(read_guard_message(line).value());
    };
    const auto empty = read(R"({"type":"report"})");
    BOOST_TEST(empty.application_id == "");
    BOOST_TEST(!empty.ended);
    const auto up = read(R"({"type":"report","application_id":"app-1","ui_url":"http://w:4040"})");
    BOOST_TEST(up.application_id == "app-1");
    BOOST_TEST(up.ui_url == "http://w:4040");
    const auto over =
        read(R"({"type":"report","application_id":"app-1","ui_url":null,"ended":true,)"
             R"("error":"java.lang.X: \u00fc","more":[1]})");
    BOOST_TEST(over.ended);
    BOOST_TEST(over.error == "java.lang.X: \xc3\xbc");
    BOOST_TEST(over.ui_url == "");
    BOOST_TEST(over.ticket == "", "which is the connection's");
    BOOST_TEST(read(R"({"type":"report","ticket":"t","driver":"d"})").ticket == "");
}

BOOST_AUTO_TEST_CASE(pings_are_answered_with_their_id) {
    for (const std::string& id : {std::string("7"), std::string("\"x\\ny\""), std::string("null"),
                                  std::string("[1,{\"a\":2}]")}) {
        const auto ping = read_guard_message("{\"type\":\"ping\",\"id\":" + id + "}").value();
        BOOST_TEST(std::get<GuardPing>(ping).pong == "{\"type\":\"pong\",\"id\":" + id + "}\n");
    }
    const auto bare = read_guard_message(R"({"type":"ping"})").value();
    BOOST_TEST(std::get<GuardPing>(bare).pong == "{\"type\":\"pong\"}\n");
}

BOOST_AUTO_TEST_CASE(other_types_are_left_alone) {
    for (const char* line : {R"({"type":"news","ended":7})", R"({"type":""})", R"({"type":"pong"})",
                             "  {\"type\":\"guard\"}\r"}) {
        BOOST_TEST(std::holds_alternative<GuardOther>(read_guard_message(line).value()), line);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_message_is_a_framing_error) {
    const std::string deep(200, '[');
    for (const std::string& line :
         {std::string(), std::string("x"), std::string("[]"), std::string("{}"),
          std::string(R"({"type":7})"), std::string(R"({"type":"report"} {})"),
          std::string("{\"type\":\"report\",\"error\":\"\xff\"}"),
          std::string(R"({"type":"report","application_id":7})"),
          std::string(R"({"type":"report","ui_url":{}})"),
          std::string(R"({"type":"report","ended":"yes"})"),
          std::string(R"({"type":"report","ended":null})"),
          std::string(R"({"type":"report","error":false})"),
          R"({"type":"report","application_id":")" + std::string(256, 'a') + "\"}",
          R"({"type":"report","ui_url":")" + std::string(2049, 'a') + "\"}",
          R"({"type":"report","error":")" + std::string((64u << 10) + 1, 'a') + "\"}",
          R"({"type":"ping","id":)" + deep + "}"}) {
        const auto message = read_guard_message(line);
        BOOST_TEST_REQUIRE(message.has_error(), line.substr(0, 100));
        BOOST_TEST(message.error().is(Errc::backend_failed));
    }
}

BOOST_AUTO_TEST_CASE(lines_are_the_same_in_whatever_pieces_they_arrive) {
    const std::string stream = "one\n\ntwo\r\nthree\nfour";
    const std::vector<std::string> lines{"one", "", "two\r", "three"};
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        GuardLines reader;
        std::vector<std::string> all;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            for (auto& line : reader.feed(stream.substr(at, piece)).value()) {
                all.push_back(std::move(line));
            }
        }
        BOOST_TEST(all == lines, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_line_has_an_end_before_the_limit) {
    const std::string longest(guard_line - 1, 'x');
    GuardLines reader;
    BOOST_TEST(reader.feed(longest + "\n" + longest + "\n").value().size() == 2u);
    BOOST_TEST(reader.feed(longest).value().empty());
    BOOST_TEST(reader.feed("x").has_error());
    GuardLines other;
    BOOST_TEST(other.feed("a\n" + longest + "x\n").has_error());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
