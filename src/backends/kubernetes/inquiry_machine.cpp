// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/inquiry_machine.hpp"

#include <algorithm>

namespace sparkhost::detail::kubernetes {

namespace {

/// A driver that has not started by then waits for something.
constexpr std::size_t doubtful_round = 2;

}  // namespace

void InquiryMachine::ask(const PodTracking& tracking, Plan& plan, SteadyTime now,
                         std::vector<Inquiry>& found) {
    Inquiry inquiry;
    inquiry.ticket = tracking.ticket();
    inquiry.name_space = tracking.name_space();
    inquiry.uid = tracking.uid();
    inquiry.doubtful = plan.rounds >= doubtful_round && tracking.is_waiting();
    found.push_back(std::move(inquiry));
    auto pause = rules_.again;
    for (std::size_t i = 0; i < plan.rounds && pause < rules_.longest; ++i) {
        pause *= 2;
    }
    ++plan.rounds;
    plan.next = now + std::min(pause, rules_.longest);
}

std::vector<Inquiry> InquiryMachine::due(const ApplicationTable& table, SteadyTime now) {
    ++turn_;
    std::vector<Inquiry> found;
    table.for_each([&](const PodTracking& tracking) {
        const auto known = plans_.find(tracking.uid());
        if (tracking.is_waiting()) {
            auto& plan = known != plans_.end() ? known->second : plans_[tracking.uid()];
            if (known == plans_.end()) {
                plan.next = tracking.first_seen().value_or(now) + rules_.first;
            }
            plan.needed_in = turn_;
            if (plan.next <= now && found.size() < rules_.at_once) {
                ask(tracking, plan, now, found);
            }
        } else if (known != plans_.end() && known->second.rounds > 0 && tracking.has_started() &&
                   !tracking.has_ended() && found.size() < rules_.at_once) {
            ask(tracking, known->second, now, found);  // the last time
        }
    });
    std::erase_if(plans_, [&](const auto& each) { return each.second.needed_in < turn_; });
    return found;
}

}  // namespace sparkhost::detail::kubernetes
