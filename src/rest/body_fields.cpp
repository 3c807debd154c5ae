// SPDX-License-Identifier: Apache-2.0
#include "rest/body_fields.hpp"

#include <charconv>
#include <utility>

namespace sparkhost::detail::rest {

namespace body_fields {

Error mismatch(const std::string& path, std::string_view expected, const JsonNode& found,
               std::string_view advice = {}) {
    std::string text = "Cannot read field \"" + path + "\": expected " + std::string(expected) +
                       ", found " + describe(found);
    text += advice.empty() ? "." : "; " + std::string(advice) + ".";
    return Error(Errc::invalid_argument, std::move(text), path);
}

}  // namespace body_fields

Result<void> read_field(const JsonNode& node, const std::string& path, std::string& to) {
    if (!node.is_scalar() || node.kind == JsonNode::Kind::null) {
        return body_fields::mismatch(path, "a string", node);
    }
    to = node.text;
    return ok();
}

Result<void> read_field(const JsonNode& node, const std::string& path, std::optional<int>& to) {
    int value = 0;
    const auto* end = node.text.data() + node.text.size();
    const auto [stop, failure] = std::from_chars(node.text.data(), end, value);
    const bool whole = failure == std::errc() && stop == end;
    if (node.kind == JsonNode::Kind::string) {
        return body_fields::mismatch(path, "an integer", node,
                                     whole ? "write the number without quotes" : "");
    }
    if (node.kind != JsonNode::Kind::integer) {
        return body_fields::mismatch(path, "an integer", node);
    }
    if (!whole) {
        return body_fields::mismatch(path, "an integer of 32 bits", node);
    }
    to = value;
    return ok();
}

Result<void> read_field(const JsonNode& node, const std::string& path,
                        std::vector<std::string>& to) {
    if (node.kind != JsonNode::Kind::array) {
        return body_fields::mismatch(path, "an array of strings", node);
    }
    to.clear();
    to.reserve(node.children.size());
    for (const JsonNode& child : node.children) {
        const std::string place = path + "[" + std::to_string(to.size()) + "]";
        if (auto done = read_field(child, place, to.emplace_back()); !done) {
            return done;
        }
    }
    return ok();
}

Result<void> read_field(const JsonNode& node, const std::string& path,
                        std::map<std::string, std::string>& to) {
    if (node.kind != JsonNode::Kind::object) {
        return body_fields::mismatch(path, "an object of strings", node);
    }
    to.clear();
    for (const JsonNode& child : node.children) {
        if (auto done = read_field(child, path + "." + child.key, to[child.key]); !done) {
            return done;
        }
    }
    return ok();
}

Result<JsonNode> parse_object(std::string_view body) {
    auto parsed = parse_json(body);
    if (parsed && parsed->kind != JsonNode::Kind::object) {
        return Error(Errc::invalid_argument,
                     "The request body must be a JSON object, found " + describe(*parsed) + ".");
    }
    return parsed;
}

Error unknown_field(const std::string& name, std::string_view type,
                    const std::vector<std::string_view>& known) {
    std::string text = "Unrecognized field \"" + name + "\" (class " + std::string(type) +
                       "), not marked as ignorable (" + std::to_string(known.size()) +
                       " known properties: ";
    for (const std::string_view& field : known) {
        text += (&field == known.data() ? "\"" : ", \"") + std::string(field) + "\"";
    }
    text += "]) (through reference chain: " + std::string(type) + "[\"" + name + "\"])";
    return Error(Errc::invalid_argument, std::move(text), name);
}

}  // namespace sparkhost::detail::rest
