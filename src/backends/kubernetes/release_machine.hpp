// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_RELEASE_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_RELEASE_MACHINE_HPP

#include "backends/kubernetes/api_action.hpp"
#include "backends/kubernetes/api_answer.hpp"

#include <cstddef>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// Decides what a release asks of the API server: deletes the driver pod and takes our finalizer
/// off it, then removes claims, Service and Secret, and last the ConfigMap or the tombstone, which
/// is what keeps a create that comes late from starting anything. What is not this ticket's is left
/// alone.
class ReleaseMachine {
public:
    ReleaseMachine(Identity identity, const ObjectList& objects);

    Move begin();
    Move resume(const ApiAnswer& answer);

private:
    enum class At { reading, removing, unfinalizing };

    ObjectKind part() const { return parts_[at_part_].kind; }
    Move read_part();
    Move next_part();
    Move found(const ApiObject& object);
    Move unfinalize(const ApiObject& pod);

    Identity identity_;
    std::vector<ObjectPart> parts_;
    std::size_t at_part_{0};
    At at_{At::reading};
    int turns_{0};
};

}  // namespace sparkhost::detail::kubernetes

#endif
