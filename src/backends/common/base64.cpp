// SPDX-License-Identifier: Apache-2.0
#include "backends/common/base64.hpp"

#include <cstddef>
#include <cstdint>

namespace sparkhost::detail {

namespace {

constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            const std::uint32_t byte =
                i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U;
            group = (group << 8U) | byte;
        }
        for (std::size_t k = 0; k < 4; ++k) {
            const bool padding = i + k > bytes.size();
            text += padding ? '=' : base64_digits[(group >> (18U - 6U * k)) & 0x3FU];
        }
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    std::string bytes;
    std::uint32_t group = 0;
    std::size_t digits = 0;
    std::size_t paddings = 0;
    for (char c : text) {
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            continue;
        }
        const auto digit = c == '=' ? 0 : base64_digits.find(c);
        if (digit == std::string_view::npos || (c != '=' && paddings > 0)) {
            return std::nullopt;
        }
        paddings += c == '=' ? 1 : 0;
        group = (group << 6U) | static_cast<std::uint32_t>(digit);
        if (++digits % 4 == 0) {
            for (std::size_t k = 0; k < 3 && k + paddings < 3; ++k) {
                bytes += static_cast<char>((group >> (16U - 8U * k)) & 0xFFU);
            }
            group = 0;
        }
    }
    if (digits % 4 != 0 || paddings > 2) {
        return std::nullopt;
    }
    return bytes;
}

}  // namespace sparkhost::detail
