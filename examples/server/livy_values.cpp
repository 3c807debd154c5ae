// SPDX-License-Identifier: Apache-2.0
#include "livy_values.hpp"

#include "config.hpp"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

namespace server {

namespace json = boost::json;

namespace {

/// Microseconds in a unit of Livy's; 0 where it is none.
std::int64_t microseconds_in(std::string_view unit) {
    using Unit = std::pair<std::string_view, std::int64_t>;
    for (const auto& [name, length] :
         {Unit{"", 1'000}, Unit{"us", 1}, Unit{"ms", 1'000}, Unit{"s", 1'000'000},
          Unit{"m", 60'000'000}, Unit{"min", 60'000'000}, Unit{"h", 3'600'000'000},
          Unit{"d", 86'400'000'000}}) {
        if (name == unit) {
            return length;
        }
    }
    return 0;
}

}  // namespace

json::value livy_text(const std::string& text) {
    return json::value(json::string(text));
}

json::value livy_number(const std::string& text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc() || stop != end) {
        throw ConfigError("expected a whole number");
    }
    return number;
}

json::value livy_upload(const std::string& text) {
    constexpr std::int64_t rest = 1 << 20;
    const std::int64_t size = livy_number(text).as_int64();
    if (size < 0 || size > std::int64_t{1} << 40) {
        throw ConfigError("expected a number of bytes");
    }
    return size + rest;
}

json::value livy_flag(const std::string& text) {
    if (text != "true" && text != "false") {
        throw ConfigError("expected true or false");
    }
    return text == "true";
}

json::value livy_list(const std::string& text) {
    constexpr const char* blanks = " \t";
    json::array items;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        const auto first = text.find_first_not_of(blanks, begin);
        if (first < end) {
            const auto last = text.find_last_not_of(blanks, end - 1);
            items.emplace_back(text.substr(first, last + 1 - first));
        }
        begin = end + 1;
    }
    return items;
}

json::value livy_master(const std::string& text) {
    if (text != "local" && !text.starts_with("local[") && !text.starts_with("spark://")) {
        throw ConfigError("refused: this server runs Spark on local[N] and spark://HOST:PORT");
    }
    return json::value(json::string(text));
}

json::value livy_seconds(const std::string& text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    std::string unit(stop, end);
    std::ranges::transform(unit, unit.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
    const auto length = microseconds_in(unit);
    constexpr std::int64_t longest = std::int64_t{1'000'000'000} * 1'000'000;  // of our options
    if (failure != std::errc() || number < 0 || length == 0 || number > longest / length) {
        throw ConfigError(
            "expected a time such as 600s, 10m, 1h or 2d; a number alone is milliseconds");
    }
    const std::int64_t seconds = (number * length + 999'999) / 1'000'000;
    return std::max<std::int64_t>(1, seconds) * 1000;
}

}  // namespace server
