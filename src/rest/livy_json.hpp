// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_LIVY_JSON_HPP
#define SPARKHOST_SRC_REST_LIVY_JSON_HPP

// What the makers of Livy's objects share.

#include <sparkhost/rest/router.hpp>

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sparkhost::detail::rest::livy_json {

namespace json = boost::json;

/// Memory of one document: a single object usually fits in without the heap.
class Scratch {
public:
    json::storage_ptr storage() { return &resource_; }

private:
    std::array<unsigned char, 4096> bytes_;
    json::monotonic_resource resource_{bytes_.data(), bytes_.size()};
};

inline void put_text(json::object& object, std::string_view key, std::string_view text) {
    if (text.empty()) {
        object.emplace(key, nullptr);
    } else {
        object.emplace(key, text);
    }
}

inline json::array lines(const std::vector<std::string>& from, const json::storage_ptr& storage) {
    json::array array(storage);
    array.reserve(from.size());
    for (const std::string& line : from) {
        array.emplace_back(line);
    }
    return array;
}

inline json::object app_info(std::string_view ui_url, sparkhost::rest::LivyLevel level,
                             const json::storage_ptr& storage) {
    json::object info(storage);
    info.reserve(3);
    info.emplace("driverLogUrl", nullptr);
    put_text(info, "sparkUiUrl", ui_url);
    if (level >= sparkhost::rest::LivyLevel::v0_9) {
        info.emplace("executorLogUrls", nullptr);
    }
    return info;
}

/// The text of a list, item by item: a long one is made in several turns.
class ListText {
public:
    ListText(std::int64_t from, std::int64_t total)
        : text_("{\"from\":" + std::to_string(from) + ",\"total\":" + std::to_string(total) +
                ",\"sessions\":[") {}

    void add(std::string_view item) {
        text_.append(is_empty_ ? "" : ",").append(item);
        is_empty_ = false;
    }
    std::string finish() && { return std::move(text_.append("]}")); }

private:
    std::string text_;
    bool is_empty_{true};
};

}  // namespace sparkhost::detail::rest::livy_json

#endif
