// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_JSON_TREE_HPP
#define SPARKHOST_SRC_REST_JSON_TREE_HPP

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::rest {

/// A JSON value that keeps numbers as they were written: a client that sends 0.60 where a string
/// is wanted means "0.60".
struct JsonNode {
    enum class Kind { null, boolean, integer, decimal, string, array, object };

    Kind kind{Kind::null};
    std::string key{};   ///< in its object
    std::string text{};  ///< of a string; "true", "false"; a number's own digits
    std::vector<JsonNode> children{};

    bool is_scalar() const noexcept { return kind != Kind::array && kind != Kind::object; }
};

/// "a string", "the number 2.5" …, for messages.
std::string describe(const JsonNode& node);

/// Reads one JSON document; at most 32 levels deep. Errors: invalid_argument, with the place.
Result<JsonNode> parse_json(std::string_view text);

}  // namespace sparkhost::detail::rest

#endif
