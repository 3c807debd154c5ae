// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_KUBERNETES_STATE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_KUBERNETES_STATE_HPP

#include "backends/common/places.hpp"
#include "backends/common/ticket_turns.hpp"
#include "http/client.hpp"

#include <sparkhost/backends/kubernetes.hpp>

#include <boost/json/object.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::detail::kubernetes {

class LogKeeper;

/// What the running Backend::watch lets the other operations ask of it; empty while none runs.
struct WatchHooks {
    /// A submit has succeeded, or a kill has found a driver: from now on the ticket's pod must be
    /// seen. Says again what is known of it.
    std::function<void(const std::string& ticket, const std::string& in_namespace)> repeat{};
    /// A kill begins: what ends from now on ends by the host's wish.
    std::function<void(const std::string& ticket, const std::string& in_namespace)>
        kill_requested{};
    /// A kill has taken the ticket before there was a driver: reports `ended`, `killed`.
    std::function<void(const std::string& ticket, const std::string& in_namespace)> killed{};
    /// The ticket has been released: forgets it.
    std::function<void(const std::string& ticket)> released{};
};

/// What the backend's operations share. Lives as long as any of them; for the host's strand.
struct KubernetesState {
    explicit KubernetesState(KubernetesBackendOptions given);

    const KubernetesBackendOptions options;
    const std::string service_host;  ///< KUBERNETES_SERVICE_HOST and _PORT of the environment: a
    const std::string service_port;  ///< pod's own API server

    // set by open
    BackendContext context{};
    std::shared_ptr<http::Client> client{};
    std::string default_namespace{};
    std::vector<std::string> namespaces{};  ///< where drivers may run; the default one first
    std::string api_url{};                  ///< of the API server, as the host sees it
    boost::json::object pod_template{};     ///< of options.pod_template; empty: none
    std::shared_ptr<LogKeeper> logs{};

    /// The API server was away when the host started, and has not been asked what it allows.
    bool owes_access_check{false};

    /// Of submits: each holds the whole description of a pod. Twice as many as there are requests
    /// at a time, so that none of those waits for work to do.
    std::shared_ptr<Places> submits{std::make_shared<Places>(2 * options.max_requests)};
    TicketTurns turns{};  ///< submit, kill and release of one ticket take turns
    WatchHooks watch{};

    void log(LogLevel level, std::string message) const {
        if (context.log) {
            context.log(LogEvent{level, "kubernetes", std::move(message)});
        }
    }
};

// The operations of Backend (include/sparkhost/backend.hpp says what each one promises).

Awaitable<void> open_backend(std::shared_ptr<KubernetesState> state, BackendContext context);
/// That the API server is there, knows us and lets us do what we need. Errors: indeterminate – it
/// is away; backend_failed – it does not, or is not to be trusted. (open.cpp)
Awaitable<void> check_access(std::shared_ptr<KubernetesState> state);
Awaitable<Ticket> reserve_ticket(std::shared_ptr<KubernetesState> state, SubmitRequest request);
Awaitable<void> submit_application(std::shared_ptr<KubernetesState> state, SubmitRequest request,
                                   Ticket ticket);
/// src/backends/kubernetes/watch.cpp
Awaitable<void> watch_applications(std::shared_ptr<KubernetesState> state,
                                   std::shared_ptr<EventSink> sink);
Awaitable<void> kill_application(std::shared_ptr<KubernetesState> state, Ticket ticket);
Awaitable<void> release_application(std::shared_ptr<KubernetesState> state,
                                    Backend::ReleaseRequest request);
/// src/backends/kubernetes/read_log.cpp
Awaitable<LogPage> read_application_log(std::shared_ptr<KubernetesState> state, LogRequest request);

/// Has all that read_log needs on the host's disk; called by release while the pod is still there.
/// Errors: backend_failed – it is not, and may be tried again. (read_log.cpp)
Awaitable<void> keep_application_log(std::shared_ptr<KubernetesState> state, Ticket ticket);
/// Removes it; success where there is none. (read_log.cpp)
Awaitable<void> remove_application_log(std::shared_ptr<KubernetesState> state, Ticket ticket);

/// Ends one driver pod, if it is still the one with this uid; for a pod that the watch finds though
/// its ticket has been killed (a create that came late). Its finalizer stays.
Awaitable<void> delete_driver_pod(std::shared_ptr<KubernetesState> state, std::string in_namespace,
                                  std::string pod, std::string uid);

}  // namespace sparkhost::detail::kubernetes

#endif
