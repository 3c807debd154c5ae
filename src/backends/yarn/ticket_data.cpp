// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/yarn_state.hpp"

#include <algorithm>
#include <utility>

namespace sparkhost::detail::yarn {

Result<OwnTicket> decode_ticket(const Ticket& ticket) {
    auto data = guarded::decode_ticket_data(ticket);
    if (!data) {
        return data.error();
    }
    auto plan = decode_am_plan(data->request);
    if (!plan) {
        return plan.error();
    }
    OwnTicket own;
    own.data = std::move(*data);
    own.plan = std::move(*plan);
    return own;
}

std::vector<std::string> applications_of(const TicketFacts& facts) {
    std::vector<std::string> applications = facts.drivers;
    for (const auto& each : {facts.intended, facts.claimed_by}) {
        if (!each.empty() && std::ranges::find(applications, each) == applications.end()) {
            applications.push_back(each);
        }
    }
    return applications;
}

std::string staging_folder(const AmPlan& plan, const std::string& application) {
    return plan.staging + (plan.staging.ends_with('/') ? "" : "/") + application;
}

}  // namespace sparkhost::detail::yarn
