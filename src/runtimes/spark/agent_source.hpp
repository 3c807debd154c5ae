// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_RUNTIMES_SPARK_AGENT_SOURCE_HPP
#define SPARKHOST_SRC_RUNTIMES_SPARK_AGENT_SOURCE_HPP

#include <string_view>

namespace sparkhost::detail {

/// sparkhost_agent.py, as the build has carried it in.
std::string_view agent_source();

}  // namespace sparkhost::detail

#endif
