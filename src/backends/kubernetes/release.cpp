// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/kubernetes_state.hpp"
#include "backends/kubernetes/operation.hpp"
#include "backends/kubernetes/release_machine.hpp"

#include "crash_point.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::kubernetes {

Awaitable<void> release_application(std::shared_ptr<KubernetesState> state,
                                    Backend::ReleaseRequest request) {
    const Ticket& ticket = request.ticket;
    auto decoded = decode_ticket_data(ticket);
    if (!decoded) {
        co_return ok();  // none of ours has such a ticket, so there is nothing to remove
    }
    auto data = std::make_shared<const TicketData>(std::move(*decoded));
    const TicketTurns::Turn turn =
        co_await TicketTurns::take(state->turns, ticket.id, TicketTurns::Purpose::other);
    // the API server has the log only as long as the pod is there
    auto settled = request.keep_log ? keep_application_log(state, ticket)
                                    : remove_application_log(state, ticket);
    Result<void> log_done = co_await std::move(settled);
    if (!log_done) {
        co_return log_done;
    }
    SPARKHOST_CRASH_POINT("kubernetes.release.log_kept");
    ReleaseMachine machine(data->identity, data->list());
    Move move = machine.begin();
    while (const auto* action = std::get_if<ApiAction>(&move)) {
        SPARKHOST_CRASH_POINT("kubernetes.release.asks");
        ApiAction next = *action;
        ApiAnswer answer = co_await perform_action(state, data, std::move(next));
        SPARKHOST_CRASH_POINT("kubernetes.release.answered");
        move = machine.resume(answer);
    }
    Result<void> result = std::get<Result<void>>(std::move(move));
    if (result && state->watch.released) {
        state->watch.released(ticket.id);
    }
    co_return result;
}

}  // namespace sparkhost::detail::kubernetes
