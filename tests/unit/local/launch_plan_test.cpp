// SPDX-License-Identifier: Apache-2.0
#include "backends/local/journal.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace {

using namespace sparkhost::detail;
using namespace std::string_view_literals;
using std::chrono::milliseconds;

LaunchPlan some_plan() {
    return {.arguments = {"/bin/java", "", "-cp", "a b\nc", "\xff\xfe"},
            .environment = {"A=1", "B=", "C=x=y", "A=2"},
            .directory = "/work dir",
            .output = "/work dir/driver.log",
            .grace = milliseconds{1500},
            .launcher = true};
}

std::string fault_of(std::string_view text) {
    std::string fault;
    BOOST_TEST(!decode_launch(text, fault).has_value());
    return fault;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(launch_plan)

BOOST_AUTO_TEST_CASE(a_plan_is_written_and_read_back) {
    for (const bool launcher : {false, true}) {
        auto plan = some_plan();
        plan.launcher = launcher;
        std::string fault;
        const auto read = decode_launch(encode_launch(plan), fault);
        BOOST_REQUIRE_MESSAGE(read.has_value(), fault);
        BOOST_CHECK(*read == plan);
    }
}

BOOST_AUTO_TEST_CASE(what_is_left_out_has_its_default) {
    std::string fault;
    const auto plan = decode_launch("output\0/o\0argument\0/bin/true\0directory\0/\0"sv, fault);
    BOOST_REQUIRE_MESSAGE(plan.has_value(), fault);
    BOOST_TEST(plan->environment.empty());
    BOOST_TEST(plan->grace.count() == 10000);
    BOOST_TEST(!plan->launcher);
}

BOOST_AUTO_TEST_CASE(a_plan_that_cannot_be_followed_is_faulty) {
    const auto faulty = [](auto change) {
        auto plan = some_plan();
        change(plan);
        return !launch_fault(plan).empty();
    };
    BOOST_TEST(launch_fault(some_plan()) == "");
    BOOST_TEST(faulty([](auto& p) { p.arguments.clear(); }));
    BOOST_TEST(faulty([](auto& p) { p.arguments[0] = "java"; }));
    BOOST_TEST(faulty([](auto& p) { p.arguments[0] = ""; }));
    BOOST_TEST(faulty([](auto& p) { p.arguments[1] = std::string("a\0b", 3); }));
    BOOST_TEST(faulty([](auto& p) { p.environment[0] = "A"; }));
    BOOST_TEST(faulty([](auto& p) { p.environment[0] = "=A"; }));
    BOOST_TEST(faulty([](auto& p) { p.environment[0] = ""; }));
    BOOST_TEST(faulty([](auto& p) { p.environment[0] = std::string("A=\0", 3); }));
    BOOST_TEST(faulty([](auto& p) { p.directory = "work"; }));
    BOOST_TEST(faulty([](auto& p) { p.directory = std::string("/\0", 2); }));
    BOOST_TEST(faulty([](auto& p) { p.output = ""; }));
    BOOST_TEST(faulty([](auto& p) { p.output = std::string("/\0", 2); }));
    BOOST_TEST(faulty([](auto& p) { p.grace = milliseconds{-1}; }));
    BOOST_TEST(faulty([](auto& p) { p.grace = std::chrono::hours{25}; }));
    BOOST_TEST(!faulty([](auto& p) { p.grace = milliseconds{0}; }));
}

BOOST_AUTO_TEST_CASE(a_text_that_says_anything_else_is_refused) {
    const std::string good = encode_launch(some_plan());
    BOOST_TEST(fault_of(good + std::string("niceness\0001\0"sv)) == "'niceness' is not known");
    BOOST_TEST(fault_of(good + std::string("launcher\0yes\0"sv)) == "launcher is neither 0 nor 1");
    BOOST_TEST(fault_of(good + std::string("grace_ms\0soon\0"sv)) == "grace_ms is no number");
    BOOST_TEST(fault_of(good + std::string("grace_ms\0\0"sv)) == "grace_ms is no number");
    BOOST_TEST(fault_of(good + std::string("grace_ms\0-5\0"sv)) ==
               "grace must be between 0 and 24 hours");
    BOOST_TEST(fault_of("") == "the program must be an absolute path");
}

BOOST_AUTO_TEST_CASE(a_text_cut_within_a_string_is_refused) {
    const std::string good = encode_launch(some_plan());
    for (std::size_t size = 0; size < good.size(); ++size) {
        if (size == 0 || good[size - 1] != '\0') {
            BOOST_TEST(!fault_of(std::string_view(good).substr(0, size)).empty());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
