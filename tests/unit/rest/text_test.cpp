// SPDX-License-Identifier: Apache-2.0
#include "rest/text.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost::detail::rest;

BOOST_AUTO_TEST_SUITE(rest_text)

BOOST_AUTO_TEST_CASE(what_is_no_utf8_is_replaced) {
    struct Row {
        std::string bytes;
        std::string text;
    };
    const std::vector<Row> rows{
        {"", ""},
        {"plain\n", "plain\n"},
        {"caf\xC3\xA9 \xF0\x9F\x98\x80", "caf\xC3\xA9 \xF0\x9F\x98\x80"},
        {"\xFF", "\xEF\xBF\xBD"},
        {"a\xFF"
         "b",
         "a\xEF\xBF\xBD"
         "b"},
        {"\xC3", "\xEF\xBF\xBD"},
        {"\xC3\"", "\xEF\xBF\xBD\""},          // the quote is not swallowed
        {"\xF0\x9F\x98", "\xEF\xBF\xBD"},      // cut
        {"\xF0\x9F\x98x", "\xEF\xBF\xBDx"},    // broken off
        {"\xED\xB2\x80", "\xEF\xBF\xBD"},      // half a surrogate pair
        {"\xC0\xAF", "\xEF\xBF\xBD"},          // longer than it need be
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD"},  // above U+10FFFF
    };
    for (const Row& row : rows) {
        BOOST_TEST(valid_utf8(row.bytes) == row.text);
        BOOST_TEST(is_utf8(row.bytes) == (row.bytes == row.text));
        BOOST_TEST(is_utf8(row.text));
    }
}

BOOST_AUTO_TEST_CASE(strings_are_quoted_and_escaped) {
    BOOST_TEST(json_string("a\"b\\\n\t\x01") == R"("a\"b\\\n\t\u0001")");
    BOOST_TEST(json_string("\xFF") == "\"\xEF\xBF\xBD\"");
    BOOST_TEST(json_string(std::string_view("\0", 1)) == R"("\u0000")");
}

BOOST_AUTO_TEST_CASE(places_in_utf16_are_found_in_utf8) {
    const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";  // 1, 1, 1, 2, 1 units
    const std::vector<std::size_t> offsets{0, 1, 3, 6, 6, 10, 11};
    for (std::size_t units = 0; units < offsets.size(); ++units) {
        BOOST_TEST(utf8_offset(text, static_cast<std::int64_t>(units)) == offsets[units]);
    }
    BOOST_TEST(utf8_offset(text, -1) == 0u);
    BOOST_TEST(utf8_offset(text, 1'000'000'000'000) == text.size());
    BOOST_TEST(utf8_offset("", 5) == 0u);
}

BOOST_AUTO_TEST_CASE(json_loses_its_blanks_and_nothing_else) {
    struct Row {
        std::string json;
        std::string compact;
    };
    const std::vector<Row> rows{
        {"{}", "{}"},
        {" { \"a b\" : [ 1 , 2.50,\r\n\t1e3 ] }\n", R"({"a b":[1,2.50,1e3]})"},
        {R"({"q": "\" : \\", "x": null})", R"({"q":"\" : \\","x":null})"},
        {"12345678901234567890123", "12345678901234567890123"},
        {"\"a  b\"", "\"a  b\""},
        {std::string(200, '[') + std::string(200, ']'),
         std::string(200, '[') + std::string(200, ']')},
    };
    for (const Row& row : rows) {
        BOOST_TEST(compact_json(row.json).value_or("refused") == row.compact);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_json_is_no_json) {
    for (const std::string text :
         {"", " ", "{", "{} {}", "nope", "NaN", "{'a': 1}", "[1,]", "\"\xFF\"", "1 // one"}) {
        BOOST_TEST(!compact_json(text).has_value(), text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
