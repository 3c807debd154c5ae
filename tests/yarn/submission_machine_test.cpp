// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/submission_machine.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace sparkhost::test::yarn {

using namespace detail::yarn;
using namespace std::chrono_literals;
using detail::guarded::ClaimSight;
using detail::guarded::TicketEnd;
using detail::guarded::TicketFacts;

namespace submission_test {

using Do = SubmissionStep::Do;

const std::string id = "application_1_0001";

Do step_of(const SubmissionMove& move) {
    BOOST_TEST_REQUIRE(std::holds_alternative<SubmissionStep>(move));
    return std::get<SubmissionStep>(move).what;
}

Result<void> result_of(const SubmissionMove& move) {
    BOOST_TEST_REQUIRE(std::holds_alternative<Result<void>>(move));
    return std::get<Result<void>>(move);
}

Errc code_of(const SubmissionMove& move) {
    const auto result = result_of(move);
    BOOST_TEST_REQUIRE(!result.has_value());
    for (const auto code : {Errc::indeterminate, Errc::invalid_state, Errc::backend_failed}) {
        if (result.error().is(code)) {
            return code;
        }
    }
    return Errc::not_found;
}

AppLook found(AppState state) {
    AppLook look;
    look.verdict = AppLook::Verdict::found;
    look.sight.state = state;
    return look;
}

AppLook absent() {
    AppLook look;
    look.verdict = AppLook::Verdict::absent;
    return look;
}

RmReply reply(RmReply::Verdict verdict, std::string words = {}) {
    return {verdict, std::move(words)};
}

TicketFacts with_id() {
    TicketFacts facts;
    facts.intended = id;
    return facts;
}

/// One whose application has been posted.
SubmissionMachine posted() {
    SubmissionMachine machine;
    (void)machine.begin({}, {});
    (void)machine.got_id(id);
    (void)machine.noted(ok());
    (void)machine.staged(ok());
    (void)machine.posted(reply(RmReply::Verdict::done));
    return machine;
}

}  // namespace submission_test

BOOST_AUTO_TEST_SUITE(yarn_submission_machine)

using namespace submission_test;

BOOST_AUTO_TEST_CASE(an_id_is_written_down_before_anything_is_done_with_it) {
    SubmissionMachine machine;
    BOOST_TEST((step_of(machine.begin({}, {})) == Do::take_id));
    const auto note = machine.got_id(id);
    BOOST_TEST((step_of(note) == Do::note_id));
    BOOST_TEST(std::get<SubmissionStep>(note).text == id);
    BOOST_TEST((step_of(machine.noted(ok())) == Do::stage));
    BOOST_TEST((step_of(machine.staged(ok())) == Do::post));
    BOOST_TEST((step_of(machine.posted(reply(RmReply::Verdict::done))) == Do::look));
    BOOST_TEST((step_of(machine.looked(found(AppState::submitted))) == Do::remember));
    BOOST_TEST(result_of(machine.remembered(ok())).has_value());
    BOOST_TEST(machine.id() == id);
}

BOOST_AUTO_TEST_CASE(an_id_that_is_known_is_looked_for_before_it_is_posted) {
    for (const auto state : {AppState::submitted, AppState::accepted, AppState::running,
                             AppState::finished, AppState::failed, AppState::killed}) {
        SubmissionMachine machine;
        BOOST_TEST((step_of(machine.begin(with_id(), {})) == Do::look));
        BOOST_TEST((step_of(machine.looked(found(state))) == Do::remember));
    }
    SubmissionMachine machine;
    (void)machine.begin(with_id(), {});
    BOOST_TEST((step_of(machine.looked(absent())) == Do::stage));
    BOOST_TEST((step_of(machine.staged(ok())) == Do::post));
    BOOST_TEST(machine.id() == id);
}

BOOST_AUTO_TEST_CASE(nothing_is_posted_where_nobody_can_say_whether_it_exists) {
    SubmissionMachine machine;
    (void)machine.begin(with_id(), {});
    AppLook unknown;
    unknown.words = "no ResourceManager is active";
    BOOST_TEST((code_of(machine.looked(unknown)) == Errc::indeterminate));
}

BOOST_AUTO_TEST_CASE(nothing_is_asked_where_a_ticket_has_run_or_must_not) {
    ClaimSight held;
    held.held = true;
    ClaimSight killed;
    killed.killed = true;
    TicketFacts taken = with_id();
    taken.drivers = {id};
    TicketFacts gave_up = with_id();
    gave_up.end = TicketEnd{Outcome::failed, {}, "no such queue", {}};
    TicketFacts wished = with_id();
    wished.kill_requested = true;
    SubmissionMachine machine;
    BOOST_TEST(result_of(machine.begin(with_id(), held)).has_value());
    BOOST_TEST(result_of(machine.begin(taken, {})).has_value());
    BOOST_TEST((code_of(machine.begin(with_id(), killed)) == Errc::invalid_state));
    BOOST_TEST((code_of(machine.begin(wished, killed)) == Errc::invalid_state));
    const auto again = machine.begin(gave_up, killed);
    BOOST_TEST((code_of(again) == Errc::backend_failed));
    BOOST_TEST(result_of(again).error().detail == "no such queue");
}

BOOST_AUTO_TEST_CASE(what_is_posted_counts_once_it_is_stored) {
    for (const auto state : {AppState::new_, AppState::new_saving}) {
        auto machine = posted();
        auto waited = 0ms;
        auto move = machine.looked(found(state));
        while (std::holds_alternative<SubmissionStep>(move)) {
            BOOST_TEST((step_of(move) == Do::look));
            const auto pause = std::get<SubmissionStep>(move).pause;
            BOOST_TEST((pause > 0ms && pause <= 1s));
            waited += pause;
            move = machine.looked(found(state));
        }
        BOOST_TEST((code_of(move) == Errc::indeterminate));
        BOOST_TEST((waited >= 30s && waited < 32s));
    }
}

BOOST_AUTO_TEST_CASE(what_a_manager_forgets_is_posted_again_but_not_for_ever) {
    auto machine = posted();
    BOOST_TEST((step_of(machine.looked(absent())) == Do::post));
    (void)machine.posted(reply(RmReply::Verdict::done));
    BOOST_TEST((step_of(machine.looked(absent())) == Do::post));
    (void)machine.posted(reply(RmReply::Verdict::done));
    BOOST_TEST((code_of(machine.looked(absent())) == Errc::indeterminate));
}

BOOST_AUTO_TEST_CASE(a_refusal_counts_only_once_the_claim_is_taken) {
    ClaimSight held;
    held.held = true;
    auto machine = posted();
    const auto move = machine.posted(reply(RmReply::Verdict::refused, "too much memory"));
    BOOST_TEST((step_of(move) == Do::seal));
    BOOST_TEST(std::get<SubmissionStep>(move).text == "too much memory");
    BOOST_TEST(result_of(machine.sealed(held)).has_value());
    BOOST_TEST((code_of(machine.sealed({})) == Errc::backend_failed));
    BOOST_TEST(result_of(machine.sealed({})).error().detail == "too much memory");
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_staged_end_it_and_a_file_system_that_is_away_does_not) {
    struct Row {
        Errc code;
        bool never;
    };
    const std::vector<Row> rows{{Errc::not_found, true},
                                {Errc::invalid_argument, true},
                                {Errc::backend_failed, true},
                                {Errc::rejected, false},
                                {Errc::indeterminate, false}};
    for (const auto& row : rows) {
        SubmissionMachine machine;
        (void)machine.begin({}, {});
        (void)machine.got_id(id);
        const auto move = machine.staged(Error(row.code, "why"));
        if (row.never) {
            BOOST_TEST((step_of(move) == Do::seal));
        } else {
            BOOST_TEST((code_of(move) == Errc::indeterminate));
        }
    }
}

BOOST_AUTO_TEST_CASE(whatever_is_not_answered_is_asked_again_later) {
    SubmissionMachine machine;
    const Error away(Errc::backend_failed, "away");
    BOOST_TEST((code_of(machine.got_id(away)) == Errc::indeterminate));
    BOOST_TEST((code_of(machine.noted(away)) == Errc::indeterminate));
    BOOST_TEST((code_of(machine.remembered(away)) == Errc::indeterminate));
    BOOST_TEST((code_of(machine.posted(reply(RmReply::Verdict::unclear))) == Errc::indeterminate));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test::yarn
