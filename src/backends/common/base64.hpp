// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_BASE64_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_BASE64_HPP

#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail {

std::string to_base64(std::string_view bytes);

/// Line breaks and blanks are left out; nothing when anything else is no base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace sparkhost::detail

#endif
