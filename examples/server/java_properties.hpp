// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_JAVA_PROPERTIES_HPP
#define SPARKHOST_EXAMPLES_SERVER_JAVA_PROPERTIES_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace server {

/// An entry of a Java properties file, UTF-8.
struct Property {
    std::string key;
    std::string value;
    std::size_t line{0};  ///< where it begins, from 1
};

/// Reads the format of java.util.Properties.load, in the order of the file; of equal keys the last
/// is the one that counts. The text is UTF-8, or ISO-8859-1 where it is no UTF-8.
/// Throws std::invalid_argument, as Java does, for a malformed \uXXXX; the text names the line.
std::vector<Property> read_properties(std::string_view text);

}  // namespace server

#endif
