// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_SUPERVISOR_DESCENDANTS_HPP
#define SPARKHOST_SRC_SUPERVISOR_DESCENDANTS_HPP

#include "backends/local/process_identity.hpp"

#include <cstddef>
#include <vector>

namespace sparkhost::supervisor {

/// All processes below this one that are not over, as one walk through /proc sees them.
std::vector<detail::ProcessStat> find_descendants();

struct SignalResult {
    std::size_t signaled{0};
    std::size_t refused{0};  ///< has become another user's
};

/// Sends the signal to each of them, whatever group or session it has made its own.
SignalResult signal_descendants(int signal);

}  // namespace sparkhost::supervisor

#endif
