// SPDX-License-Identifier: Apache-2.0
#include "rest/target.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using detail::rest::parse_java_int;
using detail::rest::parse_target;

BOOST_AUTO_TEST_SUITE(rest_target)

BOOST_AUTO_TEST_CASE(paths_are_cut_decoded_and_normalised) {
    struct Row {
        std::string text;
        std::vector<std::string> segments;
        bool trailing_slash;
    };
    const std::vector<Row> rows{
        {"/", {}, false},
        {"//", {}, false},
        {"/batches", {"batches"}, false},
        {"/batches/", {"batches"}, true},
        {"//batches//", {"batches"}, true},
        {"//batches///0//state", {"batches", "0", "state"}, false},
        {"/batches/0/", {"batches", "0"}, true},
        {"/batches/0;jsessionid=x/log", {"batches", "0", "log"}, false},
        {"/batches;a;b", {"batches"}, false},
        {"/batches/a%20b", {"batches", "a b"}, false},
        {"/batches/a+b", {"batches", "a+b"}, false},
        {"/batches/a%2Fb", {"batches", "a/b"}, false},
        {"/batches/a%3Bb", {"batches", "a;b"}, false},
        {"/batches/%C3%A9", {"batches", "\xC3\xA9"}, false},
        {"/./batches/.", {"batches"}, false},
        {"/batches/...", {"batches", "..."}, false},
        {"/batches?from=1", {"batches"}, false},
        {"/batches/?a=/b/", {"batches"}, true},
    };
    for (const Row& row : rows) {
        BOOST_TEST_CONTEXT(row.text) {
            const auto target = parse_target(row.text);
            BOOST_TEST_REQUIRE(target.has_value());
            BOOST_TEST(target->segments == row.segments, boost::test_tools::per_element());
            BOOST_TEST(target->trailing_slash == row.trailing_slash);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_target_is_refused) {
    const std::vector<std::string> rows{"",
                                        "*",
                                        "batches",
                                        "/..",
                                        "/batches/../x",
                                        "/%2e%2E/x",
                                        "/a/%2e.;x",
                                        "/%",
                                        "/%4",
                                        "/%zz",
                                        "/%00",
                                        "/a%0Ab",
                                        "/a%7F",
                                        "/%C3",
                                        "/%ED%A0%80",
                                        "/%C0%AF",
                                        "/a b",
                                        "/a?x=%0d",
                                        "/a?x=%FF",
                                        "/a#b",
                                        "mailto:x",
                                        "http:",
                                        std::string("/a\0b", 4)};
    for (const auto& text : rows) {
        BOOST_TEST_CONTEXT("'" << text << "'") {
            const auto target = parse_target(text);
            BOOST_TEST_REQUIRE(target.has_error());
            BOOST_TEST(target.error().is(Errc::invalid_argument));
            BOOST_TEST(target.error().detail.starts_with("The request target is not valid: "));
        }
    }
}

BOOST_AUTO_TEST_CASE(parameters_are_decoded_and_the_first_counts) {
    const auto target = parse_target("/x?a=1&b=a+b%20c&&a=2&empty=&bare&%61b=%26&=nameless");
    BOOST_TEST_REQUIRE(target.has_value());
    BOOST_TEST(*target->param("a") == "1");
    BOOST_TEST(*target->param("b") == "a b c");
    BOOST_TEST(*target->param("empty") == "");
    BOOST_TEST(*target->param("bare") == "");
    BOOST_TEST(*target->param("ab") == "&");
    BOOST_TEST((target->param("c") == nullptr));
}

BOOST_AUTO_TEST_CASE(an_absolute_target_gives_its_path_and_authority) {
    const auto target = parse_target("http://spark.example.org:8998//batches/0?from=1");
    BOOST_TEST_REQUIRE(target.has_value());
    BOOST_TEST(target->authority == "spark.example.org:8998");
    BOOST_TEST(target->segments == (std::vector<std::string>{"batches", "0"}),
               boost::test_tools::per_element());
    BOOST_TEST(*target->param("from") == "1");
    BOOST_TEST(parse_target("http://host")->segments.empty());
    BOOST_TEST(*parse_target("http://host?a=/b")->param("a") == "/b");
}

BOOST_AUTO_TEST_CASE(integers_are_read_as_java_reads_them) {
    BOOST_TEST(*parse_java_int("0") == 0);
    BOOST_TEST(*parse_java_int("-1") == -1);
    BOOST_TEST(*parse_java_int("+7") == 7);
    BOOST_TEST(*parse_java_int("2147483647") == 2147483647);
    BOOST_TEST(*parse_java_int("-2147483648") == -2147483648LL);
    for (const std::string text :
         {"", "x", "1x", " 1", "1 ", "+", "-", "+-1", "1.0", "2147483648", "0x1", "99999999999"}) {
        BOOST_TEST_CONTEXT("'" << text << "'") {
            const auto number = parse_java_int(text);
            BOOST_TEST_REQUIRE(number.has_error());
            BOOST_TEST(number.error().detail == "For input string: \"" + text + "\"");
        }
    }
}

BOOST_AUTO_TEST_CASE(an_absent_parameter_gives_the_fallback) {
    const auto target = parse_target("/x?from=3&size=");
    BOOST_TEST(*detail::rest::int_param(*target, "from", 0) == 3);
    BOOST_TEST(*detail::rest::int_param(*target, "other", 100) == 100);
    BOOST_TEST(detail::rest::int_param(*target, "size", 100).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
