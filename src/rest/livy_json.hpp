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

/// `object` makes the JSON of one item.
template <class Item, class Make>
std::string list(std::int64_t from, std::int64_t total, const std::vector<Item>& items,
                 sparkhost::rest::LivyLevel level, Make object) {
    Scratch scratch;
    json::object page(scratch.storage());
    page.emplace("from", from);
    page.emplace("total", total);
    json::array array(scratch.storage());
    array.reserve(items.size());
    for (const Item& item : items) {
        array.emplace_back(object(item, level, scratch.storage()));
    }
    page.emplace("sessions", std::move(array));
    return json::serialize(page);
}

}  // namespace sparkhost::detail::rest::livy_json

#endif
