// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_CONDITIONAL_HPP
#define SPARKHOST_SRC_REST_CONDITIONAL_HPP

#include "rest/target.hpp"

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/session.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sparkhost::detail::rest {

/// An If-None-Match header (RFC 9110, section 13.1.2) of our ETags, which are versions.
struct IfNoneMatch {
    bool given{false};
    bool any{false};  ///< "*"
    std::vector<std::int64_t> versions{};

    bool matches(std::int64_t version) const noexcept;
};

/// Tags that are not ours match nothing. An empty text means: no header.
IfNoneMatch parse_if_none_match(std::string_view text);

/// The states that a client may name, and what has them.
template <class State>
struct StateWords;
template <>
struct StateWords<BatchState> {
    static constexpr std::string_view owner = "a batch";
    static constexpr std::array all{BatchState::starting, BatchState::running, BatchState::success,
                                    BatchState::dead, BatchState::killed};
};
template <>
struct StateWords<SessionState> {
    static constexpr std::string_view owner = "a session";
    static constexpr std::array all{SessionState::starting, SessionState::idle,
                                    SessionState::busy,     SessionState::shutting_down,
                                    SessionState::success,  SessionState::dead,
                                    SessionState::killed};
};
template <>
struct StateWords<StatementState> {
    static constexpr std::string_view owner = "a statement";
    static constexpr std::array all{StatementState::waiting, StatementState::running,
                                    StatementState::cancelling, StatementState::cancelled,
                                    StatementState::available};
};

/// What `?wait=SECONDS[&state=S]` asks for.
template <class State>
struct Wait {
    std::optional<std::chrono::seconds> duration{};  ///< none: do not wait
    std::optional<State> not_state{};                ///< wait until the state is not this one
};

/// A whole number of seconds, with or without an "s". Errors: invalid_argument with `field`.
Result<std::chrono::seconds> parse_seconds(std::string_view text, std::string_view field);

/// `conditional`: there is an If-None-Match. Durations above `longest` are cut to it.
/// Errors: invalid_argument – not a number of seconds, not a state, or nothing to wait for.
template <class State>
Result<Wait<State>> parse_wait(const Target& target, std::chrono::seconds longest,
                               bool conditional);

}  // namespace sparkhost::detail::rest

#endif
