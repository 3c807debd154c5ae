// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_KILL_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_KILL_MACHINE_HPP

#include "backends/kubernetes/api_action.hpp"
#include "backends/kubernetes/api_answer.hpp"

#include <string>

namespace sparkhost::detail::kubernetes {

/// Decides what a kill asks of the API server. A driver pod that carries our finalizer keeps its
/// name until `release`, so no create that is still on its way can make another: it is deleted, and
/// that is all. Where there is none, a tombstone takes the ConfigMap's place first, without which
/// no driver starts, and then the pod is looked for once more.
class KillMachine {
public:
    explicit KillMachine(Identity identity) : identity_(std::move(identity)) {}

    Move begin();
    Move resume(const ApiAnswer& answer);

    /// With success: no pod was there to be killed, so the watch has none to report.
    bool found_no_driver() const { return found_no_driver_; }

private:
    enum class At { read_pod, remove_pod, place_tombstone, read_config_map, remove_config_map };

    Move go(At at, ApiAction action);
    Move look_for_pod();
    Move place_tombstone();
    Move pod_read(const ApiAnswer& answer);
    Move no_driver();
    Move pod_removed(const ApiAnswer& answer);
    Move tombstone_placed(const ApiAnswer& answer);
    Move config_map_read(const ApiAnswer& answer);
    Move config_map_removed(const ApiAnswer& answer);

    Identity identity_;
    At at_{At::read_pod};
    bool fenced_{false};  ///< no driver can start any more but one that is there
    bool found_no_driver_{false};
    int turns_{0};
};

}  // namespace sparkhost::detail::kubernetes

#endif
