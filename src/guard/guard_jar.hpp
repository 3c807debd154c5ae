// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_GUARD_GUARD_JAR_HPP
#define SPARKHOST_SRC_GUARD_GUARD_JAR_HPP

#include <string_view>

namespace sparkhost::detail {

/// The jar that drivers of a cluster start with (docs/agent_protocol.md, "Guards"), as the build
/// has carried it in.
std::string_view guard_jar();

inline constexpr std::string_view guard_main_class = "io.sparkhost.guard.DriverGuard";

}  // namespace sparkhost::detail

#endif
