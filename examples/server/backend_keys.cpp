// SPDX-License-Identifier: Apache-2.0
#include "backend_keys.hpp"

#include "options.hpp"

namespace server {

std::vector<std::string> split_at_commas(std::string_view text) {
    std::vector<std::string> parts(1);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool doubled = text[i] == ',' && i + 1 < text.size() && text[i + 1] == ',';
        if (text[i] == ',' && !doubled) {
            parts.emplace_back();
            continue;
        }
        parts.back() += text[i];
        i += doubled ? 1 : 0;
    }
    return parts;
}

bool is_backend_name(std::string_view name) {
    constexpr std::size_t longest = 63;
    return !name.empty() && name.size() <= longest && name.front() != '-' &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

bool take_count(const std::string& value, std::size_t& member) {
    const auto number = whole_number(value);
    if (!number || *number < 0) {
        return false;
    }
    member = static_cast<std::size_t>(*number);
    return true;
}

bool take_time(const std::string& value, std::chrono::milliseconds& member) {
    const auto parsed = parse_duration(value);
    if (!parsed) {
        return false;
    }
    member = std::chrono::milliseconds(*parsed);
    return true;
}

}  // namespace server
