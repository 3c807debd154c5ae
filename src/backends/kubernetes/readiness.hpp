// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_READINESS_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_READINESS_HPP

#include "backends/kubernetes/kubernetes_state.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>

namespace sparkhost::detail::kubernetes {

/// Whether a `forbidden` counts. An API server that has just started refuses what it is going to
/// allow: it listens before it has read its roles, bindings and quotas (seen with 1.36: "cannot
/// list resource …: RBAC: role … not found" until /readyz answered 200). So a refusal counts when
/// the server was known to be ready before it was asked. Pure.
class ForbiddenMachine {
public:
    enum class What {
        believe,  ///< it is forbidden
        again,    ///< after a pause of `pause()`
        not_now   ///< the server says itself that it is not ready
    };

    /// The request was forbidden. True: it is; false: ask /readyz and tell `looked`.
    bool is_believed() const { return was_ready_ || unclear_ == max_unclear; }
    /// The status of /readyz; 0: there was no answer.
    What looked(int status);
    std::chrono::milliseconds pause() const;

private:
    /// /readyz is open to everybody, but a proxy may see that otherwise, and a server that begins
    /// to listen forbids even that: then the refusal counts when it has stood for some seconds.
    static constexpr int max_unclear = 3;

    bool was_ready_{false};
    int unclear_{0};
};

/// The status of /readyz; 0: there was no answer.
boost::asio::awaitable<int> ask_readiness(std::shared_ptr<KubernetesState> state,
                                          std::chrono::milliseconds deadline);

}  // namespace sparkhost::detail::kubernetes

#endif
