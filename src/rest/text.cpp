// SPDX-License-Identifier: Apache-2.0
#include "rest/text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/locale/utf.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace sparkhost::detail::rest {

namespace texts {

namespace json = boost::json;
using boost::system::error_code;

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// Length of the whole characters at the text's beginning, one at least, as many as are seen at a
/// glance; 0: there is none.
std::size_t characters_length(std::string_view text) {
    const auto plain = std::ranges::find_if(text, [](char c) { return (c & 0x80) != 0; });
    if (plain != text.begin()) {
        return static_cast<std::size_t>(plain - text.begin());
    }
    using Traits = boost::locale::utf::utf_traits<char>;
    const char* at = text.data();
    const auto point = Traits::decode(at, text.data() + text.size());
    const bool broken =
        point == boost::locale::utf::illegal || point == boost::locale::utf::incomplete;
    return broken ? 0 : static_cast<std::size_t>(at - text.data());
}

/// Takes everything and keeps nothing: only the parser's verdict is wanted.
struct Nothing {
    static constexpr std::size_t max_object_size = SIZE_MAX;
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_array_begin(error_code&) { return true; }
    bool on_array_end(std::size_t, error_code&) { return true; }
    bool on_object_begin(error_code&) { return true; }
    bool on_object_end(std::size_t, error_code&) { return true; }
    bool on_key_part(json::string_view, std::size_t, error_code&) { return true; }
    bool on_key(json::string_view, std::size_t, error_code&) { return true; }
    bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, error_code&) { return true; }
    bool on_number_part(json::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
    bool on_double(double, json::string_view, error_code&) { return true; }
    bool on_bool(bool, error_code&) { return true; }
    bool on_null(error_code&) { return true; }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }
};

bool is_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = 256;
    json::basic_parser<Nothing> parser{options};
    error_code failure;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
    return !failure && used == text.size();
}

}  // namespace texts

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = texts::characters_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

std::string valid_utf8(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        std::size_t length = texts::characters_length(text);
        if (length > 0) {
            valid.append(text.substr(0, length));
        } else {
            valid.append(texts::replacement_character);
            length = 1;
            while (length < text.size() && texts::is_continuation(text[length])) {
                ++length;
            }
        }
        text.remove_prefix(length);
    }
    return valid;
}

std::string json_string(std::string_view text) {
    return boost::json::serialize(boost::json::string_view(valid_utf8(text)));
}

std::size_t utf8_offset(std::string_view text, std::int64_t utf16_units) {
    std::size_t offset = 0;
    std::int64_t units = 0;
    while (offset < text.size()) {
        const auto lead = static_cast<unsigned char>(text[offset]);
        units += lead >= 0xF0 ? 2 : 1;  // four bytes stand for a surrogate pair
        if (units > utf16_units) {
            break;
        }
        do {
            ++offset;
        } while (offset < text.size() && texts::is_continuation(text[offset]));
    }
    return offset;
}

std::optional<std::string> compact_json(std::string_view text) {
    if (!texts::is_json(text)) {
        return std::nullopt;
    }
    std::string compact;
    compact.reserve(text.size());
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!blank || in_string) {
            compact.push_back(c);
        }
        if (in_string && c == '\\') {
            compact.push_back(text[++i]);
        } else if (c == '"') {
            in_string = !in_string;
        }
    }
    return compact;
}

}  // namespace sparkhost::detail::rest
