// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/submission_machine.hpp"
#include "backends/yarn/yarn_state.hpp"

#include "crash_point.hpp"
#include "hop.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <memory>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

using SubmitDo = SubmissionStep::Do;

/// One submit.
struct Submission {
    std::string ticket{};
    OwnTicket own{};
    SubmissionMachine machine{};
    std::string body{};  ///< to be posted, once it is staged
};
using Shared = std::shared_ptr<Submission>;

ClaimAnswer::File words_of_guard(const AmPlan& plan) {
    boost::json::array words;
    for (const auto& each : plan.arguments) {
        words.emplace_back(each);
    }
    return {std::string(arguments_name), boost::json::serialize(words)};
}

asio::awaitable<SubmissionMove> seal(std::shared_ptr<YarnState> state, Shared submission,
                                     std::string why) {
    Result<ClaimSight> before = co_await guarded::take_claim(state, submission->ticket);
    if (!before) {
        co_return Result<void>(Error(Errc::indeterminate, before.error().detail));
    }
    if (!before->held) {
        TicketEnd end;
        end.outcome = Outcome::failed;
        end.reason = std::move(why);
        end.at = state->now();
        Result<void> finished =
            co_await guarded::finish_ticket(state, submission->ticket, std::move(end));
        if (!finished) {
            co_return Result<void>(Error(Errc::indeterminate, finished.error().detail));
        }
    }
    co_return submission->machine.sealed(*before);
}

Awaitable<void> note(std::shared_ptr<YarnState> state, Shared submission, JournalLine::What what) {
    JournalLine line;
    line.what = what;
    line.at = state->now();
    line.text = submission->machine.id();
    Result<void> written =
        co_await guarded::record(std::move(state), submission->ticket, std::move(line));
    co_return written;
}

asio::awaitable<SubmissionMove> stage(std::shared_ptr<YarnState> state, Shared submission) {
    auto request = std::make_shared<StagingRequest>();
    request->ticket = submission->ticket;
    request->application = submission->machine.id();
    request->own = submission->own;
    Result<std::string> body = co_await stage_application(std::move(state), std::move(request));
    SPARKHOST_CRASH_POINT("yarn.submit.staged");
    if (!body) {
        co_return submission->machine.staged(body.error());
    }
    submission->body = std::move(*body);
    co_return submission->machine.staged(ok());
}

asio::awaitable<SubmissionMove> post(std::shared_ptr<YarnState> state, Shared submission) {
    SPARKHOST_CRASH_POINT("yarn.submit.posts");
    const RmReply reply = co_await ResourceManagers::submit(
        state->managers, submission->own.plan.user, submission->body);
    SPARKHOST_CRASH_POINT("yarn.submit.answered");
    co_return submission->machine.posted(reply);
}

asio::awaitable<SubmissionMove> look(std::shared_ptr<YarnState> state, Shared submission,
                                     std::chrono::milliseconds pause) {
    if (pause.count() > 0) {
        const auto& clock = state->context.clock;
        co_await clock->sleep_until(clock->steady_now() + pause);
    }
    const AppLook seen =
        co_await ResourceManagers::application(state->managers, submission->machine.id());
    co_return submission->machine.looked(seen);
}

asio::awaitable<SubmissionMove> take_step(std::shared_ptr<YarnState> state, Shared submission,
                                          SubmissionStep step) {
    SubmissionMove move;
    switch (step.what) {
        case SubmitDo::take_id: {
            const Result<std::string> id = co_await ResourceManagers::new_application(
                state->managers, submission->own.plan.user);
            move = submission->machine.got_id(id);
            break;
        }
        case SubmitDo::note_id: {
            const Result<void> noted =
                co_await note(state, submission, JournalLine::What::intended);
            SPARKHOST_CRASH_POINT("yarn.submit.id_known");
            move = submission->machine.noted(noted);
            break;
        }
        case SubmitDo::look:
            move = co_await look(state, submission, step.pause);
            break;
        case SubmitDo::stage:
            move = co_await stage(state, submission);
            break;
        case SubmitDo::post:
            move = co_await post(state, submission);
            break;
        case SubmitDo::remember: {
            const Result<void> noted = co_await note(state, submission, JournalLine::What::driver);
            SPARKHOST_CRASH_POINT("yarn.submit.stored");
            move = submission->machine.remembered(noted);
            break;
        }
        case SubmitDo::seal:
            move = co_await seal(state, submission, std::move(step.text));
            break;
    }
    co_return move;
}

/// What a kill that waits would only undo.
bool is_in_vain(SubmitDo step) {
    return step != SubmitDo::remember && step != SubmitDo::seal;
}

Awaitable<void> go_through(std::shared_ptr<YarnState> state, Shared submission) {
    const std::string ticket = submission->ticket;
    const TicketTurns::Turn turn =
        co_await TicketTurns::take(state->turns, ticket, TicketTurns::Purpose::other);
    auto prepare = [state, submission] {
        return guarded::prepare_ticket(*state, submission->ticket, submission->own.data,
                                       {words_of_guard(submission->own.plan)});
    };
    Result<guarded::PreparedTicket> prepared =
        co_await run_blocking(state->context.blocking_executor, std::move(prepare));
    if (!prepared) {
        // no application can have been made; without the files none can be
        const bool later = prepared.error().is(Errc::rejected);
        co_return Error(later ? Errc::indeterminate : Errc::backend_failed,
                        prepared.error().detail);
    }
    state->table.try_emplace(ticket, prepared->facts);
    SubmissionMove move = submission->machine.begin(prepared->facts, prepared->claim);
    while (const auto* step = std::get_if<SubmissionStep>(&move)) {
        if (turn.kill_waits() && is_in_vain(step->what)) {
            co_return Error(Errc::invalid_state, "it was killed before it was started");
        }
        SubmissionStep next = *step;
        move = co_await take_step(state, submission, std::move(next));
    }
    co_return std::get<Result<void>>(std::move(move));
}

}  // namespace

Awaitable<void> submit_application(std::shared_ptr<YarnState> state, SubmitRequest request,
                                   Ticket ticket) {
    (void)request;  // everything was decided when the ticket was reserved
    auto own = decode_ticket(ticket);
    if (!own) {
        co_return own.error();
    }
    auto submission = std::make_shared<Submission>();
    submission->ticket = ticket.id;
    submission->own = std::move(*own);
    // before its turn: a kill does not wait for a place
    const Places::Hold place = co_await Places::take(state->submits);
    Result<void> result = co_await go_through(state, std::move(submission));
    if (result) {
        state->tell_again(ticket.id);
        state->hurry();
    }
    co_return result;
}

}  // namespace sparkhost::detail::yarn
