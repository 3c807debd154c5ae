// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_KILL_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_KILL_HPP

#include "backends/guarded/guarded_state.hpp"

#include <functional>
#include <memory>
#include <string>

namespace sparkhost::detail::guarded {

/// Ends on the cluster what a ticket has there, or may have.
using EndOnCluster = std::function<Awaitable<void>(const TicketFacts& facts)>;

/// Takes the ticket's claim, writes down why, then ends what the cluster has of it. A ticket that
/// nobody had claimed is killed by then, whatever the cluster says.
Awaitable<void> kill_ticket(std::shared_ptr<GuardedState> state, std::string ticket,
                            std::shared_ptr<const TicketData> data, EndOnCluster end_on_cluster);

}  // namespace sparkhost::detail::guarded

#endif
