// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/secrets.hpp"
#include "backends/standalone/standalone_state.hpp"
#include "backends/standalone/ticket_data.hpp"

#include "backends/common/posix_file.hpp"
#include "crash_point.hpp"
#include "hop.hpp"

#include <boost/json/serialize.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace sparkhost::detail::standalone {

namespace {

constexpr std::size_t max_driver_file = std::size_t{64} << 20;

Result<std::vector<ClaimAnswer::File>> granted_files(const TicketData& data) {
    std::vector<ClaimAnswer::File> files;
    files.push_back({std::string(properties_name), write_properties(data.request.properties)});
    for (const auto& each : data.files) {
        auto content = read_whole_file(each.path, max_driver_file);
        if (!content) {
            return content.error();
        }
        files.push_back({granted_name(each), std::move(*content)});
    }
    return files;
}

struct Prepared {
    TicketFacts facts{};
    ClaimSight claim{};
};

/// Copies what the driver will be granted: its host may be another one by then.
Result<Prepared> prepare_ticket(const StandaloneState& state, const std::string& ticket,
                                const TicketData& data) {
    Prepared prepared;
    auto facts = state.tickets.read(ticket);
    if (!facts && facts.error().is(Errc::not_found)) {
        auto files = granted_files(data);
        if (!files) {
            return files.error();
        }
        if (auto made = state.tickets.prepare(ticket, {data.store, data.nonce}, &*files); !made) {
            return made.error();
        }
        facts = state.tickets.read(ticket);
    }
    if (!facts) {
        return facts.error();
    }
    auto entry = state.claims.read(ticket);
    if (!entry) {
        return entry.error();
    }
    prepared.facts = std::move(*facts);
    prepared.claim = sight_of(*entry);
    return prepared;
}

std::string submission_body(const StandaloneState& state, const std::string& ticket,
                            const TicketData& data) {
    boost::json::object body = data.request.body;
    body["environmentVariables"].as_object()[guard_secret] =
        guard_secret_of(state.key, ticket, data.nonce);
    return boost::json::serialize(body);
}

asio::awaitable<SubmissionMove> seal(std::shared_ptr<StandaloneState> state, std::string ticket,
                                     std::string why, SubmissionMachine machine) {
    Result<ClaimSight> before = co_await take_claim(state, ticket);
    if (!before) {
        co_return Result<void>(Error(Errc::indeterminate, before.error().detail));
    }
    if (!before->held) {
        TicketEnd end;
        end.outcome = Outcome::failed;
        end.reason = std::move(why);
        end.at = state->now();
        Result<void> finished = co_await finish_ticket(state, std::move(ticket), std::move(end));
        if (!finished) {
            co_return Result<void>(Error(Errc::indeterminate, finished.error().detail));
        }
    }
    co_return machine.sealed(*before);
}

struct Submission {
    std::string ticket{};
    TicketData data{};
};

asio::awaitable<SubmissionMove> take_step(std::shared_ptr<StandaloneState> state,
                                          std::shared_ptr<const Submission> submission,
                                          SubmissionStep step, SubmissionMachine& machine) {
    const std::string& ticket = submission->ticket;
    switch (step.what) {
        case SubmissionStep::Do::post: {
            std::string body = submission_body(*state, ticket, submission->data);
            SPARKHOST_CRASH_POINT("standalone.submit.posts");
            SubmissionAnswer answer = co_await Masters::create(state->masters, std::move(body));
            SPARKHOST_CRASH_POINT("standalone.submit.answered");
            co_return machine.posted(answer);
        }
        case SubmissionStep::Do::remember: {
            JournalLine line;
            line.at = state->now();
            line.text = std::move(step.text);
            Result<void> written = co_await record(state, ticket, std::move(line));
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
    auto decoded = decode_ticket_data(ticket);
    if (!decoded) {
        co_return decoded.error();
    }
    auto submission = std::make_shared<Submission>();
    submission->ticket = ticket.id;
    submission->data = std::move(*decoded);
    const TicketTurns::Turn turn =
        co_await TicketTurns::take(state->turns, ticket.id, TicketTurns::Purpose::other);
    auto prepare = [state, submission] {
        return prepare_ticket(*state, submission->ticket, submission->data);
    };
    Result<Prepared> prepared =
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
        if (state->watch.hurry) {
            state->watch.hurry();
        }
    }
    co_return result;
}

}  // namespace sparkhost::detail::standalone
