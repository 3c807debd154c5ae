// SPDX-License-Identifier: Apache-2.0
#include "testing/backend_rig.hpp"

#include <algorithm>

namespace sparkhost::testing::backend_cases {

namespace {

Case it_has_a_name(Rig& rig) {
    co_await rig.open();
    const auto traits = rig.backend().traits();
    expect(!traits.name.empty(), "traits().name is empty");
    expect(traits.serves_logs == rig.options.serves_logs,
           "traits().serves_logs is not what the options declare");
}

Case a_ticket_is_a_short_name_of_its_own(Rig& rig) {
    co_await rig.open();
    std::set<std::string> seen;
    for (int i = 0; i < 3; ++i) {
        auto job = co_await rig.reserve(Program::succeeds);
        auto again = job.request;
        again.attempt = 2;
        auto second = value_of(co_await rig.backend().reserve(again));
        for (const auto& id : {job.ticket.id, second.id}) {
            expect(!id.empty() && id.size() <= 63, "a ticket id has 1 to 63 characters: " + id);
            const bool plain = std::all_of(id.begin(), id.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
            });
            expect(plain, "a ticket id has lower-case letters, digits and '-' only: " + id);
            expect(seen.insert(id).second, "another subject or attempt has the same ticket: " + id);
        }
    }
}

Case reserve_starts_nothing(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.reserve(Program::succeeds);
    const auto starts = co_await rig.settled_starts(job);
    expect(starts == 0, "user code ran without submit");
}

Case an_unused_ticket_is_in_no_snapshot(Rig& rig) {
    co_await rig.open();
    auto job = co_await rig.reserve(Program::succeeds);
    co_await rig.restart();
    expect(rig.journal.latest.empty(), "a ticket that was only reserved is reported");
    value_of(co_await rig.release(job));
}

Case submit_runs_user_code_once(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    const auto starts = co_await rig.settled_starts(job);
    expect(starts == 1, "user code ran " + std::to_string(starts) + " times");
}

Case a_second_submit_adopts_the_first(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::succeeds);
    value_of(co_await rig.submit(job));
    co_await rig.until_ended(job);
    const auto starts = co_await rig.settled_starts(job);
    expect(starts == 1, "user code ran " + std::to_string(starts) + " times");
}

Case a_submit_after_the_end_adopts_the_first(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    value_of(co_await rig.submit(job));
    const auto starts = co_await rig.settled_starts(job);
    expect(starts == 1, "user code ran " + std::to_string(starts) + " times");
}

Case submits_at_the_same_time_run_user_code_once(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.reserve(Program::succeeds);
    std::vector<Slot<void>> submits;
    for (int i = 0; i < 4; ++i) {
        submits.push_back(rig.begin_submit(job));
    }
    for (auto& each : submits) {
        value_of(co_await rig.finish(each, "one of four submits of the same ticket"));
    }
    co_await rig.until_ended(job);
    const auto starts = co_await rig.settled_starts(job);
    expect(starts == 1, "user code ran " + std::to_string(starts) + " times");
}

Case a_submit_after_a_restart_adopts_what_runs(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::endless);
    co_await rig.until(job, ApplicationState::started);
    co_await rig.restart();
    value_of(co_await rig.submit(job));
    const auto starts = co_await rig.settled_starts(job);
    expect(starts <= 1, "user code ran " + std::to_string(starts) + " times");
    expect(!rig.journal.reached(job.ticket.id, ApplicationState::ended),
           "the application did not outlive the restart of the host");
    value_of(co_await rig.kill(job));
    co_await rig.until_ended(job);
}

Case a_submit_after_a_restart_adopts_what_has_ended(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    co_await rig.restart();
    value_of(co_await rig.submit(job));
    const auto starts = co_await rig.settled_starts(job);
    expect(starts == 1, "user code ran " + std::to_string(starts) + " times");
}

Case a_submit_right_before_a_restart_is_adopted(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.launch(Program::succeeds);
    co_await rig.restart();
    value_of(co_await rig.submit(job));
    co_await rig.until_ended(job);
    const auto starts = co_await rig.settled_starts(job);
    expect(starts == 1, "user code ran " + std::to_string(starts) + " times");
}

Case a_ticket_outlives_a_restart_before_submit(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.reserve(Program::succeeds);
    co_await rig.restart();
    value_of(co_await rig.submit(job));
    const auto end = co_await rig.until_ended(job);
    expect(end.outcome == Outcome::success, "the application did not succeed: " + end.reason);
    const auto starts = co_await rig.settled_starts(job);
    expect(starts == 1, "user code ran " + std::to_string(starts) + " times");
}

Case two_attempts_are_two_applications(Rig& rig) {
    co_await rig.start();
    auto first = co_await rig.run_through(Program::fails);
    auto second = rig.plan(Program::succeeds);
    second.request.subject = first.request.subject;
    second.request.attempt = 2;
    second.ticket = value_of(co_await rig.backend().reserve(second.request));
    value_of(co_await rig.submit(second));
    const auto end = co_await rig.until_ended(second);
    expect(end.outcome == Outcome::success, "the second attempt did not succeed: " + end.reason);
    expect(rig.starts(first) == 1 && rig.starts(second) == 1, "each attempt has run once");
}

Case applications_at_the_same_time_are_kept_apart(Rig& rig) {
    co_await rig.start();
    auto good = co_await rig.launch(Program::succeeds);
    auto bad = co_await rig.launch(Program::fails);
    auto other = co_await rig.launch(Program::succeeds);
    const auto good_end = co_await rig.until_ended(good);
    const auto bad_end = co_await rig.until_ended(bad);
    const auto other_end = co_await rig.until_ended(other);
    expect(good_end.outcome == Outcome::success && bad_end.outcome == Outcome::failed &&
               other_end.outcome == Outcome::success,
           "the outcomes are not those of the programs");
    expect(rig.starts(good) == 1 && rig.starts(bad) == 1 && rig.starts(other) == 1,
           "each has run once");
}

}  // namespace

void add_submit_cases(std::vector<BackendCase>& cases, const BackendConformanceOptions& options) {
    cases.insert(
        cases.end(),
        {{"it_has_a_name", options, it_has_a_name},
         {"a_ticket_is_a_short_name_of_its_own", options, a_ticket_is_a_short_name_of_its_own},
         {"reserve_starts_nothing", options, reserve_starts_nothing},
         {"an_unused_ticket_is_in_no_snapshot", options, an_unused_ticket_is_in_no_snapshot},
         {"submit_runs_user_code_once", options, submit_runs_user_code_once},
         {"a_second_submit_adopts_the_first", options, a_second_submit_adopts_the_first},
         {"a_submit_after_the_end_adopts_the_first", options,
          a_submit_after_the_end_adopts_the_first},
         {"submits_at_the_same_time_run_user_code_once", options,
          submits_at_the_same_time_run_user_code_once},
         {"a_submit_after_a_restart_adopts_what_runs", options,
          a_submit_after_a_restart_adopts_what_runs},
         {"a_submit_after_a_restart_adopts_what_has_ended", options,
          a_submit_after_a_restart_adopts_what_has_ended},
         {"a_submit_right_before_a_restart_is_adopted", options,
          a_submit_right_before_a_restart_is_adopted},
         {"a_ticket_outlives_a_restart_before_submit", options,
          a_ticket_outlives_a_restart_before_submit},
         {"two_attempts_are_two_applications", options, two_attempts_are_two_applications},
         {"applications_at_the_same_time_are_kept_apart", options,
          applications_at_the_same_time_are_kept_apart}});
}

}  // namespace sparkhost::testing::backend_cases
