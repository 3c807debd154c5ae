// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_AGENT_GREETING_HPP
#define SPARKHOST_SRC_CORE_AGENT_GREETING_HPP

// The first line of an agent, and the host's answer (docs/agent_protocol.md).

#include <sparkhost/agent_endpoint.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail {

inline constexpr int agent_protocol_version = 1;

/// Errors: invalid_argument – not a greeting, `detail` says why; not_supported – no version of the
/// protocol in common.
Result<AgentGreeting> read_greeting(std::string_view line);

/// The answer, with its line end.
std::string write_verdict(const AgentGreeting& greeting, const AgentVerdict& verdict);

/// The answer to a greeting that speaks other versions.
std::string write_version_refusal(const Error& error);

}  // namespace sparkhost::detail

#endif
