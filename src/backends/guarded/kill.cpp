// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/kill.hpp"

#include "crash_point.hpp"
#include "hop.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::guarded {

Awaitable<void> kill_ticket(std::shared_ptr<GuardedState> state, std::string ticket,
                            std::shared_ptr<const TicketData> data, EndOnCluster end_on_cluster) {
    const TicketTurns::Turn turn =
        co_await TicketTurns::take(state->turns, ticket, TicketTurns::Purpose::kill);
    const auto* before = state->find(ticket);
    if (before != nullptr && before->end) {
        state->tell_again(ticket);
        co_return ok();
    }
    auto take = [state, data, ticket, now = state->now()] {
        return take_ticket(*state, ticket, *data, now);
    };
    Result<TicketFacts> taken =
        co_await run_blocking(state->context.blocking_executor, std::move(take));
    SPARKHOST_CRASH_POINT("guarded.kill.taken");
    if (!taken) {
        co_return Error(Errc::backend_failed, taken.error().detail);
    }
    const bool never_began = taken->end && taken->end->outcome == Outcome::killed;
    const auto [entry, is_new] = state->table.try_emplace(ticket, *taken);
    if (!is_new) {
        take_over_kill(entry->second, *taken);
    }
    auto ending = end_on_cluster(entry->second);
    state->tell_again(ticket);
    Result<void> ended = co_await std::move(ending);
    state->hurry();
    if (!ended && never_began) {
        state->log(LogLevel::warning,
                   "what waits on the cluster for " + ticket +
                       " could not be ended, and will end by itself: " + ended.error().detail);
        co_return ok();
    }
    co_return ended;
}

}  // namespace sparkhost::detail::guarded
