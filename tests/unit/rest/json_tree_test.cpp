// SPDX-License-Identifier: Apache-2.0
#include "rest/json_tree.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using detail::rest::describe;
using detail::rest::JsonNode;
using detail::rest::parse_json;

BOOST_AUTO_TEST_SUITE(rest_json_tree)

BOOST_AUTO_TEST_CASE(numbers_keep_the_digits_they_were_written_with) {
    for (const std::string text : {"0.60", "1e3", "-1.0E+2", "0.1", "3.141592653589793238462643"}) {
        BOOST_TEST_CONTEXT(text) {
            const auto node = parse_json("[" + text + "]");
            BOOST_TEST_REQUIRE(node.has_value());
            BOOST_TEST(node->children.at(0).text == text);
            BOOST_TEST((node->children.at(0).kind == JsonNode::Kind::decimal));
        }
    }
    for (const std::string text : {"0", "-7", "9223372036854775807", "18446744073709551615",
                                   "123456789012345678901234567890"}) {
        BOOST_TEST_CONTEXT(text) {
            const auto node = parse_json(text);
            BOOST_TEST_REQUIRE(node.has_value());
            BOOST_TEST(node->text == text);
            BOOST_TEST((node->kind == JsonNode::Kind::integer));
        }
    }
}

BOOST_AUTO_TEST_CASE(containers_keep_their_order_and_keys) {
    const auto node =
        parse_json(R"( {"b": [1, "x", null, {"c": true}], "a": {}, "\u00e9\n": ""} )");
    BOOST_TEST_REQUIRE(node.has_value());
    BOOST_TEST_REQUIRE(node->children.size() == 3u);
    BOOST_TEST(node->children[0].key == "b");
    BOOST_TEST(node->children[1].key == "a");
    BOOST_TEST(node->children[2].key == "\xC3\xA9\n");
    const auto& list = node->children[0].children;
    BOOST_TEST_REQUIRE(list.size() == 4u);
    BOOST_TEST(list[1].text == "x");
    BOOST_TEST((list[2].kind == JsonNode::Kind::null));
    BOOST_TEST(list[3].children.at(0).key == "c");
    BOOST_TEST(list[3].children.at(0).text == "true");
}

BOOST_AUTO_TEST_CASE(escapes_and_long_texts_come_through) {
    const std::string longer(5000, 'x');
    const auto node = parse_json("[\"a\\u0041\\n\\\"\\uD83D\\uDE00" + longer + "\"]");
    BOOST_TEST_REQUIRE(node.has_value());
    BOOST_TEST(node->children.at(0).text == "aA\n\"\xF0\x9F\x98\x80" + longer);
}

BOOST_AUTO_TEST_CASE(errors_tell_the_place) {
    struct Row {
        std::string text;
        std::string words;
    };
    const std::vector<Row> rows{
        {"{", "at line 1, column 2: it ends too early."},
        {"{\n  \"file\": }", "at line 2, column 11"},
        {"{\"a\":1,}", "at line 1, column 8"},
        {"{} x", "at line 1, column 4: there is more text behind the end of the value."},
        {"nul", "it ends too early"},
        {"{'a':1}", "at line 1, column 2"},
        {"[01]", "at line 1, column 3"},
        {"\"\xFF\"", "at line 1"},
        {"// comment\n{}", "at line 1, column 1"},
        {"", "the request body is empty"},
        {" \n ", "the request body is empty"},
    };
    for (const Row& row : rows) {
        BOOST_TEST_CONTEXT(row.text) {
            const auto node = parse_json(row.text);
            BOOST_TEST_REQUIRE(node.has_error());
            BOOST_TEST(node.error().is(Errc::invalid_argument));
            BOOST_TEST(node.error().detail.find(row.words) != std::string::npos,
                       node.error().detail);
        }
    }
}

BOOST_AUTO_TEST_CASE(nesting_has_a_limit) {
    BOOST_TEST(parse_json(std::string(30, '[') + std::string(30, ']')).has_value());
    BOOST_TEST(parse_json(std::string(100'000, '[')).has_error());
}

BOOST_AUTO_TEST_CASE(values_are_described_for_people) {
    BOOST_TEST(describe(*parse_json("null")) == "null");
    BOOST_TEST(describe(*parse_json("true")) == "the boolean true");
    BOOST_TEST(describe(*parse_json("2.5")) == "the number 2.5");
    BOOST_TEST(describe(*parse_json("\"secret\"")) == "a string");
    BOOST_TEST(describe(*parse_json("[]")) == "an array");
    BOOST_TEST(describe(*parse_json("{}")) == "an object");
}

BOOST_AUTO_TEST_SUITE_END()
