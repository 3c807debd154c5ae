// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/yarn_state.hpp"

#include "crash_point.hpp"
#include "hop.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

/// What no ResourceManager knows needs no end: what is posted later runs nothing.
Awaitable<void> kill_all(std::shared_ptr<YarnState> state, std::string user,
                         std::vector<std::string> applications) {
    Result<void> result = ok();
    for (const auto& each : applications) {
        SPARKHOST_CRASH_POINT("yarn.kill.asks");
        const RmReply reply = co_await ResourceManagers::kill(state->managers, user, each);
        SPARKHOST_CRASH_POINT("yarn.kill.answered");
        const bool known =
            reply.verdict == RmReply::Verdict::done || reply.verdict == RmReply::Verdict::absent;
        if (!known) {
            result = Error(Errc::backend_failed, reply.words);
        }
    }
    co_return result;
}

}  // namespace

Awaitable<void> kill_application(std::shared_ptr<YarnState> state, Ticket ticket) {
    auto decoded = decode_ticket(ticket);
    if (!decoded) {
        co_return decoded.error();
    }
    auto own = std::make_shared<const OwnTicket>(std::move(*decoded));
    const TicketTurns::Turn turn =
        co_await TicketTurns::take(state->turns, ticket.id, TicketTurns::Purpose::kill);
    const auto* before = state->find(ticket.id);
    if (before != nullptr && before->end) {
        state->tell_again(ticket.id);
        co_return ok();
    }
    auto take = [state, own, id = ticket.id, now = state->now()] {
        return guarded::take_ticket(*state, id, own->data, now);
    };
    Result<TicketFacts> taken =
        co_await run_blocking(state->context.blocking_executor, std::move(take));
    SPARKHOST_CRASH_POINT("yarn.kill.taken");
    if (!taken) {
        co_return Error(Errc::backend_failed, taken.error().detail);
    }
    const bool never_began = taken->end && taken->end->outcome == Outcome::killed;
    const auto [entry, is_new] = state->table.try_emplace(ticket.id, *taken);
    if (!is_new) {
        take_over_kill(entry->second, *taken);
    }
    auto applications = applications_of(entry->second);
    state->tell_again(ticket.id);
    Result<void> killed = co_await kill_all(state, own->plan.user, std::move(applications));
    state->hurry();
    if (!killed && never_began) {
        state->log(LogLevel::warning,
                   "the application of " + ticket.id +
                       " could not be killed, and will end by itself: " + killed.error().detail);
        co_return ok();
    }
    co_return killed;
}

}  // namespace sparkhost::detail::yarn
