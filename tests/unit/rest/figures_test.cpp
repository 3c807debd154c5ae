// SPDX-License-Identifier: Apache-2.0
#include "rest/metrics.hpp"
#include "rest/process_stats.hpp"

#include <boost/test/unit_test.hpp>

#include <regex>
#include <set>
#include <sstream>
#include <string>

using namespace sparkhost;
using namespace sparkhost::detail::rest;

BOOST_AUTO_TEST_SUITE(rest_figures)

BOOST_AUTO_TEST_CASE(every_line_is_prometheus_text_and_every_name_ours) {
    HostStatus status;
    status.ready = true;
    const std::string text = metrics_text(status, ProcessStats{});
    const std::regex sample(R"(sparkhost_[a-z_]+(\{[a-z]+="[^"]*"\})? [-+0-9.eInf]+)");
    const std::regex comment(R"(# (HELP|TYPE) sparkhost_[a-z_]+ .+)");
    std::istringstream lines(text);
    std::set<std::string> families;
    for (std::string line; std::getline(lines, line);) {
        const bool is_comment = line.starts_with('#');
        BOOST_TEST(std::regex_match(line, is_comment ? comment : sample), line);
        if (line.starts_with("# TYPE ")) {
            BOOST_TEST(families.insert(line.substr(7, line.find(' ', 7) - 7)).second, line);
        }
    }
    BOOST_TEST(families.size() >= 20u);
}

BOOST_AUTO_TEST_CASE(figures_stand_where_they_belong) {
    HostStatus status;
    status.draining = true;
    status.by_phase = {1, 2, 3, 4, 21, 22, 5, 6};
    status.ended_by_state = {0, 0, 7, 8, 9};
    status.queued = 11;
    status.active = 12;
    status.sessions = 13;
    status.connected_agents = 14;
    status.statements = 15;
    status.storage = {.commits = 20, .disk_commits = 10, .disk_seconds = 1.5, .failures = 2};
    ProcessStats process{.cpu_seconds = 2.5,
                         .resident_bytes = 1 << 20,
                         .threads = 3,
                         .open_files = 9,
                         .start_time = 1767225600};
    const std::string text = "\n" + metrics_text(status, process);
    for (const std::string line : {"sparkhost_ready 0",
                                   "sparkhost_draining 1",
                                   "sparkhost_batches{phase=\"accepted\"} 1",
                                   "sparkhost_batches{phase=\"attempt_ended\"} 21",
                                   "sparkhost_batches{phase=\"waiting\"} 22",
                                   "sparkhost_batches{phase=\"released\"} 6",
                                   "sparkhost_batches_ended_total{state=\"dead\"} 8",
                                   "sparkhost_batches_queued 11",
                                   "sparkhost_batches_active 12",
                                   "sparkhost_sessions 13",
                                   "sparkhost_agents_connected 14",
                                   "sparkhost_statements_ended_total 15",
                                   "sparkhost_storage_commits_total 20",
                                   "sparkhost_storage_disk_commits_total 10",
                                   "sparkhost_storage_disk_seconds_total 1.5",
                                   "sparkhost_storage_failures_total 2",
                                   "sparkhost_process_resident_memory_bytes 1048576",
                                   "sparkhost_process_threads 3",
                                   "sparkhost_process_open_fds 9",
                                   "sparkhost_process_cpu_seconds_total 2.5",
                                   "sparkhost_process_start_time_seconds 1767225600"}) {
        BOOST_TEST(text.find("\n" + line + "\n") != std::string::npos, line);
    }
}

BOOST_AUTO_TEST_CASE(histogram_buckets_are_cumulated) {
    HostStatus status;
    status.accept.counts[0] = 2;
    status.accept.counts[1] = 3;
    status.accept.counts.back() = 4;
    status.accept.count = 9;
    status.accept.sum = 1.25;
    const std::string text = metrics_text(status, std::nullopt);
    for (const std::string line :
         {"sparkhost_accept_seconds_count 9\n", "sparkhost_accept_seconds_sum 1.25\n",
          "sparkhost_accept_seconds_bucket{le=\"0.0005\"} 2\n",
          "sparkhost_accept_seconds_bucket{le=\"0.001\"} 5\n",
          "sparkhost_accept_seconds_bucket{le=\"2.5\"} 5\n",
          "sparkhost_accept_seconds_bucket{le=\"+Inf\"} 9\n"}) {
        BOOST_TEST(text.find(line) != std::string::npos, line);
    }
    BOOST_TEST(text.find("sparkhost_process") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_kernels_line_is_read_in_spite_of_odd_commands) {
    const auto line = parse_stat_line(
        "42 (a) b (c)) S 1 42 42 0 -1 4194304 100 0 0 0 17 8 0 0 20 0 5 0 123456 1000000 250 1 2 "
        "3\n");
    BOOST_TEST_REQUIRE(line.has_value());
    BOOST_TEST(line->user_ticks == 17u);
    BOOST_TEST(line->system_ticks == 8u);
    BOOST_TEST(line->threads == 5u);
    BOOST_TEST(line->start_ticks == 123456u);
    BOOST_TEST(line->resident_pages == 250u);
    BOOST_TEST(!parse_stat_line("").has_value());
    BOOST_TEST(!parse_stat_line("42 (x").has_value());
    BOOST_TEST(!parse_stat_line("42 (x)").has_value());
    BOOST_TEST(!parse_stat_line("42 (x) S 1 2 3").has_value());
}

BOOST_AUTO_TEST_CASE(this_process_has_plausible_figures) {
    const auto stats = read_process_stats();
    BOOST_TEST_REQUIRE(stats.has_value());
    BOOST_TEST(stats->resident_bytes > 1'000'000u);
    BOOST_TEST(stats->threads >= 1u);
    BOOST_TEST(stats->open_files >= 3u);
    BOOST_TEST(stats->start_time > 1'600'000'000.0);
}

BOOST_AUTO_TEST_SUITE_END()
