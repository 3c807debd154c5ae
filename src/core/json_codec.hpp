// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_JSON_CODEC_HPP
#define SPARKHOST_SRC_CORE_JSON_CODEC_HPP

// Members to JSON and back, as all stored records use it: what has its default is left out.

#include <sparkhost/clock.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::codec {

namespace json = boost::json;

/// What was accepted must be readable again, whatever bytes an argument or a backend's words have.
inline json::value parse_stored(const std::string& body) {
    json::parse_options options;
    options.allow_invalid_utf8 = true;
    return json::parse(body, {}, options);
}

inline std::int64_t to_ms(Timestamp at) {
    return at.time_since_epoch().count();
}
inline Timestamp from_ms(std::int64_t ms) {
    return Timestamp(std::chrono::milliseconds(ms));
}

inline void put(json::object& object, std::string_view key, const std::string& text) {
    if (!text.empty()) {
        object.emplace(key, text);
    }
}

inline void put(json::object& object, std::string_view key, const std::vector<std::string>& list) {
    if (!list.empty()) {
        object.emplace(key, json::array(list.begin(), list.end()));
    }
}

inline void put(json::object& object, std::string_view key, const std::optional<int>& number) {
    if (number) {
        object.emplace(key, *number);
    }
}

inline void put(json::object& object, std::string_view key, bool flag) {
    if (flag) {
        object.emplace(key, true);
    }
}

inline void get(const json::object& object, std::string_view key, std::string& text) {
    if (const auto* value = object.if_contains(key)) {
        text = value->as_string();
    }
}

inline void get(const json::object& object, std::string_view key, std::vector<std::string>& list) {
    if (const auto* value = object.if_contains(key)) {
        for (const auto& item : value->as_array()) {
            list.emplace_back(item.as_string());
        }
    }
}

inline void get(const json::object& object, std::string_view key, std::optional<int>& number) {
    if (const auto* value = object.if_contains(key)) {
        number = value->to_number<int>();
    }
}

inline void get(const json::object& object, std::string_view key, bool& flag) {
    if (const auto* value = object.if_contains(key)) {
        flag = value->as_bool();
    }
}

inline void get(const json::object& object, std::string_view key, Timestamp& at) {
    if (const auto* value = object.if_contains(key)) {
        at = from_ms(value->to_number<std::int64_t>());
    }
}

template <class Values>
typename Values::value_type from_word(const Values& values, std::string_view word) {
    for (auto value : values) {
        if (to_string(value) == word) {
            return value;
        }
    }
    throw std::invalid_argument("unknown word '" + std::string(word) + "'");
}

}  // namespace sparkhost::detail::codec

#endif
