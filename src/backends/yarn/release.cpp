// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/yarn_state.hpp"

#include "backends/common/ticket_names.hpp"
#include "crash_point.hpp"
#include "hop.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

/// What a kill could not tell the ResourceManager may still wait in its queue.
bool may_wait(const TicketFacts& facts) {
    return facts.end && facts.end->outcome == Outcome::killed && !facts.claimed;
}

/// The files of the ticket's applications: secrets are among them. An AM that has ended well has
/// removed them itself.
Awaitable<void> remove_staged(std::shared_ptr<YarnState> state, Ticket ticket) {
    const auto* facts = state->find(ticket.id);
    auto decoded = decode_ticket(ticket);
    if (facts == nullptr || !decoded) {
        co_return ok();
    }
    const auto own = std::make_shared<const OwnTicket>(std::move(*decoded));
    const bool waits = may_wait(*facts);
    const std::vector<std::string> applications = applications_of(*facts);
    for (const auto& each : applications) {
        if (waits) {
            (void)co_await ResourceManagers::kill(state->managers, own->plan.user, each);
        }
        std::string folder = staging_folder(own->plan, each);
        Result<void> removed =
            co_await Staging::remove(state->staging, own->plan.user, std::move(folder));
        if (!removed && removed.error().is(Errc::indeterminate)) {
            co_return Error(Errc::backend_failed,
                            "its files cannot be removed yet: " + removed.error().detail);
        }
        if (!removed) {
            state->log(LogLevel::warning, "the files of " + each + " are left in " +
                                              own->plan.staging + ": " + removed.error().text());
        }
    }
    co_return ok();
}

Awaitable<void> remove_all(std::shared_ptr<YarnState> state, Ticket ticket) {
    Result<void> unstaged = co_await remove_staged(state, ticket);
    if (!unstaged) {
        co_return unstaged;
    }
    SPARKHOST_CRASH_POINT("yarn.release.staging_gone");
    state->table.erase(ticket.id);
    auto remove = [state, id = ticket.id] {
        return guarded::remove_ticket(*state, id,
                                      [] { SPARKHOST_CRASH_POINT("yarn.release.folder_gone"); });
    };
    Result<void> removed =
        co_await run_blocking(state->context.blocking_executor, std::move(remove));
    co_return removed;
}

}  // namespace

Awaitable<void> release_application(std::shared_ptr<YarnState> state,
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
    SPARKHOST_CRASH_POINT("yarn.release.log_kept");
    Result<void> removed = co_await remove_all(state, std::move(request.ticket));
    if (removed && state->watch.released) {
        state->watch.released(id);
    }
    co_return removed;
}

}  // namespace sparkhost::detail::yarn
