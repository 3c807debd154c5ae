// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_TEXT_HPP
#define SPARKHOST_SRC_REST_TEXT_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::rest {

bool is_utf8(std::string_view text);

/// `text` with what is no UTF-8 replaced by U+FFFD, once for each broken sequence.
std::string valid_utf8(std::string_view text);

/// `text` as a JSON string, with its quotes; what is no UTF-8 is replaced.
std::string json_string(std::string_view text);

/// Where the character begins that has so many UTF-16 units before it, as an offset in bytes; a
/// place within a character is its beginning, one before or behind the text the nearest end of it.
std::size_t utf8_offset(std::string_view text, std::int64_t utf16_units);

/// The same JSON value without white space, its numbers as they were written; nothing when `text`
/// is not one JSON value.
std::optional<std::string> compact_json(std::string_view text);

}  // namespace sparkhost::detail::rest

#endif
