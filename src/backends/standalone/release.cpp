// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/standalone_state.hpp"

#include "backends/common/ticket_names.hpp"
#include "crash_point.hpp"
#include "hop.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::standalone {

Awaitable<void> release_application(std::shared_ptr<StandaloneState> state,
                                    Backend::ReleaseRequest request) {
    const std::string id = request.ticket.id;
    if (!is_ticket_id(id)) {
        co_return ok();  // none of ours has such a ticket, so there is nothing to remove
    }
    const TicketTurns::Turn turn =
        co_await TicketTurns::take(state->turns, id, TicketTurns::Purpose::other);
    auto settling = request.keep_log ? guarded::keep_log(log_reading(state), id)
                                     : guarded::remove_log(state, id);
    Result<void> settled = co_await std::move(settling);
    if (!settled) {
        co_return settled;
    }
    SPARKHOST_CRASH_POINT("standalone.release.log_kept");
    state->table.erase(id);
    auto remove = [state, id] {
        return guarded::remove_ticket(
            *state, id, [] { SPARKHOST_CRASH_POINT("standalone.release.folder_gone"); });
    };
    Result<void> removed =
        co_await run_blocking(state->context.blocking_executor, std::move(remove));
    if (removed && state->watch.released) {
        state->watch.released(id);
    }
    co_return removed;
}

}  // namespace sparkhost::detail::standalone
