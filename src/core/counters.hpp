// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_COUNTERS_HPP
#define SPARKHOST_SRC_CORE_COUNTERS_HPP

#include <sparkhost/host.hpp>

namespace sparkhost::detail {

void record_latency(LatencyHistogram& histogram, SteadyTime::duration took);

}  // namespace sparkhost::detail

#endif
