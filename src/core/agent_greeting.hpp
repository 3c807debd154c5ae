// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_AGENT_GREETING_HPP
#define SPARKHOST_SRC_CORE_AGENT_GREETING_HPP

// The first line of an agent or a guard, and the host's answer (docs/agent_protocol.md).

#include <sparkhost/agent_endpoint.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace sparkhost::detail {

inline constexpr int agent_protocol_version = 1;

/// Longest line of the protocol, with its end.
inline constexpr std::size_t agent_protocol_line = 8u << 20;

using Greeting = std::variant<AgentGreeting, DriverClaim>;

/// Errors: invalid_argument – not a greeting, `detail` says why; not_supported – no version of the
/// protocol in common.
Result<Greeting> read_greeting(std::string_view line);

/// The answer, with its line end.
std::string write_verdict(const AgentGreeting& greeting, const AgentVerdict& verdict);

/// What a guard is answered, with its line end. A grant whose files do not fit in a line becomes a
/// refusal, also in `answer`.
std::string write_claim_answer(ClaimAnswer& answer);

/// The answer to a greeting that speaks other versions.
std::string write_version_refusal(const Error& error);

}  // namespace sparkhost::detail

#endif
