// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_BODY_FIELDS_HPP
#define SPARKHOST_SRC_REST_BODY_FIELDS_HPP

#include "rest/json_tree.hpp"

#include <sparkhost/error.hpp>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::rest {

// Reads a value of a request's body. Errors: invalid_argument – the shape is wrong; the text names
// `path`, what was expected, and what to do.
Result<void> read_field(const JsonNode& node, const std::string& path, std::string& to);
Result<void> read_field(const JsonNode& node, const std::string& path, std::optional<int>& to);
Result<void> read_field(const JsonNode& node, const std::string& path,
                        std::vector<std::string>& to);
Result<void> read_field(const JsonNode& node, const std::string& path,
                        std::map<std::string, std::string>& to);

/// A field of an object and how it gets to its place.
template <class Object>
struct Field {
    std::string_view name;
    Result<void> (*read)(const JsonNode& node, Object& object);
};

/// A field that is a member of the object.
template <auto Member, class Object>
Result<void> read_member(const JsonNode& node, Object& object) {
    return read_field(node, node.key, object.*Member);
}

/// The document as an object. Errors: invalid_argument.
Result<JsonNode> parse_object(std::string_view body);

/// In Jackson's words, with the Java class `type`: clients look for them.
Error unknown_field(const std::string& name, std::string_view type,
                    const std::vector<std::string_view>& known);

/// Reads the body into `object`, field by field as they come: of one twice the last counts.
template <class Object>
Result<void> read_fields(std::string_view body, std::string_view type,
                         std::initializer_list<std::span<const Field<Object>>> tables,
                         Object& object) {
    const auto parsed = parse_object(body);
    if (!parsed) {
        return parsed.error();
    }
    for (const JsonNode& child : parsed->children) {
        const Field<Object>* found = nullptr;
        for (const auto table : tables) {
            const auto field = std::ranges::find(table, child.key, &Field<Object>::name);
            found = field == table.end() ? found : &*field;
        }
        if (found == nullptr) {
            std::vector<std::string_view> known;
            for (const auto table : tables) {
                std::ranges::transform(table, std::back_inserter(known), &Field<Object>::name);
            }
            return unknown_field(child.key, type, known);
        }
        if (child.kind == JsonNode::Kind::null) {
            continue;
        }
        if (auto done = found->read(child, object); !done) {
            return done;
        }
    }
    return ok();
}

}  // namespace sparkhost::detail::rest

#endif
