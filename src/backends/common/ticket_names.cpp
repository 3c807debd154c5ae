// SPDX-License-Identifier: Apache-2.0
#include "backends/common/ticket_names.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <random>

namespace sparkhost::detail {

namespace {

constexpr std::size_t max_ticket_length = 50;

/// Lower-case letters, digits and single '-' only, with none at its ends.
std::string dns_part(std::string_view text) {
    std::string part;
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80 && std::isalnum(byte)) {
            part += static_cast<char>(std::tolower(byte));
        } else if (!part.empty() && part.back() != '-') {
            part += '-';
        }
    }
    while (part.ends_with('-')) {
        part.pop_back();
    }
    return part;
}

}  // namespace

std::string ticket_id(const SubmitRequest& request, int turn) {
    const std::string suffix =
        "-" + std::to_string(request.attempt) + (turn > 1 ? "-" + std::to_string(turn) : "");
    const std::string start =
        "spark-" + dns_part(request.store_uuid.substr(0, 8)) + "-" + request.subject;
    return dns_part(dns_part(start).substr(0, max_ticket_length - suffix.size())) + suffix;
}

bool is_ticket_id(std::string_view id) {
    return id.starts_with("spark-") && id.size() <= max_ticket_length && !id.ends_with('-') &&
           std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

std::string random_hex(std::size_t bytes) {
    std::random_device source;
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) {
        const unsigned value = source() & 0xffU;
        text += "0123456789abcdef"[value >> 4U];
        text += "0123456789abcdef"[value & 0xfU];
    }
    return text;
}

}  // namespace sparkhost::detail
