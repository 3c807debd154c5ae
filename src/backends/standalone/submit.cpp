// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/secrets.hpp"
#include "backends/standalone/driver_request.hpp"
#include "backends/standalone/standalone_state.hpp"
#include "backends/standalone/submission_machine.hpp"

#include "crash_point.hpp"
#include "hop.hpp"

#include <boost/json/serialize.hpp>

#include <memory>
#include <utility>

namespace sparkhost::detail::standalone {

namespace {

struct Submission {
    std::string ticket{};
    TicketData data{};
    DriverRequest request{};
};

std::string submission_body(const StandaloneState& state, const Submission& submission) {
    boost::json::object body = submission.request.body;
    body["environmentVariables"].as_object()[guard_secret] =
        guarded::guard_secret_of(state.key, submission.ticket, submission.data.nonce);
    return boost::json::serialize(body);
}

asio::awaitable<SubmissionMove> seal(std::shared_ptr<StandaloneState> state, std::string ticket,
                                     std::string why, SubmissionMachine machine) {
    Result<ClaimSight> before = co_await guarded::take_claim(state, ticket);
    if (!before) {
        co_return Result<void>(Error(Errc::indeterminate, before.error().detail));
    }
    if (!before->held) {
        TicketEnd end;
        end.outcome = Outcome::failed;
        end.reason = std::move(why);
        end.at = state->now();
        Result<void> finished =
            co_await guarded::finish_ticket(state, std::move(ticket), std::move(end));
        if (!finished) {
            co_return Result<void>(Error(Errc::indeterminate, finished.error().detail));
        }
    }
    co_return machine.sealed(*before);
}

asio::awaitable<SubmissionMove> take_step(std::shared_ptr<StandaloneState> state,
                                          std::shared_ptr<const Submission> submission,
                                          SubmissionStep step, SubmissionMachine& machine) {
    const std::string& ticket = submission->ticket;
    switch (step.what) {
        case SubmissionStep::Do::post: {
            std::string body = submission_body(*state, *submission);
            SPARKHOST_CRASH_POINT("standalone.submit.posts");
            SubmissionAnswer answer = co_await Masters::create(state->masters, std::move(body));
            SPARKHOST_CRASH_POINT("standalone.submit.answered");
            co_return machine.posted(answer);
        }
        case SubmissionStep::Do::remember: {
            JournalLine line;
            line.at = state->now();
            line.text = std::move(step.text);
            Result<void> written = co_await guarded::record(state, ticket, std::move(line));
            SPARKHOST_CRASH_POINT("standalone.submit.remembered");
            co_return machine.remembered(written);
        }
        case SubmissionStep::Do::seal:
            break;
    }
    SubmissionMachine copy = machine;
    std::string name = ticket;
    SubmissionMove move = co_await seal(state, std::move(name), std::move(step.text), copy);
    co_return move;
}

}  // namespace

Awaitable<void> submit_application(std::shared_ptr<StandaloneState> state, SubmitRequest request,
                                   Ticket ticket) {
    (void)request;  // everything was decided when the ticket was reserved
    auto data = guarded::decode_ticket_data(ticket);
    auto driver = data ? decode_driver_request(data->request) : data.error();
    if (!driver) {
        co_return driver.error();
    }
    auto submission = std::make_shared<Submission>();
    submission->ticket = ticket.id;
    submission->data = std::move(*data);
    submission->request = std::move(*driver);
    const TicketTurns::Turn turn =
        co_await TicketTurns::take(state->turns, ticket.id, TicketTurns::Purpose::other);
    auto prepare = [state, submission] {
        ClaimAnswer::File properties{std::string(properties_name),
                                     write_properties(submission->request.properties)};
        return guarded::prepare_ticket(*state, submission->ticket, submission->data,
                                       {std::move(properties)});
    };
    Result<guarded::PreparedTicket> prepared =
        co_await run_blocking(state->context.blocking_executor, std::move(prepare));
    if (!prepared) {
        // no driver can have been made; without the files none can be
        const bool later = prepared.error().is(Errc::rejected);
        co_return Error(later ? Errc::indeterminate : Errc::backend_failed,
                        prepared.error().detail);
    }
    state->table.try_emplace(ticket.id, prepared->facts);
    if (turn.kill_waits()) {
        co_return Error(Errc::invalid_state, "it was killed before it was started");
    }
    SubmissionMachine machine;
    SubmissionMove move = machine.begin(prepared->facts, prepared->claim);
    while (const auto* step = std::get_if<SubmissionStep>(&move)) {
        SubmissionStep next = *step;
        move = co_await take_step(state, submission, std::move(next), machine);
    }
    Result<void> result = std::get<Result<void>>(std::move(move));
    if (result) {
        state->tell_again(ticket.id);
        state->hurry();
    }
    co_return result;
}

}  // namespace sparkhost::detail::standalone
