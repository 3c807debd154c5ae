// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_OPERATION_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_OPERATION_HPP

#include "backends/kubernetes/api_requests.hpp"
#include "backends/kubernetes/kubernetes_state.hpp"
#include "backends/kubernetes/readiness.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace sparkhost::detail::kubernetes {

/// Performs one request that a machine has asked for. What is forbidden by a server that is not
/// ready yet is `busy`.
inline boost::asio::awaitable<ApiAnswer> perform_action(std::shared_ptr<KubernetesState> state,
                                                        std::shared_ptr<const TicketData> data,
                                                        ApiAction action) {
    const auto deadline = state->options.request_deadline;
    ForbiddenMachine doubt;
    while (true) {
        http::Request request = action_request(action, *data, state->options.kill_grace, deadline);
        ApiAnswer answer = co_await ask_api(state->client, std::move(request));
        if (answer.verdict != ApiVerdict::forbidden || doubt.is_believed()) {
            co_return answer;
        }
        const int readiness = co_await ask_readiness(state, deadline);
        if (doubt.looked(readiness) == ForbiddenMachine::What::not_now) {
            answer.verdict = ApiVerdict::busy;
            answer.words = "the API server is not ready yet: " + answer.words;
            co_return answer;
        }
        if (doubt.pause() > doubt.pause().zero()) {
            const auto& clock = state->context.clock;
            co_await clock->sleep_until(clock->steady_now() + doubt.pause());
        }
    }
}

}  // namespace sparkhost::detail::kubernetes

#endif
