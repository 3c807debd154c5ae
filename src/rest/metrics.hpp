// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_METRICS_HPP
#define SPARKHOST_SRC_REST_METRICS_HPP

#include "rest/process_stats.hpp"

#include <sparkhost/host.hpp>

#include <optional>
#include <string>

namespace sparkhost::detail::rest {

inline constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";

/// The figures in Prometheus' text format.
std::string metrics_text(const HostStatus& status, const std::optional<ProcessStats>& process);

}  // namespace sparkhost::detail::rest

#endif
