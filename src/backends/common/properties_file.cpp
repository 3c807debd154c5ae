// SPDX-License-Identifier: Apache-2.0
#include "backends/common/properties_file.hpp"

#include "backends/common/utf8.hpp"

#include <cstdint>
#include <vector>

namespace sparkhost::detail {

namespace {

void append_java_unit(std::string& out, std::uint32_t unit) {
    constexpr char digits[] = "0123456789ABCDEF";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) {
        out += digits[(unit >> shift) & 0xF];
    }
}

void append_escaped(std::string& out, std::string_view text, bool is_key) {
    bool leading = true;
    for (std::size_t position = 0; position < text.size();) {
        char32_t c = next_code_point(text, position);
        switch (c) {
            case '\t':
                out += "\\t";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\f':
                out += "\\f";
                break;
            case ' ':
                out += is_key || leading ? "\\ " : " ";
                break;
            case '\\':
            case ':':
            case '=':
            case '#':
            case '!':
                out += '\\';
                out += static_cast<char>(c);
                break;
            default:
                if (c >= 0x20 && c < 0x7F) {
                    out += static_cast<char>(c);
                } else if (c < 0x10000) {
                    append_java_unit(out, c);
                } else {
                    append_java_unit(out, 0xD800 + ((c - 0x10000) >> 10));
                    append_java_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
                }
        }
        leading = leading && c == ' ';
    }
}

bool is_property_blank(char c) {
    return c == ' ' || c == '\t' || c == '\f';
}

std::string_view without_leading_blanks(std::string_view text) {
    while (!text.empty() && is_property_blank(text.front())) {
        text.remove_prefix(1);
    }
    return text;
}

std::string_view take_natural_line(std::string_view& text) {
    auto end = text.find_first_of("\r\n");
    std::string_view line = text.substr(0, end);
    if (end == std::string_view::npos) {
        text = {};
        return line;
    }
    bool crlf = text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n';
    text.remove_prefix(end + (crlf ? 2 : 1));
    return line;
}

bool ends_in_continuation(std::string_view line) {
    std::size_t backslashes = 0;
    while (backslashes < line.size() && line[line.size() - 1 - backslashes] == '\\') {
        ++backslashes;
    }
    return backslashes % 2 == 1;
}

/// One logical line, with comments and empty lines skipped; empty at the end of the text.
std::string take_logical_line(std::string_view& text) {
    while (!text.empty()) {
        std::string_view line = without_leading_blanks(take_natural_line(text));
        if (line.empty() || line.front() == '#' || line.front() == '!') {
            continue;
        }
        std::string logical(line);
        while (ends_in_continuation(logical)) {
            logical.pop_back();
            if (text.empty()) {
                break;
            }
            logical += without_leading_blanks(take_natural_line(text));
        }
        if (!logical.empty()) {
            return logical;
        }
    }
    return {};
}

/// Reads the four digits of \uXXXX at `position`; -1 when they are none.
std::int32_t take_java_unit(std::string_view text, std::size_t& position) {
    if (position + 4 > text.size()) {
        return -1;
    }
    std::int32_t unit = 0;
    for (int i = 0; i < 4; ++i) {
        char c = text[position++];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

/// \uXXXX behind the 'u', with a second one where both make a surrogate pair.
bool append_unicode_escape(std::string& out, std::string_view text, std::size_t& position) {
    std::int32_t unit = take_java_unit(text, position);
    if (unit < 0) {
        return false;
    }
    auto code_point = static_cast<char32_t>(unit);
    bool high = unit >= 0xD800 && unit <= 0xDBFF;
    if (high && text.substr(position, 2) == "\\u") {
        std::size_t after = position + 2;
        std::int32_t low = take_java_unit(text, after);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            position = after;
            append_utf8(out, 0x10000 + ((code_point - 0xD800) << 10) +
                                 (static_cast<char32_t>(low) - 0xDC00));
            return true;
        }
    }
    bool lone_surrogate = unit >= 0xD800 && unit <= 0xDFFF;
    append_utf8(out, lone_surrogate ? replacement_character : code_point);
    return true;
}

bool unescape_property(std::string_view text, std::string& out) {
    for (std::size_t position = 0; position < text.size();) {
        char c = text[position++];
        if (c != '\\' || position >= text.size()) {
            out += c;
            continue;
        }
        c = text[position++];
        switch (c) {
            case 't':
                out += '\t';
                break;
            case 'n':
                out += '\n';
                break;
            case 'r':
                out += '\r';
                break;
            case 'f':
                out += '\f';
                break;
            case 'u':
                if (!append_unicode_escape(out, text, position)) {
                    return false;
                }
                break;
            default:
                out += c;
        }
    }
    return true;
}

/// Where the key ends: at the first unescaped separator or blank.
std::size_t property_key_length(std::string_view line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\\') {
            ++i;
        } else if (line[i] == '=' || line[i] == ':' || is_property_blank(line[i])) {
            return i;
        }
    }
    return line.size();
}

}  // namespace

std::string write_properties(const Properties& properties) {
    std::string out;
    for (const auto& [key, value] : properties) {
        append_escaped(out, key, true);
        out += '=';
        append_escaped(out, value, false);
        out += '\n';
    }
    return out;
}

Result<Properties> parse_properties(std::string_view text) {
    Properties properties;
    for (;;) {
        std::string line = take_logical_line(text);
        if (line.empty()) {
            return properties;
        }
        std::string_view rest = line;
        std::size_t length = property_key_length(rest);
        std::string_view raw_key = rest.substr(0, length);
        rest = without_leading_blanks(rest.substr(length));
        if (!rest.empty() && (rest.front() == '=' || rest.front() == ':')) {
            rest = without_leading_blanks(rest.substr(1));
        }
        std::string key;
        std::string value;
        if (!unescape_property(raw_key, key) || !unescape_property(rest, value)) {
            return Error(Errc::invalid_argument, "malformed \\uXXXX in the line: " + line);
        }
        properties[valid_utf8(key)] = valid_utf8(value);
    }
}

}  // namespace sparkhost::detail
