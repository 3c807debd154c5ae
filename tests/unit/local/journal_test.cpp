// SPDX-License-Identifier: Apache-2.0
#include "backends/local/journal.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace sparkhost::detail;
using namespace std::string_view_literals;

constexpr JournalTime noon{std::chrono::milliseconds{1795257694749}};
const ProcessIdentity supervisor{4242, 987654321, "20e28b2b-94f6-4212-aceb-52da37b7b3cf"};

struct Line {
    std::string text;
    JournalEntry entry;
};

const std::vector<Line> lines{
    {"1795257694749 claimed 4242 987654321 20e28b2b-94f6-4212-aceb-52da37b7b3cf\n",
     {.time = noon, .word = JournalWord::claimed, .process = supervisor}},
    {"1795257694749 process 4243 987654322\n",
     {.time = noon, .word = JournalWord::process, .process = {4243, 987654322, ""}}},
    {"1795257694749 started\n", {.time = noon, .word = JournalWord::started}},
    {"1795257694749 exec_failed 2 cannot run /x: No such file or directory\n",
     {.time = noon,
      .word = JournalWord::exec_failed,
      .text = "cannot run /x: No such file or directory",
      .number = 2}},
    {"1795257694749 connected 4.3.0\n",
     {.time = noon, .word = JournalWord::connected, .text = "4.3.0"}},
    {"1795257694749 application local-1795257694749\n",
     {.time = noon, .word = JournalWord::application, .text = "local-1795257694749"}},
    {"1795257694749 state RUNNING\n",
     {.time = noon, .word = JournalWord::state, .text = "RUNNING"}},
    {"1795257694749 kill_requested\n", {.time = noon, .word = JournalWord::kill_requested}},
    {"1795257694749 ended exit 3\n",
     {.time = noon, .word = JournalWord::ended, .end = JournalEnd::exited, .number = 3}},
    {"1795257694749 ended signal 15\n",
     {.time = noon, .word = JournalWord::ended, .end = JournalEnd::signaled, .number = 15}},
    {"1795257694749 ended failed 127\n",
     {.time = noon, .word = JournalWord::ended, .end = JournalEnd::failed, .number = 127}},
    {"1795257694749 ended unknown\n", {.time = noon, .word = JournalWord::ended}},
};

std::string whole_journal() {
    std::string text;
    for (const auto& line : lines) {
        text += line.text;
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(journal)

BOOST_AUTO_TEST_CASE(each_kind_of_line_is_written_and_read_back) {
    for (const auto& line : lines) {
        BOOST_TEST_CONTEXT(line.text) {
            BOOST_TEST(format_journal_line(line.entry) == line.text);
            const auto entry = parse_journal_line(line.text.substr(0, line.text.size() - 1));
            BOOST_REQUIRE(entry.has_value());
            BOOST_CHECK(*entry == line.entry);
        }
    }
}

BOOST_AUTO_TEST_CASE(control_characters_become_blanks) {
    const JournalEntry entry{.word = JournalWord::state, .text = "A\nB\x01\x7f\tC"};
    BOOST_TEST(format_journal_line(entry) == "0 state A B   C\n");
}

BOOST_AUTO_TEST_CASE(long_texts_are_cut_between_characters) {
    const auto cut_of = [](std::string text) {
        const auto line = format_journal_line({.word = JournalWord::state, .text = text});
        return parse_journal_line(std::string_view(line).substr(0, line.size() - 1))->text;
    };
    BOOST_TEST(cut_of(std::string(4096, 'x')).size() == 4096U);
    BOOST_TEST(cut_of(std::string(5000, 'x')).size() == 4096U);
    BOOST_TEST(cut_of(std::string(4095, 'x') + "\xc3\xa9").size() == 4095U);
    BOOST_TEST(cut_of(std::string(4094, 'x') + "\xc3\xa9").size() == 4096U);
}

BOOST_AUTO_TEST_CASE(what_is_no_line_is_not_read) {
    for (const std::string_view line : {""sv,
                                        " "sv,
                                        "1"sv,
                                        "1 "sv,
                                        "started"sv,
                                        "x started"sv,
                                        "1 unheard_of"sv,
                                        "1 started now"sv,
                                        "1  started"sv,
                                        "1 process"sv,
                                        "1 process 5"sv,
                                        "1 process 0 5"sv,
                                        "1 process -5 5"sv,
                                        "1 process 5 5 5"sv,
                                        "1 process 5x 5"sv,
                                        "1 claimed 5 5"sv,
                                        "1 claimed 5 5 "sv,
                                        "1 claimed 5 5 a b"sv,
                                        "1 ended"sv,
                                        "1 ended exit"sv,
                                        "1 ended exit x"sv,
                                        "1 ended exit 1 2"sv,
                                        "1 ended unknown 1"sv,
                                        "1 ended well 0"sv,
                                        "1 exec_failed"sv,
                                        "1 exec_failed x y"sv,
                                        "1 state A\x18"sv,
                                        "1 state A\rB"sv,
                                        "99999999999999999999 started"sv}) {
        BOOST_TEST_CONTEXT("'" << line << "'") {
            BOOST_TEST(!parse_journal_line(line).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_journal_cut_anywhere_gives_its_complete_lines) {
    const auto text = whole_journal();
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        std::size_t complete = 0;
        for (std::size_t end = 0; complete < lines.size(); ++complete) {
            end += lines[complete].text.size();
            if (end > cut) {
                break;
            }
        }
        const auto entries = parse_journal(std::string_view(text).substr(0, cut));
        BOOST_TEST(entries.size() == complete, "cut at " << cut);
    }
}

BOOST_AUTO_TEST_CASE(a_torn_line_does_not_count_even_when_another_line_follows) {
    const std::string end = "5 ended unknown\n";
    for (std::size_t size = 1; size <= 14; ++size) {
        const auto torn = std::string("1 started\n4 ended exit 15").substr(0, 10 + size);
        const auto entries = parse_journal(torn + std::string(torn_line_end) + end);
        BOOST_TEST_CONTEXT(torn) {
            BOOST_REQUIRE(entries.size() == 2U);
            BOOST_CHECK(entries.back().end == JournalEnd::unknown);
        }
    }
}

BOOST_AUTO_TEST_CASE(unknown_lines_are_passed_over) {
    const auto entries = parse_journal("1 started\n2 invented 7\n\n3 kill_requested\n");
    BOOST_REQUIRE(entries.size() == 2U);
    BOOST_CHECK(entries[1].word == JournalWord::kill_requested);
}

BOOST_AUTO_TEST_CASE(a_stream_gives_each_entry_once_as_it_becomes_complete) {
    std::string buffer;
    std::vector<JournalEntry> entries;
    for (const char c : whole_journal()) {
        buffer += c;
        for (auto& entry : take_journal_entries(buffer)) {
            entries.push_back(entry);
        }
    }
    BOOST_TEST(buffer.empty());
    BOOST_REQUIRE(entries.size() == lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        BOOST_CHECK(entries[i] == lines[i].entry);
    }
}

BOOST_AUTO_TEST_CASE(claims_are_written_and_read_back) {
    const Claim started{.supervisor = supervisor};
    const Claim killed{.killed = true, .killed_at = noon};
    BOOST_TEST(format_claim(started) ==
               "supervisor 4242 987654321 20e28b2b-94f6-4212-aceb-52da37b7b3cf\n");
    BOOST_TEST(format_claim(killed) == "killed 1795257694749\n");
    BOOST_CHECK(parse_claim(format_claim(started)) == started);
    BOOST_CHECK(parse_claim(format_claim(killed)) == killed);
    Claim given_up = killed;
    given_up.given_up = "no such\nprogram";
    BOOST_TEST(format_claim(given_up) == "given-up 1795257694749 no such program\n");
    given_up.given_up = "no such program";
    BOOST_CHECK(parse_claim(format_claim(given_up)) == given_up);
}

BOOST_AUTO_TEST_CASE(what_is_no_claim_is_not_read) {
    for (const std::string_view text :
         {""sv, "\n"sv, "killed\n"sv, "killed x\n"sv, "killed 5"sv, "killed 5\n\n"sv,
          "given-up\n"sv, "given-up 5\n"sv, "given-up 5 \n"sv, "given-up x why\n"sv,
          "supervisor 1 2 b"sv, "supervisor 1 2\n"sv, "supervisor 0 2 b\n"sv,
          "supervisor 1 2 b c\n"sv, "owner 1 2 b\n"sv, "supervisor 1 2 \n"sv}) {
        BOOST_TEST_CONTEXT("'" << text << "'") {
            BOOST_TEST(!parse_claim(text).has_value());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
