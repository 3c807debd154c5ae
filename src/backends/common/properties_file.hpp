// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_PROPERTIES_FILE_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_PROPERTIES_FILE_HPP

// The text format of java.util.Properties (its documentation: load(Reader), store).

#include <sparkhost/error.hpp>

#include <map>
#include <string>
#include <string_view>

namespace sparkhost::detail {

using Properties = std::map<std::string, std::string>;

/// Text that Java reads back as exactly these properties. Keys and values are UTF-8; bytes that
/// are not become U+FFFD.
std::string write_properties(const Properties& properties);

/// Reads what Java would read. The last of equal keys wins.
/// Errors: invalid_argument – a malformed \uXXXX, as in Java; `detail` names the line.
Result<Properties> parse_properties(std::string_view text);

}  // namespace sparkhost::detail

#endif
