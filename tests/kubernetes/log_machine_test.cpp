// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/log_machine.hpp"
#include "backends/kubernetes/log_file.hpp"
#include "backends/kubernetes/log_pass_machine.hpp"

#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

namespace sparkhost::detail::kubernetes {

namespace {

std::string stamped(int second, int nanosecond, const std::string& text) {
    char stamp[64];
    std::snprintf(stamp, sizeof stamp, "2024-05-01T10:00:%02d.%09dZ ", second, nanosecond);
    return stamp + text;
}

std::string joined_lines(const std::vector<std::string>& lines, std::size_t from = 0) {
    std::string text;
    for (std::size_t i = from; i < lines.size(); ++i) {
        text += lines[i] + "\n";
    }
    return text;
}

/// What a kubelet answers: the lines from this second on, each looked at by itself.
std::string lines_since(const std::vector<std::string>& lines, const std::string& since) {
    std::string text;
    const auto from = since.empty() ? std::nullopt : log_stamp(since);
    for (const std::string& line : lines) {
        if (!from || *log_stamp(line) >= *from) {
            text += line + "\n";
        }
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_log_machine)

BOOST_AUTO_TEST_CASE(stamps_are_read_in_every_zone) {
    const std::int64_t noon = 1714557600;  // 2024-05-01T10:00:00Z
    BOOST_TEST((log_stamp("2024-05-01T10:00:00Z x") == noon * 1'000'000'000));
    BOOST_TEST((log_stamp("2024-05-01T10:00:00.000000001Z x") == noon * 1'000'000'000 + 1));
    BOOST_TEST((log_stamp("2024-05-01T10:00:00.5Z") == noon * 1'000'000'000 + 500'000'000));
    BOOST_TEST((log_stamp("2024-05-01T12:00:00.1+02:00 x") == noon * 1'000'000'000 + 100'000'000));
    BOOST_TEST((log_stamp("2024-05-01T04:30:00-05:30 x") == noon * 1'000'000'000));
    for (const std::string line :
         {"", "x", "2024-05-01", "2024-05-01T10:00:00 x", "2024-05-01T10:00:00Zx",
          "2024-13-01T10:00:00Z x", "2024-05-32T10:00:00Z x", "2024-05-01T10:00:00+0200 x",
          "unable to retrieve container logs for containerd://1"}) {
        BOOST_TEST(!log_stamp(line).has_value(), line);
    }
    BOOST_TEST(log_text("2024-05-01T10:00:00Z a b") == "a b");
    BOOST_TEST(log_text("2024-05-01T10:00:00Z ") == "");
    BOOST_TEST(log_text("2024-05-01T10:00:00Z") == "");
}

BOOST_AUTO_TEST_CASE(a_stream_in_pieces_gives_whole_lines) {
    const std::string text = stamped(1, 1, "one") + "\n" + stamped(1, 2, "") + "\n" +
                             stamped(1, 3, "three") + "\n" + stamped(1, 4, "four, not ended");
    for (std::size_t size = 1; size <= text.size(); ++size) {
        LogStitcher stitcher;
        BOOST_TEST(stitcher.begin() == "");
        std::string records;
        for (std::size_t at = 0; at < text.size(); at += size) {
            records += stitcher.put(text.substr(at, size));
        }
        BOOST_TEST(records == text.substr(0, text.rfind('\n') + 1));
        BOOST_TEST(stitcher.finish() == stamped(1, 4, "four, not ended"));
    }
}

BOOST_AUTO_TEST_CASE(words_of_the_cluster_are_no_lines) {
    LogStitcher stitcher;
    stitcher.begin();
    BOOST_TEST(stitcher.put("unable to retrieve container logs\n" + stamped(1, 1, "a") + "\n") ==
               stamped(1, 1, "a") + "\n");
    BOOST_TEST(stitcher.take_remarks() == "unable to retrieve container logs");
    BOOST_TEST(stitcher.take_remarks() == "");
}

BOOST_AUTO_TEST_CASE(what_was_there_before_is_left_out_after_a_break) {
    struct Case {
        std::string name;
        std::vector<std::string> lines;
    };
    const std::vector<Case> cases{
        {"in order",
         {stamped(1, 1, "a"), stamped(1, 2, "b"), stamped(2, 1, "c"), stamped(9, 1, "d")}},
        {"equal stamps",
         {stamped(1, 1, "a"), stamped(1, 1, "b"), stamped(1, 1, "b"), stamped(1, 1, "c")}},
        {"out of order",
         {stamped(3, 5, "out"), stamped(3, 4, "err"), stamped(3, 6, "out"), stamped(2, 9, "err"),
          stamped(3, 6, "x")}},
        {"equal lines",
         {stamped(1, 1, "a"), stamped(1, 1, "a"), stamped(1, 1, "a"), stamped(1, 2, "a")}},
    };
    for (const Case& item : cases) {
        for (std::size_t cut = 0; cut <= item.lines.size(); ++cut) {
            BOOST_TEST_CONTEXT(item.name << ", cut behind line " << cut) {
                LogStitcher stitcher;
                stitcher.begin();
                const std::vector<std::string> first(
                    item.lines.begin(), item.lines.begin() + static_cast<std::ptrdiff_t>(cut));
                std::string records = stitcher.put(joined_lines(first) + "2024-05-01T10:0");
                const std::string since = stitcher.begin();
                records += stitcher.put(lines_since(item.lines, since));
                BOOST_TEST(records == joined_lines(item.lines));
                BOOST_TEST(stitcher.put("") == "");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(lines_that_were_rotated_away_in_a_break_cost_only_themselves) {
    LogStitcher stitcher;
    stitcher.begin();
    (void)stitcher.put(joined_lines({stamped(5, 1, "a"), stamped(5, 2, "b")}));
    stitcher.begin();
    const std::vector<std::string> left{stamped(5, 2, "b"), stamped(6, 1, "d")};
    BOOST_TEST(stitcher.put(joined_lines(left)) == stamped(6, 1, "d") + "\n");
}

/// Any log, cut anywhere, as often as you like, also across restarts of the host.
BOOST_AUTO_TEST_CASE(any_log_is_put_together_without_holes_and_doubles) {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> lines;
        std::int64_t at = 0;
        for (int i = 0; i < 60; ++i) {
            at += static_cast<std::int64_t>(random() % 4) * 100'000'000;
            const std::int64_t late = random() % 5 == 0 ? random() % 900'000'000 : 0;
            const auto shown = std::max<std::int64_t>(at - late, 0);
            lines.push_back(stamped(static_cast<int>(shown / 1'000'000'000),
                                    static_cast<int>(shown % 1'000'000'000),
                                    "line " + std::to_string(random() % 3)));
        }
        LogStitcher stitcher;
        std::string kept;
        std::size_t written = 0;
        while (written < lines.size()) {
            written = std::min<std::size_t>(written + random() % 9, lines.size());
            if (random() % 3 == 0) {
                stitcher = LogStitcher();
                stitcher.remember(kept);
            }
            const std::vector<std::string> now(
                lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(written));
            const std::string stream = lines_since(now, stitcher.begin());
            kept += stitcher.put(stream.substr(0, random() % (stream.size() + 1)));
        }
        kept += stitcher.put(lines_since(lines, stitcher.begin()));
        BOOST_TEST_REQUIRE(kept == joined_lines(lines));
    }
}

BOOST_AUTO_TEST_CASE(what_a_pass_decides) {
    using Action = LogPass::Action;
    const auto look = [](int status, bool ours, std::string phase) {
        PodLook seen;
        seen.status = status;
        seen.ours = ours;
        seen.phase = std::move(phase);
        return seen;
    };
    BOOST_TEST((begin_pass(look(404, false, ""), false).action == Action::nothing));
    BOOST_TEST((begin_pass(look(200, false, "Running"), false).action == Action::nothing));
    BOOST_TEST((begin_pass(look(0, false, ""), true).result == PassResult::failed));
    BOOST_TEST((begin_pass(look(503, false, ""), true).result == PassResult::failed));
    BOOST_TEST((begin_pass(look(403, false, ""), true).result == PassResult::failed));
    BOOST_TEST((begin_pass(look(200, true, "Pending"), false).result == PassResult::waiting));
    for (const std::string phase : {"Pending", "Running", "Unknown", "Succeeded", "Failed"}) {
        const auto pass = begin_pass(look(200, true, phase), true);
        BOOST_TEST((pass.action == Action::stream && pass.final));
    }
    BOOST_TEST(!begin_pass(look(200, true, "Running"), false).final);
    BOOST_TEST(begin_pass(look(200, true, "Failed"), false).final);

    const auto end = [](int status, bool regular) {
        StreamEnd seen;
        seen.status = status;
        seen.regular = regular;
        return seen;
    };
    BOOST_TEST((end_pass(end(200, true), true).action == Action::finish));
    BOOST_TEST((end_pass(end(200, false), true).result == PassResult::failed));
    BOOST_TEST((end_pass(end(200, true), false).result == PassResult::waiting));
    BOOST_TEST((end_pass(end(400, false), false).result == PassResult::waiting));
    BOOST_TEST((end_pass(end(400, false), true).action == Action::finish));
    BOOST_TEST((end_pass(end(404, false), true).action == Action::finish));
    BOOST_TEST((end_pass(end(403, false), false).result == PassResult::failed));
    BOOST_TEST((end_pass(end(403, false), true).action == Action::finish));
    for (const int status : {0, 401, 408, 429, 500, 502, 503, 504}) {
        BOOST_TEST((end_pass(end(status, false), true).result == PassResult::failed), status);
    }
}

BOOST_AUTO_TEST_CASE(a_file_knows_how_far_it_has_come) {
    const test::TempDir dir;
    const std::string one = stamped(1, 1, "one") + "\n";
    const std::string two = stamped(1, 2, "t\xffwo\r") + "\n";
    {
        LogFile file(dir.path().string(), "t-1");
        LogStitcher stitcher;
        BOOST_TEST(!file.exists());
        BOOST_TEST_REQUIRE(file.resume(stitcher).has_value());
        BOOST_TEST_REQUIRE(file.append(one).has_value());
        BOOST_TEST_REQUIRE(file.append(two).has_value());
        BOOST_TEST_REQUIRE(file.append(stamped(1, 3, "half")).has_value());  // and here it dies
    }
    LogFile file(dir.path().string(), "t-1");
    LogStitcher stitcher;
    BOOST_TEST_REQUIRE(file.resume(stitcher).has_value());
    BOOST_TEST(test::read_text(dir / "logs/t-1.growing") == one + two);
    BOOST_TEST(stitcher.begin() == "2024-05-01T09:59:59Z");
    const std::string rest = stitcher.put(one + two + stamped(1, 3, "half") + "\n");
    BOOST_TEST(rest == stamped(1, 3, "half") + "\n");
    LogRequest request;
    auto page = file.page(request);
    BOOST_TEST_REQUIRE(page.has_value());
    BOOST_TEST(page->total == 2);
    BOOST_TEST(!page->complete);
    BOOST_TEST_REQUIRE(file.append(rest).has_value());
    BOOST_TEST_REQUIRE(file.complete(stamped(1, 4, "without end")).has_value());
    BOOST_TEST(file.is_complete());
    page = file.page(request);
    BOOST_TEST_REQUIRE(page.has_value());
    BOOST_TEST(page->complete);
    const std::vector<std::string> wanted{"one", "t\xEF\xBF\xBDwo", "half", "without end"};
    BOOST_TEST(page->lines == wanted, boost::test_tools::per_element());
    request.offset = -2;
    request.limit = 1;
    page = file.page(request);
    BOOST_TEST_REQUIRE(page.has_value());
    BOOST_TEST(page->offset == 2);
    BOOST_TEST_REQUIRE(page->lines.size() == 1u);
    BOOST_TEST(page->lines[0] == "half");
    BOOST_TEST_REQUIRE(file.remove().has_value());
    BOOST_TEST(!file.exists());
    BOOST_TEST(file.page(request).error().is(Errc::not_found));
}

BOOST_AUTO_TEST_CASE(a_long_file_is_resumed_from_its_end) {
    const test::TempDir dir;
    std::vector<std::string> lines;
    for (int i = 0; i < 20000; ++i) {
        lines.push_back(stamped(i / 1000, i % 1000 * 1000, "line " + std::to_string(i)));
    }
    {
        LogFile file(dir.path().string(), "t-1");
        BOOST_TEST_REQUIRE(file.append(joined_lines(lines)).has_value());
    }
    LogFile file(dir.path().string(), "t-1");
    LogStitcher stitcher;
    BOOST_TEST_REQUIRE(file.resume(stitcher).has_value());
    lines.push_back(stamped(19, 999'999'000, "new"));
    BOOST_TEST(stitcher.put("") == "");
    const std::string stream = lines_since(lines, stitcher.begin());
    BOOST_TEST(stitcher.put(stream) == lines.back() + "\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
