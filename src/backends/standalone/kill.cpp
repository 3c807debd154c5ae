// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/standalone_state.hpp"

#include "crash_point.hpp"
#include "hop.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace sparkhost::detail::standalone {

namespace {

std::vector<std::string> drivers_of(const TicketFacts& facts) {
    std::vector<std::string> drivers = facts.drivers;
    if (!facts.claimed_by.empty() && (drivers.empty() || drivers.back() != facts.claimed_by)) {
        drivers.push_back(facts.claimed_by);
    }
    return drivers;
}

Awaitable<void> kill_drivers(std::shared_ptr<StandaloneState> state,
                             std::vector<std::string> drivers) {
    Result<void> result = ok();
    for (const auto& each : drivers) {
        SPARKHOST_CRASH_POINT("standalone.kill.asks");
        std::string driver = each;
        SubmissionAnswer answer = co_await Masters::kill(state->masters, std::move(driver));
        SPARKHOST_CRASH_POINT("standalone.kill.answered");
        const bool known = answer.verdict == SubmissionAnswer::Verdict::done ||
                           answer.verdict == SubmissionAnswer::Verdict::unknown_id;
        if (!known) {
            result = Error(Errc::backend_failed, answer.words);
        }
    }
    co_return result;
}

}  // namespace

Awaitable<void> kill_application(std::shared_ptr<StandaloneState> state, Ticket ticket) {
    auto decoded = guarded::decode_ticket_data(ticket);
    if (!decoded) {
        co_return decoded.error();
    }
    auto data = std::make_shared<const TicketData>(std::move(*decoded));
    const TicketTurns::Turn turn =
        co_await TicketTurns::take(state->turns, ticket.id, TicketTurns::Purpose::kill);
    const auto* before = state->find(ticket.id);
    if (before != nullptr && before->end) {
        state->tell_again(ticket.id);
        co_return ok();
    }
    auto take = [state, data, id = ticket.id, now = state->now()] {
        return guarded::take_ticket(*state, id, *data, now);
    };
    Result<TicketFacts> taken =
        co_await run_blocking(state->context.blocking_executor, std::move(take));
    SPARKHOST_CRASH_POINT("standalone.kill.taken");
    if (!taken) {
        co_return Error(Errc::backend_failed, taken.error().detail);
    }
    const bool never_began = taken->end && taken->end->outcome == Outcome::killed;
    const auto [entry, is_new] = state->table.try_emplace(ticket.id, *taken);
    if (!is_new) {
        take_over_kill(entry->second, *taken);
    }
    auto drivers = drivers_of(entry->second);
    state->tell_again(ticket.id);
    Result<void> killed = co_await kill_drivers(state, std::move(drivers));
    state->hurry();
    if (!killed && never_began) {
        state->log(LogLevel::warning,
                   "a driver that waits for " + ticket.id +
                       " could not be removed, and will end by itself: " + killed.error().detail);
        co_return ok();
    }
    co_return killed;
}

}  // namespace sparkhost::detail::standalone
