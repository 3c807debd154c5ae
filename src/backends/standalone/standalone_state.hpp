// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_STANDALONE_STATE_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_STANDALONE_STATE_HPP

#include "backends/guarded/guarded_state.hpp"
#include "backends/guarded/log_reading.hpp"
#include "backends/standalone/masters.hpp"

#include <sparkhost/backends/standalone.hpp>

#include <memory>
#include <string>

namespace sparkhost::detail::standalone {

using guarded::ClaimSight;
using guarded::JournalLine;
using guarded::TicketData;
using guarded::TicketEnd;
using guarded::TicketFacts;

/// What the backend's operations share.
struct StandaloneState : guarded::GuardedState {
    explicit StandaloneState(StandaloneBackendOptions given);

    const StandaloneBackendOptions options;

    // set by open
    std::string guard_jar{};  ///< its URL, for the workers
    std::shared_ptr<Masters> masters{};
};

// The operations of Backend (include/sparkhost/backend.hpp says what each one promises).

Awaitable<void> open_backend(std::shared_ptr<StandaloneState> state, BackendContext context);
Awaitable<Ticket> reserve_ticket(std::shared_ptr<StandaloneState> state, SubmitRequest request);
Awaitable<void> submit_application(std::shared_ptr<StandaloneState> state, SubmitRequest request,
                                   Ticket ticket);
Awaitable<void> watch_applications(std::shared_ptr<StandaloneState> state,
                                   std::shared_ptr<EventSink> sink);
Awaitable<void> kill_application(std::shared_ptr<StandaloneState> state, Ticket ticket);
Awaitable<void> release_application(std::shared_ptr<StandaloneState> state,
                                    Backend::ReleaseRequest request);

/// How logs of this backend are read (read_log.cpp).
guarded::LogReading log_reading(const std::shared_ptr<StandaloneState>& state);

}  // namespace sparkhost::detail::standalone

#endif
