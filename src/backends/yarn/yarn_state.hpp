// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_YARN_STATE_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_YARN_STATE_HPP

#include "backends/common/places.hpp"
#include "backends/guarded/guarded_state.hpp"
#include "backends/guarded/log_reading.hpp"
#include "backends/yarn/am_plan.hpp"
#include "backends/yarn/container_logs.hpp"
#include "backends/yarn/resource_managers.hpp"
#include "backends/yarn/staging.hpp"

#include <sparkhost/backends/yarn.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost::detail::yarn {

using guarded::ClaimSight;
using guarded::JournalLine;
using guarded::TicketData;
using guarded::TicketEnd;
using guarded::TicketFacts;

/// What the backend's operations share.
struct YarnState : guarded::GuardedState {
    explicit YarnState(YarnBackendOptions given);

    const YarnBackendOptions options;
    std::shared_ptr<Places> submits;  ///< what is under way to the cluster

    // set by open
    std::string user{};                                ///< unless a request names another one
    std::map<std::string, std::string> hadoop_conf{};  ///< text by file name
    std::shared_ptr<ResourceManagers> managers{};
    std::shared_ptr<Staging> staging{};
    std::shared_ptr<ContainerLogs> container_logs{};
};

// The operations of Backend (include/sparkhost/backend.hpp says what each one promises).

Awaitable<void> open_backend(std::shared_ptr<YarnState> state, BackendContext context);
Awaitable<Ticket> reserve_ticket(std::shared_ptr<YarnState> state, SubmitRequest request);
Awaitable<void> submit_application(std::shared_ptr<YarnState> state, SubmitRequest request,
                                   Ticket ticket);
Awaitable<void> watch_applications(std::shared_ptr<YarnState> state,
                                   std::shared_ptr<EventSink> sink);
Awaitable<void> kill_application(std::shared_ptr<YarnState> state, Ticket ticket);
Awaitable<void> release_application(std::shared_ptr<YarnState> state,
                                    Backend::ReleaseRequest request);

/// How logs of this backend are read (read_log.cpp).
guarded::LogReading log_reading(const std::shared_ptr<YarnState>& state);

/// What a ticket was reserved with.
struct OwnTicket {
    TicketData data{};
    AmPlan plan{};
};
/// Errors: backend_failed – this is no ticket of ours.
Result<OwnTicket> decode_ticket(const Ticket& ticket);

/// The applications that this ticket has, or may have.
std::vector<std::string> applications_of(const TicketFacts& facts);

/// The folder of one application.
std::string staging_folder(const AmPlan& plan, const std::string& application);

struct StagingRequest {
    std::string ticket{};
    std::string application{};
    OwnTicket own{};
};
/// Writes the application's files (stage.cpp); gives what is to be posted. Errors: as Staging.
Awaitable<std::string> stage_application(std::shared_ptr<YarnState> state,
                                         std::shared_ptr<const StagingRequest> request);

}  // namespace sparkhost::detail::yarn

#endif
