// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/kill.hpp"
#include "backends/yarn/yarn_state.hpp"

#include "crash_point.hpp"

#include <memory>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

/// What no ResourceManager knows needs no end: what is posted later runs nothing.
Awaitable<void> kill_all(std::shared_ptr<YarnState> state, std::string user,
                         std::vector<std::string> applications) {
    Result<void> result = ok();
    for (const auto& each : applications) {
        SPARKHOST_CRASH_POINT("yarn.kill.asks");
        const RmReply reply = co_await ResourceManagers::kill(state->managers, user, each);
        SPARKHOST_CRASH_POINT("yarn.kill.answered");
        const bool known =
            reply.verdict == RmReply::Verdict::done || reply.verdict == RmReply::Verdict::absent;
        if (!known) {
            result = Error(Errc::backend_failed, reply.words);
        }
    }
    co_return result;
}

}  // namespace

Awaitable<void> kill_application(std::shared_ptr<YarnState> state, Ticket ticket) {
    auto own = decode_ticket(ticket);
    if (!own) {
        co_return own.error();
    }
    auto data = std::make_shared<const TicketData>(std::move(own->data));
    guarded::EndOnCluster end_all = [state, user = own->plan.user](const TicketFacts& facts) {
        return kill_all(state, user, applications_of(facts));
    };
    co_return co_await guarded::kill_ticket(std::move(state), std::move(ticket.id), std::move(data),
                                            std::move(end_all));
}

}  // namespace sparkhost::detail::yarn
