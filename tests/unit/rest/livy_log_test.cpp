// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_log.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

using namespace sparkhost;
using namespace sparkhost::detail::rest;

namespace {

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

/// A driver's output that is read as a backend reads it.
struct Output {
    std::vector<std::string> lines{};
    std::size_t lines_per_page{1000};

    LogPage read(const LogAssembly::Read& wanted) const {
        const auto total = static_cast<std::int64_t>(lines.size());
        LogPage page;
        page.total = total;
        page.offset = wanted.offset < 0 ? std::max<std::int64_t>(0, total + wanted.offset)
                                        : std::min(wanted.offset, total);
        const auto limit = std::min(wanted.limit, lines_per_page);
        for (auto i = page.offset; i < total && page.lines.size() < limit; ++i) {
            page.lines.push_back(lines[static_cast<std::size_t>(i)]);
        }
        return page;
    }
};

LogView view_of(const Output& output, LogWindow window, std::vector<std::string> suffix,
                std::size_t max_bytes = no_limit) {
    LogAssembly assembly(window, std::move(suffix), max_bytes);
    for (int reads = 0; const auto wanted = assembly.next(); ++reads) {
        BOOST_TEST_REQUIRE(reads < 100'000, "it never ends");
        assembly.add(output.read(*wanted));
    }
    return assembly.take();
}

Output numbered(std::size_t count) {
    Output output;
    for (std::size_t i = 0; i < count; ++i) {
        output.lines.push_back("line " + std::to_string(i));
    }
    return output;
}

const std::vector<std::string> marker{"\nstderr: "};

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_livy_log)

BOOST_AUTO_TEST_CASE(every_window_is_the_slice_that_livy_would_give) {
    const std::vector<std::string> suffix{"\nstderr: ", "it failed", "badly"};
    for (const std::size_t count : {0u, 1u, 2u, 5u, 30u}) {
        for (const std::size_t page : {1u, 4u, 1000u}) {
            Output output = numbered(count);
            output.lines_per_page = page;
            std::vector<std::string> all{"stdout: "};
            all.insert(all.end(), output.lines.begin(), output.lines.end());
            all.insert(all.end(), suffix.begin(), suffix.end());
            const auto total = static_cast<std::int64_t>(all.size());
            for (std::int64_t from = -2; from <= total + 2; ++from) {
                for (std::int64_t size = -2; size <= total + 2; ++size) {
                    BOOST_TEST_INFO_SCOPE(count << " lines, pages of " << page << ", from " << from
                                                << ", size " << size);
                    const auto view = view_of(output, {from, size}, suffix);
                    const auto length = size < 0 ? total : size;
                    const auto begin = from < 0 ? std::max<std::int64_t>(0, total - length) : from;
                    const auto first = std::min(begin, total);
                    const auto last = std::min(begin + length, total);
                    const std::vector<std::string> expected(all.begin() + first,
                                                            all.begin() + std::max(first, last));
                    BOOST_TEST(view.from == begin);
                    BOOST_TEST(view.total == total);
                    BOOST_TEST(view.lines == expected, boost::test_tools::per_element());
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_long_log_is_given_whole) {
    const auto view = view_of(numbered(25'000), {.from = -1, .size = -1}, marker);
    BOOST_TEST(view.from == 0);
    BOOST_TEST(view.total == 25'002);
    BOOST_TEST_REQUIRE(view.lines.size() == 25'002u);
    BOOST_TEST(view.lines.front() == "stdout: ");
    BOOST_TEST(view.lines[25'000] == "line 24999");
    BOOST_TEST(view.lines.back() == "\nstderr: ");
}

BOOST_AUTO_TEST_CASE(the_end_of_a_long_log_is_read_once) {
    const Output output = numbered(25'000);
    LogAssembly assembly({.from = -1, .size = 10}, marker, no_limit);
    const auto wanted = assembly.next();
    BOOST_TEST_REQUIRE(wanted.has_value());
    BOOST_TEST(wanted->offset == -9);
    assembly.add(output.read(*wanted));
    BOOST_TEST(!assembly.next().has_value());
    BOOST_TEST(assembly.take().lines.front() == "line 24991");
}

BOOST_AUTO_TEST_CASE(what_is_too_long_is_cut_and_can_be_continued) {
    const Output output = numbered(10);  // lines of 6 bytes
    const auto first = view_of(output, {.from = 0, .size = 100}, marker, 20);
    BOOST_TEST(first.total == 12);
    BOOST_TEST(first.lines == (std::vector<std::string>{"stdout: ", "line 0", "line 1", "line 2"}),
               boost::test_tools::per_element());
    std::vector<std::string> all = first.lines;
    while (static_cast<std::int64_t>(all.size()) < first.total) {
        const auto from = static_cast<std::int64_t>(all.size());
        const auto next = view_of(output, {.from = from, .size = 100}, marker, 20);
        BOOST_TEST_REQUIRE(!next.lines.empty());
        all.insert(all.end(), next.lines.begin(), next.lines.end());
    }
    BOOST_TEST(all == view_of(output, {.from = 0, .size = 100}, marker).lines,
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_line_longer_than_the_limit_still_comes) {
    Output output;
    output.lines = {std::string(100, 'x'), "short"};
    const auto view = view_of(output, {.from = 1, .size = 100}, marker, 20);
    BOOST_TEST(view.lines.size() == 1u);
    BOOST_TEST(view.lines.at(0).size() == 100u);
}

BOOST_AUTO_TEST_CASE(output_that_shrinks_meanwhile_does_not_hang) {
    LogAssembly assembly({.from = 0, .size = 100}, marker, no_limit);
    Output output = numbered(10);
    output.lines_per_page = 3;
    assembly.add(output.read(*assembly.next()));
    output.lines.resize(3);
    BOOST_TEST_REQUIRE(assembly.next().has_value());
    assembly.add(output.read(*assembly.next()));
    BOOST_TEST(!assembly.next().has_value());
    BOOST_TEST(assembly.take().lines.size() == 4u);
}

BOOST_AUTO_TEST_CASE(the_reason_of_a_failure_stands_behind_the_marker) {
    BatchRecord record;
    record.phase = BatchPhase::ended;
    record.outcome = Outcome::failed;
    record.reason = "file not found: /x.py\ncheck the path";
    BOOST_TEST(log_suffix(record) == (std::vector<std::string>{
                                         "\nstderr: ", "file not found: /x.py", "check the path"}),
               boost::test_tools::per_element());
    record.outcome = Outcome::success;
    BOOST_TEST(log_suffix(record) == marker, boost::test_tools::per_element());
    record.outcome = Outcome::none;
    record.phase = BatchPhase::running;
    BOOST_TEST(log_suffix(record) == marker, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_kept_log_has_ten_lines_with_the_markers) {
    BatchRecord record;
    BOOST_TEST(kept_log(record) == (std::vector<std::string>{"stdout: ", "\nstderr: "}),
               boost::test_tools::per_element());
    record.phase = BatchPhase::released;
    record.outcome = Outcome::success;
    record.log_tail = {"a", "b"};
    BOOST_TEST(kept_log(record) == (std::vector<std::string>{"stdout: ", "a", "b", "\nstderr: "}),
               boost::test_tools::per_element());
    record.log_tail = numbered(10).lines;
    const auto log = kept_log(record);
    BOOST_TEST(log.size() == 10u);
    BOOST_TEST(log.front() == "line 1");
    BOOST_TEST(log.back() == "\nstderr: ");
}

BOOST_AUTO_TEST_SUITE_END()
