// SPDX-License-Identifier: Apache-2.0
#include "testing/backend_rig.hpp"

namespace sparkhost::testing::backend_cases {

namespace {

Case release_is_idempotent(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.run_through(Program::succeeds);
    value_of(co_await rig.release(job));
    value_of(co_await rig.release(job));
    co_await rig.restart();
    value_of(co_await rig.release(job));
    value_of(co_await rig.release(job, false));
    value_of(co_await rig.release(job, false));
}

Case a_killed_ticket_can_be_released(Rig& rig) {
    co_await rig.start();
    auto job = co_await rig.reserve(Program::succeeds);
    value_of(co_await rig.kill(job));
    co_await rig.until_ended(job);
    value_of(co_await rig.release(job));
    co_await rig.restart();
    expect(!rig.journal.in_snapshot.contains(job.ticket.id), "a released ticket is in a snapshot");
}

Case unknown_tickets_are_released_with_success(Rig& rig) {
    co_await rig.start();
    auto unused = co_await rig.reserve(Program::succeeds);
    auto stranger = unused;
    stranger.ticket.id = "nobody-knows-this-ticket-1";
    value_of(co_await rig.release(unused));
    value_of(co_await rig.release(stranger));
    value_of(co_await rig.release(stranger, false));
}

Case releasing_one_leaves_the_others_alone(Rig& rig) {
    co_await rig.start();
    auto running = co_await rig.launch(Program::endless);
    auto ended = co_await rig.run_through(Program::succeeds);
    auto kept = co_await rig.run_through(Program::fails);
    value_of(co_await rig.release(ended, false));
    co_await rig.restart();
    expect(rig.journal.in_snapshot.contains(running.ticket.id) &&
               rig.journal.in_snapshot.contains(kept.ticket.id),
           "an application vanished when another one was released");
    expect(!rig.journal.reached(running.ticket.id, ApplicationState::ended),
           "an application ended when another one was released");
}

}  // namespace

void add_release_cases(std::vector<BackendCase>& cases, const BackendConformanceOptions& options) {
    cases.insert(cases.end(),
                 {{"release_is_idempotent", options, release_is_idempotent},
                  {"a_killed_ticket_can_be_released", options, a_killed_ticket_can_be_released},
                  {"unknown_tickets_are_released_with_success", options,
                   unknown_tickets_are_released_with_success},
                  {"releasing_one_leaves_the_others_alone", options,
                   releasing_one_leaves_the_others_alone}});
}

}  // namespace sparkhost::testing::backend_cases
