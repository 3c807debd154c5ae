// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/readiness.hpp"

#include <utility>

namespace sparkhost::detail::kubernetes {

ForbiddenMachine::What ForbiddenMachine::looked(int status) {
    if (status == 200) {
        was_ready_ = true;
        unclear_ = 0;
        return What::again;
    }
    if (status == 401 || status == 403 || status == 404) {
        ++unclear_;
        return What::again;
    }
    return What::not_now;
}

std::chrono::milliseconds ForbiddenMachine::pause() const {
    return std::chrono::seconds(was_ready_ ? 0 : 1);
}

boost::asio::awaitable<int> ask_readiness(std::shared_ptr<KubernetesState> state,
                                          std::chrono::milliseconds deadline) {
    http::Request request;
    request.target = "/readyz";
    request.deadline = deadline;
    Result<http::Response> response = co_await state->client->send(std::move(request));
    co_return response ? response->status : 0;
}

}  // namespace sparkhost::detail::kubernetes
