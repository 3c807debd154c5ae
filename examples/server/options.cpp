// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace server {

namespace json = boost::json;

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = whole_number(text.substr(0, digits));
    const auto unit = text.substr(digits);
    const std::int64_t factor = unit == "ms"                ? 1
                                : unit == "s" || unit == "" ? 1000
                                : unit == "m"               ? 60'000
                                : unit == "h"               ? 3'600'000
                                                            : 0;
    constexpr std::int64_t longest = 1'000'000'000;  // far from overflow in either unit
    if (!number || factor == 0 || *number > longest) {
        return std::nullopt;
    }
    return *number * factor;
}

namespace {

/// Levenshtein's distance.
std::size_t distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t j = 0; j <= right.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= left.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const auto substituted = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row[right.size()];
}

}  // namespace

const Option* find_option(std::string_view name) {
    const auto& table = options();
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const Option& option) { return option.name == name; });
    return found == table.end() ? nullptr : &*found;
}

std::string suggestion(std::string_view unknown, std::string_view prefix) {
    std::vector<std::string_view> names;
    for (const auto& option : options()) {
        names.push_back(option.name);
    }
    if (!prefix.empty()) {  // these have no place in a config file
        names.insert(names.end(), {"config", "livy-conf", "print-config", "help", "version"});
    }
    const auto nearest = *std::min_element(names.begin(), names.end(), [&](auto left, auto right) {
        return distance(unknown, left) < distance(unknown, right);
    });
    if (distance(unknown, nearest) > std::max<std::size_t>(2, nearest.size() / 3)) {
        return {};
    }
    return "; did you mean " + std::string(prefix) + std::string(nearest) + "?";
}

json::value value_from_text(const Option& option, const std::string& text) {
    const auto fail = [&](const std::string& expected) {
        throw ConfigError("--" + std::string(option.name) + ": " + expected + ", not \"" + text +
                          "\"");
    };
    if (option.kind == Kind::count) {
        const auto number = whole_number(text);
        if (!number) {
            fail("expected a whole number");
        }
        return *number;
    }
    if (option.kind == Kind::duration) {
        const auto milliseconds = parse_duration(text);
        if (!milliseconds) {
            fail("expected a time such as 10s, 500ms or 1m");
        }
        return *milliseconds;
    }
    return json::string(text);
}

json::value value_from_json(const Option& option, const json::value& value,
                            const std::string& where) {
    const auto fail = [&](const char* expected) {
        throw ConfigError(where + ": \"" + std::string(option.name) + "\": expected " + expected +
                          ", not " + json::serialize(value));
    };
    const bool small = !value.is_uint64();  // larger than any int64
    switch (option.kind) {
        case Kind::text:
            if (!value.is_string()) {
                fail("a string");
            }
            return value;
        case Kind::count:
            if (!value.is_int64() || !small) {
                fail("a whole number");
            }
            return value;
        case Kind::flag:
            if (!value.is_bool()) {
                fail("true or false");
            }
            return value;
        case Kind::duration: {
            const auto text = value.is_int64() && value.as_int64() >= 0
                                  ? std::to_string(value.as_int64()) + "s"
                              : value.is_string() ? std::string(value.as_string())
                                                  : std::string("?");
            const auto milliseconds = parse_duration(text);
            if (!milliseconds) {
                fail("seconds, or a string such as \"10s\", \"500ms\" or \"1m\"");
            }
            return *milliseconds;
        }
        case Kind::list:
            break;
    }
    const bool strings =
        value.is_array() && std::all_of(value.as_array().begin(), value.as_array().end(),
                                        [](const json::value& item) { return item.is_string(); });
    if (!strings) {
        fail("a list of strings");
    }
    return value;
}

}  // namespace server
