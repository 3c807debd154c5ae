// SPDX-License-Identifier: Apache-2.0
#include "java_properties.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using server::read_properties;

namespace {

/// "key→value" of each entry.
std::vector<std::string> pairs_of(const std::string& text) {
    std::vector<std::string> pairs;
    for (const auto& property : read_properties(text)) {
        pairs.push_back(property.key + "->" + property.value);
    }
    return pairs;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server_java_properties)

BOOST_AUTO_TEST_CASE(entries_are_read_as_java_reads_them) {
    struct Row {
        std::string text;
        std::vector<std::string> pairs;
    };
    const std::vector<Row> rows{
        {"", {}},
        {"\n\r\n  \t\n", {}},
        {"# a=b\n  ! c=d\n", {}},
        {"a=b", {"a->b"}},
        {"a:b", {"a->b"}},
        {"a b", {"a->b"}},
        {"a = b", {"a->b"}},
        {"  a\t:\f b c ", {"a->b c "}},
        {"a", {"a->"}},
        {"a=", {"a->"}},
        {"a==b", {"a->=b"}},
        {"a =: b", {"a->: b"}},
        {"a b=c", {"a->b=c"}},
        {"a=b # c", {"a->b # c"}},
        {"a\\=b\\:c\\ d=e", {"a=b:c d->e"}},
        {"a=1\nb=2\r\nc=3\rd=4", {"a->1", "b->2", "c->3", "d->4"}},
        {"a=1\na=2", {"a->1", "a->2"}},
        {"a=b,\\\n   c,\\\r\n\td", {"a->b,c,d"}},
        {"a=b\\\n# no comment", {"a->b# no comment"}},
        {"# comment \\\na=b", {"a->b"}},
        {"a=b\\\\\nc=d", {"a->b\\", "c->d"}},
        {"a=b\\\\\\\nc", {"a->b\\c"}},
        {"a=b\\", {"a->b"}},
        {"\\\na=b", {"a->b"}},
        {"a=\\t\\n\\r\\f\\q\\\"", {"a->\t\n\r\fq\""}},
        {"a=\\u00e4\\u00C4", {"a->\xC3\xA4\xC3\x84"}},
        {"a=\\uD83D\\uDE00", {"a->\xF0\x9F\x98\x80"}},
        {"\xEF\xBB\xBF"
         "a=b",
         {"a->b"}},
        {"a=\xC3\xA4", {"a->\xC3\xA4"}},
        {"a=\xE4", {"a->\xC3\xA4"}},  // ISO-8859-1
        {"=b", {"->b"}},
        {"a=b=c\nd", {"a->b=c", "d->"}},
    };
    for (const Row& row : rows) {
        const auto pairs = pairs_of(row.text);
        BOOST_TEST(pairs == row.pairs, row.text);
    }
}

BOOST_AUTO_TEST_CASE(lines_are_counted) {
    const auto properties = read_properties("# x\na=1\\\n  2\r\n\r\nb=2\n");
    BOOST_TEST_REQUIRE(properties.size() == 2u);
    BOOST_TEST(properties[0].line == 2u);
    BOOST_TEST(properties[1].line == 5u);
}

BOOST_AUTO_TEST_CASE(a_malformed_escape_is_refused_with_its_line) {
    for (const std::string text : {"a=1\nb=\\u12", "a=1\nb=\\u12g4", "a=1\n\\u=1"}) {
        BOOST_CHECK_EXCEPTION(read_properties(text), std::invalid_argument,
                              [](const std::invalid_argument& mistake) {
                                  return std::string(mistake.what()).starts_with("line 2: ");
                              });
    }
}

BOOST_AUTO_TEST_SUITE_END()
