// SPDX-License-Identifier: Apache-2.0
#include "backends/common/utf8.hpp"

#include <algorithm>

namespace sparkhost::detail {

namespace {

struct Lead {
    int following;      // continuation bytes
    unsigned char low;  // bounds of the first of them (Unicode Standard, table 3-7)
    unsigned char high;
    char32_t bits;
};

Lead classify_lead(unsigned char byte) {
    if (byte >= 0xC2 && byte <= 0xDF) {
        return {1, 0x80, 0xBF, byte & 0x1Fu};
    }
    if (byte >= 0xE0 && byte <= 0xEF) {
        unsigned char low = byte == 0xE0 ? 0xA0 : 0x80;
        unsigned char high = byte == 0xED ? 0x9F : 0xBF;
        return {2, low, high, byte & 0x0Fu};
    }
    if (byte >= 0xF0 && byte <= 0xF4) {
        unsigned char low = byte == 0xF0 ? 0x90 : 0x80;
        unsigned char high = byte == 0xF4 ? 0x8F : 0xBF;
        return {3, low, high, byte & 0x07u};
    }
    return {0, 0, 0, 0};
}

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& position) {
    auto byte = static_cast<unsigned char>(text[position++]);
    if (byte < 0x80) {
        return byte;
    }
    Lead lead = classify_lead(byte);
    if (lead.following == 0) {
        return replacement_character;
    }
    char32_t code_point = lead.bits;
    for (int i = 0; i < lead.following; ++i) {
        unsigned char low = i == 0 ? lead.low : 0x80;
        unsigned char high = i == 0 ? lead.high : 0xBF;
        if (position >= text.size()) {
            return replacement_character;
        }
        auto next = static_cast<unsigned char>(text[position]);
        if (next < low || next > high) {
            return replacement_character;
        }
        code_point = (code_point << 6) | (next & 0x3Fu);
        ++position;
    }
    return code_point;
}

void append_utf8(std::string& text, char32_t code_point) {
    auto put = [&text](char32_t byte) { text += static_cast<char>(byte); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | (code_point >> 6));
        put(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
        put(0xE0 | (code_point >> 12));
        put(0x80 | ((code_point >> 6) & 0x3F));
        put(0x80 | (code_point & 0x3F));
    } else {
        put(0xF0 | (code_point >> 18));
        put(0x80 | ((code_point >> 12) & 0x3F));
        put(0x80 | ((code_point >> 6) & 0x3F));
        put(0x80 | (code_point & 0x3F));
    }
}

std::string valid_utf8(std::string_view text) {
    bool ascii = std::all_of(text.begin(), text.end(),
                             [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (ascii) {
        return std::string(text);
    }
    std::string valid;
    valid.reserve(text.size());
    for (std::size_t position = 0; position < text.size();) {
        append_utf8(valid, next_code_point(text, position));
    }
    return valid;
}

}  // namespace sparkhost::detail
