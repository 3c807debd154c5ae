// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_SUBMISSION_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_SUBMISSION_MACHINE_HPP

#include "backends/kubernetes/api_action.hpp"
#include "backends/kubernetes/api_answer.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace sparkhost::detail::kubernetes {

struct SubmissionPlan {
    Identity identity{};
    ObjectList objects{};
    bool wait_for_quota{false};
    /// Why the contents of ConfigMap and Secret cannot be had (any more); what is there is adopted.
    std::string unreadable{};
};

/// Decides what a submit asks of the API server. In order: ConfigMap, Secret, Service, claims,
/// driver pod, so that the pod is what makes it true. Each name that is taken is looked at: ours is
/// adopted. What the API server will not have is given up only after the ConfigMap's place is taken
/// by a tombstone, since a create of an earlier, dead process may still be on its way.
class SubmissionMachine {
public:
    explicit SubmissionMachine(SubmissionPlan plan);

    Move begin();
    Move resume(const ApiAnswer& answer);

private:
    enum class Settling { no, read_config_map, remove_config_map, place_tombstone, read_pod };

    ObjectKind part() const { return parts_[at_].kind; }
    Move read();
    Move next_part();
    Move created(const ApiAnswer& answer);
    Move looked(const ApiAnswer& answer);
    Move adopted(const ApiObject& found);
    Move gone();
    Move give_up(std::string why);
    Move settle(const ApiAnswer& answer);
    Move settle_config_map(const ApiAnswer& answer);
    Move settle_by(Settling step, ApiAction action);
    Move not_now(const ApiAnswer& answer) const;

    SubmissionPlan plan_;
    std::vector<ObjectPart> parts_;
    std::size_t at_{0};
    std::string owner_{};  ///< uid of the ConfigMap
    bool reading_{false};
    ApiVerdict refusal_{ApiVerdict::done};  ///< of the present part's create; done: none
    std::string why_{};                     ///< it is refused, or given up
    Settling settling_{Settling::no};
    int turns_{0};
};

}  // namespace sparkhost::detail::kubernetes

#endif
