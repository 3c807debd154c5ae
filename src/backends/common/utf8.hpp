// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_UTF8_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_UTF8_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sparkhost::detail {

inline constexpr char32_t replacement_character = 0xFFFD;

/// The code point at `position`, which is moved behind it. What is no UTF-8 (also surrogates,
/// overlong forms and what is above U+10FFFF) gives U+FFFD, one for each maximal broken part.
char32_t next_code_point(std::string_view text, std::size_t& position);

void append_utf8(std::string& text, char32_t code_point);

/// `text` with everything that is no UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace sparkhost::detail

#endif
