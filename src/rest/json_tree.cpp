// SPDX-License-Identifier: Apache-2.0
#include "rest/json_tree.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <cstdint>

namespace sparkhost::detail::rest {

namespace json_tree {

namespace json = boost::json;
using boost::system::error_code;

/// Builds the tree from the parser's events. `open` has the containers entered and not left;
/// pointers stay good because a container's siblings are appended only after it was left.
class Builder {
public:
    static constexpr std::size_t max_object_size = 10'000;
    static constexpr std::size_t max_array_size = 100'000;
    static constexpr std::size_t max_key_size = 65'536;
    static constexpr std::size_t max_string_size = std::size_t{1} << 30;

    JsonNode take() { return std::move(root_); }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_array_begin(error_code&) { return enter(JsonNode::Kind::array); }
    bool on_array_end(std::size_t, error_code&) { return leave(); }
    bool on_object_begin(error_code&) { return enter(JsonNode::Kind::object); }
    bool on_object_end(std::size_t, error_code&) { return leave(); }
    bool on_key_part(json::string_view part, std::size_t, error_code&) {
        return append(key_, part);
    }
    bool on_key(json::string_view part, std::size_t, error_code&) { return append(key_, part); }
    bool on_string_part(json::string_view part, std::size_t, error_code&) {
        return append(text_, part);
    }
    bool on_string(json::string_view part, std::size_t, error_code&) {
        return append(text_, part) && scalar(JsonNode::Kind::string);
    }
    bool on_number_part(json::string_view part, error_code&) { return append(text_, part); }
    bool on_int64(std::int64_t, json::string_view part, error_code&) {
        return append(text_, part) && scalar(JsonNode::Kind::integer);
    }
    bool on_uint64(std::uint64_t, json::string_view part, error_code&) {
        return append(text_, part) && scalar(JsonNode::Kind::integer);
    }
    bool on_double(double, json::string_view part, error_code&) {
        append(text_, part);
        const bool whole = text_.find_first_of(".eE") == std::string::npos;
        return scalar(whole ? JsonNode::Kind::integer : JsonNode::Kind::decimal);
    }
    bool on_bool(bool value, error_code&) {
        text_ = value ? "true" : "false";
        return scalar(JsonNode::Kind::boolean);
    }
    bool on_null(error_code&) { return scalar(JsonNode::Kind::null); }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

private:
    static bool append(std::string& to, json::string_view part) {
        to.append(part.data(), part.size());
        return true;
    }

    JsonNode& place(JsonNode node) {
        if (open_.empty()) {
            root_ = std::move(node);
            return root_;
        }
        return open_.back()->children.emplace_back(std::move(node));
    }

    bool enter(JsonNode::Kind kind) {
        JsonNode node{.kind = kind, .key = std::move(key_)};
        key_.clear();
        open_.push_back(&place(std::move(node)));
        return true;
    }

    bool leave() {
        open_.pop_back();
        return true;
    }

    bool scalar(JsonNode::Kind kind) {
        place({.kind = kind, .key = std::move(key_), .text = std::move(text_)});
        key_.clear();
        text_.clear();
        return true;
    }

    JsonNode root_{};
    std::vector<JsonNode*> open_{};
    std::string key_{};
    std::string text_{};
};

/// "line 1, column 5": where the reader stopped.
std::string position(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto column = offset - (before.rfind('\n') + 1) + 1;
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

Error not_json(std::string_view text, std::size_t offset, const std::string& why) {
    return Error(Errc::invalid_argument, "The request body is not valid JSON at " +
                                             position(text, offset) + ": " + why + ".");
}

}  // namespace json_tree

std::string describe(const JsonNode& node) {
    switch (node.kind) {
        case JsonNode::Kind::null:
            return "null";
        case JsonNode::Kind::boolean:
            return "the boolean " + node.text;
        case JsonNode::Kind::integer:
        case JsonNode::Kind::decimal:
            return "the number " + node.text;
        case JsonNode::Kind::string:
            return "a string";
        case JsonNode::Kind::array:
            return "an array";
        case JsonNode::Kind::object:
            return "an object";
    }
    return "something else";
}

Result<JsonNode> parse_json(std::string_view text) {
    using namespace json_tree;
    if (std::ranges::all_of(text, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); })) {
        return Error(Errc::invalid_argument,
                     "No content to map due to end-of-input: the request body is empty; send a "
                     "JSON object.");
    }
    json::basic_parser<Builder> parser{json::parse_options()};
    error_code failure;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
    if (failure == json::error::incomplete) {
        return not_json(text, text.size(), "it ends too early");
    }
    if (failure) {
        return not_json(text, used, failure.message());
    }
    if (used < text.size()) {
        return not_json(text, used, "there is more text behind the end of the value");
    }
    return parser.handler().take();
}

}  // namespace sparkhost::detail::rest
