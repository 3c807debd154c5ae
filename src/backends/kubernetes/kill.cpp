// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/kill_machine.hpp"
#include "backends/kubernetes/kubernetes_state.hpp"
#include "backends/kubernetes/operation.hpp"

#include "crash_point.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::kubernetes {

Awaitable<void> kill_application(std::shared_ptr<KubernetesState> state, Ticket ticket) {
    auto decoded = decode_ticket_data(ticket);
    if (!decoded) {
        co_return decoded.error();
    }
    auto data = std::make_shared<const TicketData>(std::move(*decoded));
    const TicketTurns::Turn turn =
        co_await TicketTurns::take(state->turns, ticket.id, TicketTurns::Purpose::kill);
    if (state->watch.kill_requested) {
        state->watch.kill_requested(ticket.id, data->objects.in_namespace);
    }
    KillMachine machine(data->identity);
    Move move = machine.begin();
    while (const auto* action = std::get_if<ApiAction>(&move)) {
        SPARKHOST_CRASH_POINT("kubernetes.kill.asks");
        ApiAction next = *action;
        ApiAnswer answer = co_await perform_action(state, data, std::move(next));
        SPARKHOST_CRASH_POINT("kubernetes.kill.answered");
        move = machine.resume(answer);
    }
    Result<void> result = std::get<Result<void>>(std::move(move));
    if (result && machine.found_no_driver() && state->watch.killed) {
        state->watch.killed(ticket.id, data->objects.in_namespace);
    } else if (result && state->watch.repeat) {
        state->watch.repeat(ticket.id, data->objects.in_namespace);
    }
    co_return result;
}

Awaitable<void> delete_driver_pod(std::shared_ptr<KubernetesState> state, std::string in_namespace,
                                  std::string pod, std::string uid) {
    http::Request request = pod_deletion(in_namespace, pod, uid, state->options.kill_grace,
                                         state->options.request_deadline);
    ApiAnswer answer = co_await ask_api(state->client, std::move(request));
    switch (answer.verdict) {
        case ApiVerdict::done:
        case ApiVerdict::missing:
        case ApiVerdict::conflict:  // another pod has the name by now
            co_return ok();
        default:
            co_return Error(Errc::backend_failed, answer.words);
    }
}

}  // namespace sparkhost::detail::kubernetes
