// SPDX-License-Identifier: Apache-2.0
#include "testing/backend_rig.hpp"

#include <algorithm>

namespace sparkhost::testing::backend_cases {

namespace {

using Lines = std::vector<std::string>;

asio::awaitable<LogPage> page(Rig& rig, const Job& job, std::int64_t offset, std::size_t limit,
                              Here here = Here::current()) {
    LogRequest request;
    request.ticket = job.ticket;
    request.offset = offset;
    request.limit = limit;
    auto got = value_of(co_await rig.read_log(request), here);
    expect(got.lines.size() <= limit, "more lines than asked for", here);
    co_return got;
}

asio::awaitable<LogPage> whole_log(Rig& rig, const Job& job, Here here = Here::current()) {
    return page(rig, job, 0, 1'000'000, here);
}

Case the_log_has_what_was_printed(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    const auto log = co_await whole_log(rig, job);
    expect(log.complete, "the log of an ended application is not complete");
    expect(log.offset == 0 && log.total == static_cast<std::int64_t>(log.lines.size()),
           "the whole log has not its own number of lines");
    auto at = log.lines.begin();
    for (const std::string line : {"one", "two", "three"}) {
        at = std::find(at, log.lines.end(), line);
        expect(at != log.lines.end(), "the printed line \"" + line + "\" is missing");
    }
}

Case pages_put_together_are_the_log(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    const auto log = co_await whole_log(rig, job);
    const auto size = (log.lines.size() + 2) / 3;
    Lines lines;
    while (lines.size() < log.lines.size()) {
        const auto next = co_await page(rig, job, static_cast<std::int64_t>(lines.size()), size);
        expect(!next.lines.empty(), "a page before the end is empty");
        expect(next.offset == static_cast<std::int64_t>(lines.size()),
               "a page begins at another line than asked for");
        expect(next.total == log.total, "the total differs from page to page");
        lines.insert(lines.end(), next.lines.begin(), next.lines.end());
    }
    expect(lines == log.lines, "the pages are not the log");
    const auto beyond = co_await page(rig, job, log.total, 10);
    expect(beyond.lines.empty() && beyond.complete, "there are lines beyond the last one");
}

Case a_negative_offset_counts_from_the_end(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    const auto log = co_await whole_log(rig, job);
    const auto last = co_await page(rig, job, -2, 100);
    expect(last.lines == Lines(log.lines.end() - 2, log.lines.end()),
           "offset -2 does not give the last two lines");
    expect(last.offset == log.total - 2, "the page's offset is not the number of its first line");
    const auto first_of_three = co_await page(rig, job, -3, 1);
    expect(first_of_three.lines == Lines{*(log.lines.end() - 3)},
           "offset -3 with limit 1 does not give the last but two");
    const auto all = co_await page(rig, job, -log.total - 5, 1'000'000);
    expect(all.lines == log.lines && all.offset == 0,
           "a negative offset beyond the beginning does not give all");
}

Case a_page_stops_at_its_bytes_but_has_a_line(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    LogRequest request;
    request.ticket = job.ticket;
    request.offset = -3;
    request.max_bytes = 1;
    const auto got = value_of(co_await rig.read_log(request));
    expect(got.lines.size() == 1,
           "max_bytes 1 gives " + std::to_string(got.lines.size()) + " lines instead of one");
}

Case following_ends_with_the_application(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::endless);
    co_await rig.until(job, ApplicationState::started);
    LogRequest request;
    request.ticket = job.ticket;
    request.follow = true;
    asio::cancellation_signal unused;
    bool killed = false;
    for (LogPage got; !got.complete;) {
        auto reading = rig.begin_read_log(request, unused);
        if (!killed) {
            value_of(co_await rig.kill(job));
            killed = true;
        }
        got =
            value_of(co_await rig.finish(reading, "a following read_log of a killed application"));
        expect(got.complete || !got.lines.empty(), "following came back without any news");
        request.offset = got.offset + static_cast<std::int64_t>(got.lines.size());
    }
    co_await rig.until_ended(job);
}

Case following_a_complete_log_does_not_wait(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    const auto log = co_await whole_log(rig, job);
    LogRequest request;
    request.ticket = job.ticket;
    request.offset = log.total;
    request.follow = true;
    const auto got = value_of(co_await rig.read_log(request));
    expect(got.complete && got.lines.empty(), "there are lines beyond a complete log");
}

Case following_can_be_cancelled(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::endless);
    co_await rig.until(job, ApplicationState::started);
    asio::cancellation_signal signal;
    LogRequest request;
    request.ticket = job.ticket;
    request.offset = 1'000'000;
    request.follow = true;
    for (std::size_t round = 0; round < rig.options.race_rounds; ++round) {
        auto reading = rig.begin_read_log(request, signal);
        co_await rig.yield(round + 1);
        signal.emit(asio::cancellation_type::terminal);
        const auto ignored = co_await rig.finish(reading, "a cancelled read_log");
        (void)ignored;
    }
    value_of(co_await rig.kill(job));
    co_await rig.until_ended(job);
}

Case the_log_outlives_a_restart(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    const auto before = co_await whole_log(rig, job);
    co_await rig.restart();
    const auto after = co_await whole_log(rig, job);
    expect(after.lines == before.lines && after.complete, "a restart has changed the log");
}

Case release_keeps_the_log_or_not_as_asked(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    const auto before = co_await whole_log(rig, job);
    value_of(co_await rig.release(job, true));
    const auto kept = co_await whole_log(rig, job);
    expect(kept.lines == before.lines, "the log that was to be kept has changed");
    co_await rig.restart();
    const auto still = co_await whole_log(rig, job);
    expect(still.lines == before.lines, "the log that was to be kept is gone after a restart");
    value_of(co_await rig.release(job, false));
    LogRequest request;
    request.ticket = job.ticket;
    expect_error(co_await rig.read_log(request), Errc::not_found);
}

Case what_never_ran_has_no_log(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.reserve(Program::succeeds);
    LogRequest request;
    request.ticket = job.ticket;
    expect_error(co_await rig.read_log(request), Errc::not_found);
    request.ticket.id = "nobody-knows-this-ticket-1";
    expect_error(co_await rig.read_log(request), Errc::not_found);
}

Case logs_are_declared_as_not_served(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    LogRequest request;
    request.ticket = job.ticket;
    expect_error(co_await rig.read_log(request), Errc::not_supported);
}

}  // namespace

void add_log_cases(std::vector<BackendCase>& cases, const BackendConformanceOptions& options) {
    if (!options.serves_logs) {
        cases.push_back(
            {"logs_are_declared_as_not_served", options, logs_are_declared_as_not_served});
        return;
    }
    cases.insert(
        cases.end(),
        {{"the_log_has_what_was_printed", options, the_log_has_what_was_printed},
         {"pages_put_together_are_the_log", options, pages_put_together_are_the_log},
         {"a_negative_offset_counts_from_the_end", options, a_negative_offset_counts_from_the_end},
         {"a_page_stops_at_its_bytes_but_has_a_line", options,
          a_page_stops_at_its_bytes_but_has_a_line},
         {"following_ends_with_the_application", options, following_ends_with_the_application},
         {"following_a_complete_log_does_not_wait", options,
          following_a_complete_log_does_not_wait},
         {"following_can_be_cancelled", options, following_can_be_cancelled},
         {"the_log_outlives_a_restart", options, the_log_outlives_a_restart},
         {"release_keeps_the_log_or_not_as_asked", options, release_keeps_the_log_or_not_as_asked},
         {"what_never_ran_has_no_log", options, what_never_ran_has_no_log}});
}

}  // namespace sparkhost::testing::backend_cases
