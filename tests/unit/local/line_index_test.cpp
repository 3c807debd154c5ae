// SPDX-License-Identifier: Apache-2.0
#include "backends/common/line_index.hpp"
#include "backends/common/posix_file.hpp"
#include "backends/local/log_reader.hpp"

#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail::local {

namespace {

using Lines = std::vector<std::string>;

/// A ticket with a log, on disk.
struct LogOnDisk {
    LogOnDisk() { log.ticket = "t-1"; }
    void write(const std::string& text) { dir.write("tickets/t-1/driver.log", text); }
    void journal(const std::string& text) {
        dir.write("tickets/t-1/claim", "supervisor 1 1 boot\n");
        dir.write("tickets/t-1/journal", text);
    }
    Result<LogPage> page(std::int64_t offset, std::size_t limit = 100,
                         std::size_t max_bytes = 1 << 20) {
        LogRequest request;
        request.ticket.id = "t-1";
        request.offset = offset;
        request.limit = limit;
        request.max_bytes = max_bytes;
        return read_log_page(WorkPaths{dir.path().string()}, log, request);
    }
    test::TempDir dir{};
    IndexedLog log{};
};

std::string numbered_lines(int first, int count) {
    std::string text;
    for (int i = first; i < first + count; ++i) {
        text += "line " + std::to_string(i) + "\n";
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(line_index)

BOOST_AUTO_TEST_CASE(any_line_of_a_long_log_is_found) {
    LogOnDisk disk;
    disk.write(numbered_lines(0, 5000));
    for (int offset : {0, 1, 1023, 1024, 1025, 2047, 2048, 4999}) {
        auto page = disk.page(offset, 2);
        BOOST_TEST_REQUIRE(page.has_value());
        BOOST_TEST(page->total == 5000);
        BOOST_TEST(page->offset == offset);
        BOOST_TEST_REQUIRE(!page->lines.empty());
        BOOST_TEST(page->lines[0] == "line " + std::to_string(offset));
        BOOST_TEST(page->lines.size() == (offset == 4999 ? 1u : 2u));
    }
    BOOST_TEST(disk.page(5000)->lines.empty());
    BOOST_TEST(disk.page(999'999)->lines.empty());
}

BOOST_AUTO_TEST_CASE(a_negative_offset_counts_from_the_end) {
    LogOnDisk disk;
    disk.write(numbered_lines(0, 10));
    BOOST_TEST(disk.page(-3)->lines == (Lines{"line 7", "line 8", "line 9"}),
               boost::test_tools::per_element());
    BOOST_TEST(disk.page(-3)->offset == 7);
    BOOST_TEST(disk.page(-100)->lines.size() == 10u);
    BOOST_TEST(disk.page(-100)->offset == 0);
}

BOOST_AUTO_TEST_CASE(growth_is_read_without_reading_all_again) {
    LogOnDisk disk;
    std::string text;
    for (int round = 0; round < 5; ++round) {
        text += numbered_lines(round * 700, 700);
        disk.write(text);
        auto page = disk.page(-1);
        BOOST_TEST(page->total == (round + 1) * 700);
        BOOST_TEST(page->lines == (Lines{"line " + std::to_string(round * 700 + 699)}),
                   boost::test_tools::per_element());
    }
    BOOST_TEST(disk.page(1500, 1)->lines[0] == "line 1500");
}

BOOST_AUTO_TEST_CASE(a_shorter_or_other_file_is_read_anew) {
    LogOnDisk disk;
    disk.write(numbered_lines(0, 100));
    BOOST_TEST(disk.page(0)->total == 100);
    disk.write("short\n");
    BOOST_TEST(disk.page(0)->total == 1);
    std::filesystem::remove(disk.dir / "tickets/t-1/driver.log");
    disk.write(numbered_lines(500, 200));
    BOOST_TEST(disk.page(0, 1)->lines[0] == "line 500");
}

BOOST_AUTO_TEST_CASE(an_unfinished_line_counts_once_the_application_has_ended) {
    LogOnDisk disk;
    disk.write("one\ntw");
    auto page = disk.page(0);
    BOOST_TEST(page->lines == (Lines{"one"}), boost::test_tools::per_element());
    BOOST_TEST(page->total == 1);
    BOOST_TEST(!page->complete);
    disk.journal("1 started\n2 ended exit 0\n");
    page = disk.page(0);
    BOOST_TEST(page->lines == (Lines{"one", "tw"}), boost::test_tools::per_element());
    BOOST_TEST(page->total == 2);
    BOOST_TEST(page->complete);
}

BOOST_AUTO_TEST_CASE(lines_are_made_fit_to_be_shown) {
    LogOnDisk disk;
    disk.write(std::string("crlf\r\nbad \xFF\xC3(\n\n\0nul\n", 20));
    const Lines expected{"crlf", "bad \xEF\xBF\xBD\xEF\xBF\xBD(", "", std::string("\0nul", 4)};
    BOOST_TEST((disk.page(0)->lines == expected));
}

BOOST_AUTO_TEST_CASE(a_very_long_line_is_cut_with_a_note_and_not_within_a_character) {
    LogOnDisk disk;
    std::string line = "x";
    while (line.size() < 200'000) {
        line += "\xE2\x82\xAC";
    }
    disk.write("before\n" + line + "\nafter\n");
    auto page = disk.page(0);
    BOOST_TEST_REQUIRE(page->lines.size() == 3u);
    const std::string& cut = page->lines[1];
    BOOST_TEST(cut.size() < LineIndex::longest_line + 100);
    BOOST_TEST(cut.find("\xEF\xBF\xBD") == std::string::npos);
    BOOST_TEST(cut.ends_with(" bytes more]"));
    BOOST_TEST(page->lines[2] == "after");
}

BOOST_AUTO_TEST_CASE(a_page_stops_at_its_bytes_but_has_one_line_at_least) {
    LogOnDisk disk;
    disk.write("12345\n12345\n12345\n");
    BOOST_TEST(disk.page(0, 100, 10)->lines.size() == 2u);
    BOOST_TEST(disk.page(0, 100, 11)->lines.size() == 2u);
    BOOST_TEST(disk.page(0, 100, 1)->lines.size() == 1u);
    BOOST_TEST(disk.page(0, 0)->lines.empty());
}

BOOST_AUTO_TEST_CASE(without_output_there_is_an_empty_page_and_without_ticket_none) {
    LogOnDisk disk;
    auto missing = disk.page(0);
    BOOST_TEST_REQUIRE(missing.has_error());
    BOOST_TEST(missing.error().is(Errc::not_found));
    disk.journal("1 claimed 1 1 boot\n");
    auto page = disk.page(0);
    BOOST_TEST_REQUIRE(page.has_value());
    BOOST_TEST(page->total == 0);
    BOOST_TEST(!page->complete);
    disk.dir.write("tickets/t-1/claim", "killed 1\n");
    BOOST_TEST(disk.page(0)->complete);
}

BOOST_AUTO_TEST_CASE(only_an_empty_page_of_a_living_application_makes_a_follower_wait) {
    LogRequest request;
    request.follow = true;
    LogPage page;
    BOOST_TEST(is_waiting_page(page, request));
    page.complete = true;
    BOOST_TEST(!is_waiting_page(page, request));
    page.complete = false;
    page.lines = {"x"};
    BOOST_TEST(!is_waiting_page(page, request));
    page.lines.clear();
    request.follow = false;
    BOOST_TEST(!is_waiting_page(page, request));
}

BOOST_AUTO_TEST_CASE(the_indexes_read_last_are_kept) {
    LogReader reader;
    auto first = reader.log("t-0");
    for (int i = 1; i < 64; ++i) {
        reader.log("t-" + std::to_string(i));
    }
    BOOST_TEST(reader.log("t-0") == first);  // and so the next one to go is t-1
    auto second = reader.log("t-2");
    reader.log("t-64");
    BOOST_TEST(reader.log("t-0") == first);
    BOOST_TEST(reader.log("t-2") == second);
    reader.forget("t-0");
    BOOST_TEST(reader.log("t-0") != first);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::local
