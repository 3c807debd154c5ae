// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_OBJECT_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_KUBERNETES_OBJECT_HPP

// The objects of the fake API server, as they are stored and written.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sparkhost::test::k8s {

namespace json = boost::json;

/// A kind of objects and how it is named.
struct ResourceType {
    std::string_view plural;
    std::string_view kind;
    bool namespaced;
    bool answers_deleted_object;  ///< DELETE answers the object, not a Status
};
/// Null: the fake does not serve it.
const ResourceType* find_resource(std::string_view plural);

/// One version of an object; never changes.
struct Object {
    const ResourceType* type{nullptr};
    std::string ns{};
    std::string name{};
    std::string uid{};
    std::uint64_t version{0};
    json::object data{};

    const json::object& metadata() const { return data.at("metadata").as_object(); }
    bool is_deleting() const { return metadata().contains("deletionTimestamp"); }
    bool has_finalizers() const;
    /// `metadata.labels[name]`, or empty.
    std::string label(std::string_view label_name) const;
    /// Compact JSON, made once.
    const std::string& text() const;
    /// The same without `kind` and `apiVersion`, as lists have their items.
    std::string item_text() const;
    /// As PartialObjectMetadata.
    std::string metadata_text() const;

private:
    mutable std::string text_{};
};
using ObjectPtr = std::shared_ptr<const Object>;

/// The string at this path of object keys, or empty.
std::string text_at(const json::object& data, std::initializer_list<std::string_view> path);
/// The object at this path of object keys, or null.
const json::object* object_at(const json::object& data,
                              std::initializer_list<std::string_view> path);
const json::array* array_at(const json::object& data, std::initializer_list<std::string_view> path);
/// The object under this key, made if it is missing or none.
json::object& object_in(json::object& data, std::string_view key);

using WallTime = std::chrono::system_clock::time_point;
/// 2026-11-20T20:31:43Z
std::string timestamp(WallTime at);
/// 2026-11-20T20:31:43.123456789Z
std::string nano_timestamp(WallTime at);
/// Reads either; nothing sensible gives the epoch.
WallTime parse_timestamp(const std::string& text);
std::string random_uid();

}  // namespace sparkhost::test::k8s

#endif
