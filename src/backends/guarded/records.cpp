// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/guarded_state.hpp"

#include "hop.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::guarded {

ClaimSight sight_of(const ClaimEntry& entry) {
    ClaimSight sight;
    sight.held = entry.holder != ClaimEntry::Holder::nobody;
    sight.killed = entry.killed;
    sight.driver = entry.driver;
    return sight;
}

Awaitable<void> record(std::shared_ptr<GuardedState> state, std::string ticket, JournalLine line) {
    auto write = [store = state->tickets, ticket, line] { return store.append(ticket, line); };
    Result<void> written =
        co_await run_blocking(state->context.blocking_executor, std::move(write));
    if (!written) {
        co_return written;
    }
    if (auto* facts = state->find(ticket)) {
        apply(*facts, line);
        state->tell_changed(ticket);
    }
    co_return ok();
}

Awaitable<void> finish_ticket(std::shared_ptr<GuardedState> state, std::string ticket,
                              TicketEnd end) {
    auto write = [store = state->tickets, ticket, end] { return store.finish(ticket, end); };
    Result<TicketEnd> first =
        co_await run_blocking(state->context.blocking_executor, std::move(write));
    if (!first) {
        co_return first.error();
    }
    auto* facts = state->find(ticket);
    if (facts != nullptr && !facts->end) {
        facts->end = std::move(*first);
        state->tell_changed(ticket);
    }
    co_return ok();
}

Awaitable<ClaimSight> take_claim(std::shared_ptr<GuardedState> state, std::string ticket) {
    auto take = [state, ticket]() -> Result<ClaimEntry> { return state->claims.take(ticket); };
    Result<ClaimEntry> entry =
        co_await run_blocking(state->context.blocking_executor, std::move(take));
    if (!entry) {
        co_return entry.error();
    }
    co_return sight_of(*entry);
}

}  // namespace sparkhost::detail::guarded
