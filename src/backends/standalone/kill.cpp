// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/kill.hpp"
#include "backends/standalone/standalone_state.hpp"

#include "crash_point.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace sparkhost::detail::standalone {

namespace {

std::vector<std::string> drivers_of(const TicketFacts& facts) {
    std::vector<std::string> drivers = facts.drivers;
    if (!facts.claimed_by.empty() && (drivers.empty() || drivers.back() != facts.claimed_by)) {
        drivers.push_back(facts.claimed_by);
    }
    return drivers;
}

Awaitable<void> kill_drivers(std::shared_ptr<StandaloneState> state,
                             std::vector<std::string> drivers) {
    Result<void> result = ok();
    for (const auto& each : drivers) {
        SPARKHOST_CRASH_POINT("standalone.kill.asks");
        std::string driver = each;
        SubmissionAnswer answer = co_await Masters::kill(state->masters, std::move(driver));
        SPARKHOST_CRASH_POINT("standalone.kill.answered");
        const bool known = answer.verdict == SubmissionAnswer::Verdict::done ||
                           answer.verdict == SubmissionAnswer::Verdict::unknown_id;
        if (!known) {
            result = Error(Errc::backend_failed, answer.words);
        }
    }
    co_return result;
}

}  // namespace

Awaitable<void> kill_application(std::shared_ptr<StandaloneState> state, Ticket ticket) {
    auto decoded = guarded::decode_ticket_data(ticket);
    if (!decoded) {
        co_return decoded.error();
    }
    auto data = std::make_shared<const TicketData>(std::move(*decoded));
    guarded::EndOnCluster end_all = [state](const TicketFacts& facts) {
        return kill_drivers(state, drivers_of(facts));
    };
    co_return co_await guarded::kill_ticket(std::move(state), std::move(ticket.id), std::move(data),
                                            std::move(end_all));
}

}  // namespace sparkhost::detail::standalone
