// SPDX-License-Identifier: Apache-2.0
#include "backends/common/properties_file.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

namespace sparkhost::detail {

BOOST_AUTO_TEST_SUITE(properties_file)

BOOST_AUTO_TEST_CASE(what_java_would_misread_is_escaped) {
    struct Row {
        std::string value;
        std::string text;
    };
    const Row rows[] = {
        {"plain", "k=plain\n"},
        {"", "k=\n"},
        {"a b", "k=a b\n"},
        {"  a", "k=\\ \\ a\n"},
        {"a  ", "k=a  \n"},
        {"\\", "k=\\\\\n"},
        {"a:b=c#d!e", "k=a\\:b\\=c\\#d\\!e\n"},
        {"a\nspark.evil=1", "k=a\\nspark.evil\\=1\n"},
        {"\t\r\f", "k=\\t\\r\\f\n"},
        {"\x01", "k=\\u0001\n"},
        {"\x7f", "k=\\u007F\n"},
        {"\xC3\xA9", "k=\\u00E9\n"},
        {"\xE2\x82\xAC", "k=\\u20AC\n"},
        {"\xF0\x9F\x98\x80", "k=\\uD83D\\uDE00\n"},
        {"\xFF", "k=\\uFFFD\n"},
        {"\xED\xA0\x80", "k=\\uFFFD\\uFFFD\\uFFFD\n"},
        {std::string("\0", 1), "k=\\u0000\n"},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.text) {
            BOOST_TEST(write_properties({{"k", row.value}}) == row.text);
        }
    }
}

BOOST_AUTO_TEST_CASE(blanks_in_keys_are_escaped_everywhere) {
    BOOST_TEST(write_properties({{"a b ", "x"}}) == "a\\ b\\ =x\n");
}

BOOST_AUTO_TEST_CASE(reads_what_java_reads) {
    struct Row {
        std::string text;
        Properties properties;
    };
    const Row rows[] = {
        {"", {}},
        {"# comment\n! comment\n\n   \n", {}},
        {"a=b", {{"a", "b"}}},
        {"a = b\n", {{"a", "b"}}},
        {"a : b\n", {{"a", "b"}}},
        {"a b\n", {{"a", "b"}}},
        {"a\tb c  \n", {{"a", "b c  "}}},
        {"  a=  b\n", {{"a", "b"}}},
        {"a==b\n", {{"a", "=b"}}},
        {"a\n", {{"a", ""}}},
        {"=b\n", {{"", "b"}}},
        {"a\\=b=c\n", {{"a=b", "c"}}},
        {"a\\ b c\n", {{"a b", "c"}}},
        {"a=b\\\n    c\n", {{"a", "bc"}}},
        {"a=b\\\\\nc=d\n", {{"a", "b\\"}, {"c", "d"}}},
        {"a=b\\\n", {{"a", "b"}}},
        {"a=b\r\nc=d\re=f\n", {{"a", "b"}, {"c", "d"}, {"e", "f"}}},
        {"a=1\na=2\n", {{"a", "2"}}},
        {"a=\\t\\n\\r\\f\\q\n", {{"a", "\t\n\r\fq"}}},
        {"a=\\u00e9\\uD83D\\uDE00\n", {{"a", "\xC3\xA9\xF0\x9F\x98\x80"}}},
        {"a=\\uD83Dx\n", {{"a", "\xEF\xBF\xBDx"}}},
        {"a=\xC3\xA9\n", {{"a", "\xC3\xA9"}}},
        {"a=#b\n", {{"a", "#b"}}},
        {"spark.a  1\n", {{"spark.a", "1"}}},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.text) {
            auto parsed = parse_properties(row.text);
            BOOST_TEST_REQUIRE(parsed.has_value());
            BOOST_TEST((*parsed == row.properties));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_malformed_unicode_escape_is_refused_as_in_java) {
    for (const char* text : {"a=\\u12\n", "a=\\u12G4\n", "\\uZZZZ=b\n", "a=\\u"}) {
        BOOST_TEST_CONTEXT(text) {
            auto parsed = parse_properties(text);
            BOOST_TEST_REQUIRE(parsed.has_error());
            BOOST_TEST(parsed.error().is(Errc::invalid_argument));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back_whatever_it_is) {
    const std::string alphabet[] = {"a",
                                    " ",
                                    "=",
                                    ":",
                                    "#",
                                    "!",
                                    "\\",
                                    "\n",
                                    "\r",
                                    "\t",
                                    "\f",
                                    "\xC3\xA9",
                                    "u",
                                    "0",
                                    "\x01",
                                    "\xE2\x82\xAC",
                                    "\xF0\x9F\x98\x80"};
    std::mt19937 random(20261121);  // the same texts in every run
    auto text = [&](std::size_t size) {
        std::string made;
        for (std::size_t i = 0; i < size; ++i) {
            made += alphabet[random() % std::size(alphabet)];
        }
        return made;
    };
    for (int round = 0; round < 500; ++round) {
        Properties properties;
        for (int i = 0; i < 4; ++i) {
            properties["k" + text(random() % 6)] = text(random() % 12);
        }
        const std::string written = write_properties(properties);
        auto parsed = parse_properties(written);
        BOOST_TEST_REQUIRE(parsed.has_value(), written);
        BOOST_TEST_REQUIRE((*parsed == properties), written);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
