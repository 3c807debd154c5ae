// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_INQUIRY_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_INQUIRY_MACHINE_HPP

#include "backends/kubernetes/application_table.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace sparkhost::detail::kubernetes {

struct InquiryRules {
    std::chrono::milliseconds first{std::chrono::seconds{3}};  ///< a quick start needs none
    std::chrono::milliseconds again{std::chrono::seconds{5}};  ///< doubles each time
    std::chrono::milliseconds longest{std::chrono::minutes{2}};
    std::size_t at_once{10};  ///< per call of due()
};

/// A pod whose events are to be read.
struct Inquiry {
    std::string ticket{};
    std::string name_space{};
    std::string uid{};
    bool doubtful{false};  ///< it has waited for long: has its ticket been killed or released?
};

/// Decides whose events are read: a watch of all events of a namespace would be mostly about
/// strangers' pods. Those of a driver that does not start are asked for, ever less often, and once
/// more when it has started, for the timeline.
class InquiryMachine {
public:
    explicit InquiryMachine(InquiryRules rules = {}) : rules_(rules) {}

    std::vector<Inquiry> due(const ApplicationTable& table, SteadyTime now);
    std::size_t size() const { return plans_.size(); }

private:
    struct Plan {
        SteadyTime next{};
        std::size_t rounds{0};
        std::uint64_t needed_in{0};
    };
    void ask(const PodTracking& tracking, Plan& plan, SteadyTime now, std::vector<Inquiry>& found);

    InquiryRules rules_;
    std::unordered_map<std::string, Plan> plans_{};  ///< by the pod's uid
    std::uint64_t turn_{0};
};

}  // namespace sparkhost::detail::kubernetes

#endif
