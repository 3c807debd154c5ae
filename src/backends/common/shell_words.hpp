// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_SHELL_WORDS_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_SHELL_WORDS_HPP

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail {

/// Splits Java options at blanks as Spark's launcher does: single and double quotes group, a
/// backslash outside single quotes takes the next character literally, nothing is expanded.
/// Errors: invalid_argument – an open quote or a backslash at the end.
Result<std::vector<std::string>> split_options(std::string_view text);

}  // namespace sparkhost::detail

#endif
