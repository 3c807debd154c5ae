// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_CONDITIONAL_HPP
#define SPARKHOST_SRC_REST_CONDITIONAL_HPP

#include "rest/target.hpp"

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>

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

/// What `?wait=SECONDS[&state=S]` asks for.
struct Wait {
    std::optional<std::chrono::seconds> duration{};  ///< none: do not wait
    std::optional<BatchState> not_state{};           ///< wait until the state is not this one
};

/// `conditional`: there is an If-None-Match. Durations above `longest` are cut to it.
/// Errors: invalid_argument – not a number of seconds, not a state, or nothing to wait for.
Result<Wait> parse_wait(const Target& target, std::chrono::seconds longest, bool conditional);

}  // namespace sparkhost::detail::rest

#endif
