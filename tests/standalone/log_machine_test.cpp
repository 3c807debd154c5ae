// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/failure_words.hpp"
#include "backends/standalone/log_page.hpp"
#include "backends/standalone/master_answer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

namespace sparkhost::test::alone {

using namespace detail::guarded;
using namespace detail::standalone;

namespace log_machine_test {

LogPiece piece(std::int64_t begin, std::int64_t end, std::int64_t total, std::string text) {
    return {begin, end, total, std::move(text)};
}

/// What a reader in pieces of `size` bytes gets of a file, as a worker gives it.
std::string read_all(const std::string& file, std::int64_t size) {
    std::string got;
    std::int64_t at = 0;
    std::int64_t ask = size;
    for (int round = 0; round < 1000; ++round) {
        const auto end = std::min<std::int64_t>(at + ask, static_cast<std::int64_t>(file.size()));
        std::string text;
        for (auto i = at; i < end; ++i) {  // a worker without a locale
            const char c = file[static_cast<std::size_t>(i)];
            text += static_cast<unsigned char>(c) < 0x80 ? std::string(1, c) : "\xEF\xBF\xBD";
        }
        const auto take =
            take_lines(piece(at, end, static_cast<std::int64_t>(file.size()), text), true);
        got += take.text;
        at = take.next;
        ask = take.ask_for > 0 ? take.ask_for : size;
        if (take.at_end) {
            return got;
        }
    }
    BOOST_FAIL("it does not come to an end");
    return got;
}

}  // namespace log_machine_test

BOOST_AUTO_TEST_SUITE(standalone_log_machine)

using namespace log_machine_test;

BOOST_AUTO_TEST_CASE(a_piece_is_read_with_its_place) {
    const auto read = read_log_piece("==== Bytes 3-6 of 10 of /work/driver-1/stdout ====\nabc");
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->begin == 3);
    BOOST_TEST(read->end == 6);
    BOOST_TEST(read->total == 10);
    BOOST_TEST(read->text == "abc");
    BOOST_TEST(read_log_piece("==== Bytes 0-0 of 0 of x ====\nError: gone")->text.empty());
    for (const auto* bad : {"", "<html>", "==== Bytes 3-2 of 10 of x ====\n",
                            "==== Bytes 0-11 of 10 of x ====\n", "==== Bytes 0-1 of 10"}) {
        BOOST_TEST(!read_log_piece(bad).has_value());
    }
}

BOOST_AUTO_TEST_CASE(only_whole_lines_are_taken_until_the_file_is_final) {
    auto take = take_lines(piece(0, 6, 6, "one\ntw"), false);
    BOOST_TEST(take.text == "one\n");
    BOOST_TEST(take.next == 4);
    BOOST_TEST(take.at_end);
    take = take_lines(piece(4, 6, 6, "tw"), true);
    BOOST_TEST(take.text == "tw\n");
    BOOST_TEST(take.next == 6);
}

BOOST_AUTO_TEST_CASE(each_line_comes_once_whatever_the_bytes_and_pieces) {
    std::string file;
    std::size_t lines = 0;
    for (int i = 0; i < 40; ++i) {
        file += "line " + std::to_string(i) + (i % 3 == 0 ? " gr\xC3\xBC\xC3\x9F \xFF" : "") + "\n";
        ++lines;
    }
    for (const std::int64_t size : {30, 64, 100, 1000, 100'000}) {
        const std::string got = read_all(file, size);
        BOOST_TEST(std::count(got.begin(), got.end(), '\n') == static_cast<long>(lines));
        BOOST_TEST(got.find("line 39") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(the_reason_of_a_failure_is_found_in_its_output) {
    BOOST_TEST(failure_words("INFO x\n",
                             "a\nTraceback (most recent call last):\n  File \"x\"\n    y\n"
                             "ValueError: no such thing\n") == "ValueError: no such thing");
    BOOST_TEST(failure_words("26/11/22 WARN DependencyUtils: Local jar /x.jar does not exist, "
                             "skipping.\nError: Failed to load class M.\n",
                             "") ==
               "Local jar /x.jar does not exist, skipping. Error: Failed to load class M.");
    BOOST_TEST(failure_words("INFO\n", "python3: can't open file '/x.py': [Errno 2]\n") ==
               "can't open file '/x.py': [Errno 2]");
    BOOST_TEST(failure_words("    raise ValueError(7)\nValueError: seven\n", "") ==
               "ValueError: seven");
    BOOST_TEST(failure_words("INFO nothing\n", "hello\n").empty());
}

BOOST_AUTO_TEST_CASE(a_masters_answers_are_told_apart) {
    using Verdict = SubmissionAnswer::Verdict;
    struct Row {
        int status;
        std::string body;
        Verdict verdict;
    };
    const std::string standby = "Current state is not alive: STANDBY. Can only accept driver";
    const Row rows[] = {
        {200, R"({"action":"CreateSubmissionResponse","success":true,"submissionId":"driver-1-0"})",
         Verdict::done},
        {200, R"({"action":"CreateSubmissionResponse","success":true,"submissionId":"../x"})",
         Verdict::not_now},
        {200,
         R"({"action":"CreateSubmissionResponse","success":false,"message":")" + standby + R"("})",
         Verdict::not_alive},
        {200, R"({"action":"SubmissionStatusResponse","success":false})", Verdict::unknown_id},
        {200,
         R"({"action":"SubmissionStatusResponse","success":false,"message":"Exception from)"
         R"( the cluster:\njava.lang.Exception: )" +
             standby + R"("})",
         Verdict::not_alive},
        {400, R"({"action":"ErrorResponse","message":"Malformed request"})", Verdict::refused},
        {468, R"({"action":"ErrorResponse","message":"Unknown protocol"})", Verdict::refused},
        {500, "<html>", Verdict::not_now},
        {403, "<html>", Verdict::not_now},
        {200, "{", Verdict::not_now}};
    for (const auto& row : rows) {
        BOOST_TEST((read_submission_answer(row.status, row.body).verdict == row.verdict), row.body);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::alone
