// SPDX-License-Identifier: Apache-2.0
#include "testing/backend_rig.hpp"

namespace sparkhost::testing::backend_cases {

namespace {

Case an_empty_store_has_an_empty_snapshot(Rig& rig) {
    co_await rig.start();
    expect(rig.journal.calls == 1, "reports before anything was submitted");
}

Case success_is_reported(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::succeeds);
    const auto end = co_await rig.until_ended(job);
    expect(end.outcome == Outcome::success,
           "the outcome is " + std::string(to_string(end.outcome)) + ": " + end.reason);
    if (rig.options.reports_exit_code) {
        expect(end.exit_code == 0, "the exit code 0 is not reported");
    }
}

Case failure_is_reported_with_its_exit_code(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::fails);
    const auto end = co_await rig.until_ended(job);
    expect(end.outcome == Outcome::failed,
           "the outcome is " + std::string(to_string(end.outcome)) + ": " + end.reason);
    if (rig.options.reports_exit_code) {
        expect(end.exit_code == 3, "the exit code 3 is not reported");
    }
}

Case the_context_is_reported(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    const auto& end = rig.journal.latest.at(job.ticket.id);
    expect(!end.application_id.empty(), "the end does not tell the application id");
    auto running = co_await rig.launch(Program::endless);
    const auto up = co_await rig.until(running, ApplicationState::context_up);
    expect(up.state == ApplicationState::context_up, "an endless program has ended");
    expect(up.application_id != end.application_id, "two applications have the same id");
}

Case times_are_reported_in_their_order(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    const auto& end = rig.journal.latest.at(job.ticket.id);
    expect(end.started && end.ended, "the times of start and end are not reported");
    expect(*end.started <= *end.ended, "it ended before it was started");
    if (end.context_up) {
        expect(*end.started <= *end.context_up && *end.context_up <= *end.ended,
               "its context came up before it was started, or after the end");
    }
}

Case what_runs_is_in_the_next_snapshot(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::endless);
    co_await rig.until(job, ApplicationState::started);
    co_await rig.stop_watching();
    co_await rig.watch();
    expect(rig.journal.in_snapshot.contains(job.ticket.id),
           "a running application is not in the snapshot of a second watch");
}

Case what_was_submitted_unwatched_is_in_the_snapshot(Rig& rig) {
    co_await rig.open();
    auto job = co_await rig.launch(Program::succeeds);
    co_await rig.watch();
    expect(rig.journal.in_snapshot.contains(job.ticket.id),
           "an application submitted before the watch is not in its snapshot");
    const auto end = co_await rig.until_ended(job);
    expect(end.outcome == Outcome::success, "the application did not succeed: " + end.reason);
}

Case what_has_ended_is_in_every_snapshot_until_release(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::fails);
    const auto told = rig.journal.latest.at(job.ticket.id);
    for (int i = 0; i < 2; ++i) {
        co_await rig.restart();
        expect(rig.journal.in_snapshot.contains(job.ticket.id),
               "an ended application that was not released is missing in a snapshot");
        const auto& now = rig.journal.latest.at(job.ticket.id);
        expect(now.state == ApplicationState::ended && now.outcome == told.outcome &&
                   now.exit_code == told.exit_code && now.application_id == told.application_id,
               "the end is told differently after a restart");
    }
    value_of(co_await rig.release(job));
    co_await rig.restart();
    expect(!rig.journal.in_snapshot.contains(job.ticket.id),
           "a released application is in a snapshot");
}

Case two_backends_in_sequence_see_the_same_applications(Rig& rig) {
    co_await rig.start();
    auto running = co_await rig.launch(Program::endless);
    auto ended = co_await rig.run_through(Program::succeeds);
    co_await rig.until(running, ApplicationState::started);
    auto unattended = co_await rig.launch(Program::succeeds);
    co_await rig.restart();
    for (const auto* job : {&running, &ended, &unattended}) {
        expect(rig.journal.in_snapshot.contains(job->ticket.id),
               "the backend after the restart does not see '" + job->ticket.id + "'");
    }
    const auto end = co_await rig.until_ended(unattended);
    expect(end.outcome == Outcome::success, "an end during a restart was lost: " + end.reason);
    value_of(co_await rig.kill(running));
    co_await rig.until_ended(running);
}

Case a_cancelled_watch_tells_nothing_any_more(Rig& rig) {
    co_await rig.start();
    co_await rig.stop_watching();
    const auto calls = rig.journal.calls;
    auto job = co_await rig.launch(Program::endless);
    value_of(co_await rig.kill(job));
    co_await rig.yield(100);
    expect(rig.journal.calls == calls, "a report after watch had completed");
    co_await rig.watch();
    co_await rig.until_ended(job);
}

Case a_watch_can_be_cancelled_at_any_time(Rig& rig) {
    co_await rig.open();
    auto job = co_await rig.launch(Program::succeeds);
    for (std::size_t round = 0; round < rig.options.race_rounds; ++round) {
        rig.begin_watch();
        co_await rig.yield(round + 1);
        co_await rig.stop_watching();
    }
    co_await rig.watch();
    co_await rig.until_ended(job);
}

Case another_store_sees_nothing_of_this_one(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    value_of(co_await rig.release(job));
    auto ours = co_await rig.run_through(Program::succeeds);
    co_await rig.close();
    const auto calls = rig.journal.calls;
    rig.use_another_store();
    co_await rig.start();
    expect(rig.journal.calls == calls + 1, "another store's application is reported");
}

}  // namespace

void add_watch_cases(std::vector<BackendCase>& cases, const BackendConformanceOptions& options) {
    cases.insert(
        cases.end(),
        {{"an_empty_store_has_an_empty_snapshot", options, an_empty_store_has_an_empty_snapshot},
         {"success_is_reported", options, success_is_reported},
         {"failure_is_reported_with_its_exit_code", options,
          failure_is_reported_with_its_exit_code},
         {"times_are_reported_in_their_order", options, times_are_reported_in_their_order},
         {"what_runs_is_in_the_next_snapshot", options, what_runs_is_in_the_next_snapshot},
         {"what_was_submitted_unwatched_is_in_the_snapshot", options,
          what_was_submitted_unwatched_is_in_the_snapshot},
         {"what_has_ended_is_in_every_snapshot_until_release", options,
          what_has_ended_is_in_every_snapshot_until_release},
         {"two_backends_in_sequence_see_the_same_applications", options,
          two_backends_in_sequence_see_the_same_applications},
         {"a_cancelled_watch_tells_nothing_any_more", options,
          a_cancelled_watch_tells_nothing_any_more},
         {"a_watch_can_be_cancelled_at_any_time", options, a_watch_can_be_cancelled_at_any_time}});
    if (options.reports_context) {
        cases.push_back({"the_context_is_reported", options, the_context_is_reported});
    }
    if (options.keeps_stores_apart) {
        cases.push_back({"another_store_sees_nothing_of_this_one", options,
                         another_store_sees_nothing_of_this_one});
    }
}

}  // namespace sparkhost::testing::backend_cases
