// SPDX-License-Identifier: Apache-2.0
#include "testing/backend_rig.hpp"

namespace sparkhost::testing::backend_cases {

namespace {

void expect_killed(const ApplicationStatus& end, const Here& here = Here::current()) {
    expect(end.outcome == Outcome::killed,
           "the outcome is " + std::string(to_string(end.outcome)) + ", not killed: " + end.reason,
           here);
}

Case killing_what_runs_ends_it(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::endless);
    co_await rig.until(job, ApplicationState::started);
    value_of(co_await rig.kill(job));
    const auto end = co_await rig.until_ended(job);
    expect_killed(end);
}

Case killing_right_after_submit_ends_it(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::endless);
    value_of(co_await rig.kill(job));
    const auto end = co_await rig.until_ended(job);
    expect_killed(end);
}

Case a_kill_before_submit_takes_the_ticket(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.reserve(Program::succeeds);
    value_of(co_await rig.kill(job));
    const auto end = co_await rig.until_ended(job);
    expect_killed(end);
    expect_error(co_await rig.submit(job), Errc::invalid_state);
    const auto starts = co_await rig.settled_starts(job);
    expect(starts == 0, "user code ran after kill");
}

Case a_kill_before_submit_outlives_a_restart(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.reserve(Program::succeeds);
    value_of(co_await rig.kill(job));
    co_await rig.restart();
    const auto end = co_await rig.until_ended(job);
    expect_killed(end);
    expect_error(co_await rig.submit(job), Errc::invalid_state);
    const auto starts = co_await rig.settled_starts(job);
    expect(starts == 0, "user code ran after kill");
}

Case a_ticket_of_an_earlier_host_can_be_killed(Rig& rig) {
    co_await rig.start();
    auto unused = co_await rig.reserve(Program::succeeds);
    auto running = co_await rig.launch(Program::endless);
    co_await rig.until(running, ApplicationState::started);
    co_await rig.restart();
    value_of(co_await rig.kill(unused));
    value_of(co_await rig.kill(running));
    const auto unused_end = co_await rig.until_ended(unused);
    const auto running_end = co_await rig.until_ended(running);
    expect_killed(unused_end);
    expect_killed(running_end);
}

Case killing_twice_is_killing_once(Rig& rig) {
    co_await rig.start();
    auto running = co_await rig.launch(Program::endless);
    auto unused = co_await rig.reserve(Program::endless);
    for (const auto& job : std::vector<Job>{running, unused}) {
        auto first = rig.begin_kill(job);
        auto second = rig.begin_kill(job);
        value_of(co_await rig.finish(first, "the first of two kills"));
        value_of(co_await rig.finish(second, "the second of two kills"));
        value_of(co_await rig.kill(job));
        const auto end = co_await rig.until_ended(job);
        expect_killed(end);
        value_of(co_await rig.kill(job));
    }
}

Case a_kill_after_the_end_changes_nothing(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    value_of(co_await rig.kill(job));
    co_await rig.restart();
    const auto end = co_await rig.until_ended(job);
    expect(end.outcome == Outcome::success, "what had succeeded is now reported as killed");
}

Case a_submit_after_a_kill_starts_nothing(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::endless);
    co_await rig.until(job, ApplicationState::started);
    value_of(co_await rig.kill(job));
    co_await rig.until_ended(job);
    const auto before = rig.starts(job);
    const auto again = co_await rig.submit(job);
    expect(again || again.error().is(Errc::invalid_state),
           "a submit after kill adopts, or is an invalid state");
    const auto starts = co_await rig.settled_starts(job);
    expect(before <= 1 && starts == before, "a submit after kill started user code");
}

Case a_kill_while_unwatched_is_in_the_next_snapshot(Rig& rig) {
    co_await rig.open();
    auto running = co_await rig.launch(Program::endless);
    auto unused = co_await rig.reserve(Program::endless);
    value_of(co_await rig.kill(running));
    value_of(co_await rig.kill(unused));
    co_await rig.watch();
    const auto running_end = co_await rig.until_ended(running);
    const auto unused_end = co_await rig.until_ended(unused);
    expect_killed(running_end);
    expect_killed(unused_end);
}

/// One round: submit and kill start `distance` steps apart, in either order.
asio::awaitable<Job> race_once(Rig& rig, std::size_t distance, bool submit_first) {
    auto job = co_await rig.reserve(Program::endless);
    Slot<void> submit;
    Slot<void> kill;
    if (submit_first) {
        submit = rig.begin_submit(job);
        co_await rig.yield(distance);
        kill = rig.begin_kill(job);
    } else {
        kill = rig.begin_kill(job);
        co_await rig.yield(distance);
        submit = rig.begin_submit(job);
    }
    value_of(co_await rig.finish(kill, "a kill that races with submit"));
    const auto submitted = co_await rig.finish(submit, "a submit that races with kill");
    expect(submitted || submitted.error().is(Errc::invalid_state),
           "a submit that races with kill succeeds, or is an invalid state");
    const auto end = co_await rig.until_ended(job);
    expect_killed(end);
    expect(rig.starts(job) <= 1, "user code ran twice");
    expect(submitted || rig.starts(job) == 0, "user code ran, yet submit says kill was first");
    co_return job;
}

Case kill_and_submit_may_race(Rig& rig) {
    co_await rig.start();
    std::vector<Job> jobs;
    std::vector<std::size_t> starts;
    for (std::size_t round = 0; round < rig.options.race_rounds; ++round) {
        jobs.push_back(co_await race_once(rig, round / 2, round % 2 == 0));
        starts.push_back(rig.starts(jobs.back()));
    }
    co_await rig.run_through(Program::succeeds);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        expect(rig.starts(jobs[i]) == starts[i], "user code began after the end was reported");
    }
}

}  // namespace

void add_kill_cases(std::vector<BackendCase>& cases, const BackendConformanceOptions& options) {
    cases.insert(
        cases.end(),
        {{"killing_what_runs_ends_it", options, killing_what_runs_ends_it},
         {"killing_right_after_submit_ends_it", options, killing_right_after_submit_ends_it},
         {"a_kill_before_submit_takes_the_ticket", options, a_kill_before_submit_takes_the_ticket},
         {"a_kill_before_submit_outlives_a_restart", options,
          a_kill_before_submit_outlives_a_restart},
         {"a_ticket_of_an_earlier_host_can_be_killed", options,
          a_ticket_of_an_earlier_host_can_be_killed},
         {"killing_twice_is_killing_once", options, killing_twice_is_killing_once},
         {"a_kill_after_the_end_changes_nothing", options, a_kill_after_the_end_changes_nothing},
         {"a_submit_after_a_kill_starts_nothing", options, a_submit_after_a_kill_starts_nothing},
         {"a_kill_while_unwatched_is_in_the_next_snapshot", options,
          a_kill_while_unwatched_is_in_the_next_snapshot},
         {"kill_and_submit_may_race", options, kill_and_submit_may_race}});
}

}  // namespace sparkhost::testing::backend_cases
