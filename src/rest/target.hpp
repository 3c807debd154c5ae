// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_TARGET_HPP
#define SPARKHOST_SRC_REST_TARGET_HPP

#include <sparkhost/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sparkhost::detail::rest {

/// A request target, decoded and normalised once, so that nothing behind it has to.
struct Target {
    std::vector<std::string> segments{};  ///< percent-decoded; empty and "." segments are dropped
    bool trailing_slash{false};           ///< "/batches/0/"; never set for "/"
    std::vector<std::pair<std::string, std::string>> params{};
    std::string authority{};  ///< of an absolute-form target ("http://host/path"); else empty

    /// The first parameter of this name; null without one.
    const std::string* param(std::string_view name) const noexcept;
};

/// Reads origin-form and absolute-form (RFC 9112, section 3.2). Duplicate slashes are collapsed,
/// a ";…" is dropped per segment, "+" in the query is a space.
/// Errors: invalid_argument – not a target, "..", control characters or invalid UTF-8.
Result<Target> parse_target(std::string_view text);

/// The text as a 32-bit integer, read as Java's Integer.parseInt does. Errors: invalid_argument
/// with Java's words.
Result<std::int64_t> parse_java_int(std::string_view text);

/// A parameter as a Java integer, or `fallback` where it is not given.
Result<std::int64_t> int_param(const Target& target, std::string_view name, std::int64_t fallback);

}  // namespace sparkhost::detail::rest

#endif
