// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/object.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <cstdio>
#include <ctime>
#include <random>

namespace sparkhost::test::k8s {

const ResourceType* find_resource(std::string_view plural) {
    static constexpr std::array<ResourceType, 8> types{{
        {"pods", "Pod", true, true},
        {"configmaps", "ConfigMap", true, false},
        {"secrets", "Secret", true, false},
        {"services", "Service", true, true},
        {"events", "Event", true, false},
        {"serviceaccounts", "ServiceAccount", true, true},
        {"namespaces", "Namespace", false, true},
        {"persistentvolumeclaims", "PersistentVolumeClaim", true, true},
    }};
    for (const auto& type : types) {
        if (type.plural == plural) {
            return &type;
        }
    }
    return nullptr;
}

const json::object* object_at(const json::object& data,
                              std::initializer_list<std::string_view> path) {
    const json::object* at = &data;
    for (const auto key : path) {
        const auto* value = at->if_contains(key);
        at = value ? value->if_object() : nullptr;
        if (!at) {
            return nullptr;
        }
    }
    return at;
}

namespace object_detail {

const json::value* value_at(const json::object& data,
                            std::initializer_list<std::string_view> path) {
    const json::object* at = &data;
    const json::value* value = nullptr;
    for (const auto key : path) {
        if (!at) {
            return nullptr;
        }
        value = at->if_contains(key);
        if (!value) {
            return nullptr;
        }
        at = value->if_object();
    }
    return value;
}

}  // namespace object_detail

const json::array* array_at(const json::object& data,
                            std::initializer_list<std::string_view> path) {
    const auto* value = object_detail::value_at(data, path);
    return value ? value->if_array() : nullptr;
}

std::string text_at(const json::object& data, std::initializer_list<std::string_view> path) {
    const auto* value = object_detail::value_at(data, path);
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::string(*text) : std::string();
}

json::object& object_in(json::object& data, std::string_view key) {
    auto& value = data[key];
    if (!value.is_object()) {
        value = json::object();
    }
    return value.as_object();
}

bool Object::has_finalizers() const {
    const auto* list = array_at(data, {"metadata", "finalizers"});
    return list && !list->empty();
}

std::string Object::label(std::string_view label_name) const {
    return text_at(data, {"metadata", "labels", label_name});
}

const std::string& Object::text() const {
    if (text_.empty()) {
        text_ = json::serialize(data);
    }
    return text_;
}

std::string Object::item_text() const {
    const auto& whole = text();
    const auto prefix = "{\"kind\":\"" + std::string(type->kind) + "\",\"apiVersion\":\"v1\",";
    return whole.starts_with(prefix) ? "{" + whole.substr(prefix.size()) : whole;
}

std::string Object::metadata_text() const {
    return R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":)" +
           json::serialize(metadata()) + "}";
}

std::string timestamp(WallTime at) {
    const auto seconds = std::chrono::system_clock::to_time_t(at);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return std::string(text.data(), length);
}

std::string nano_timestamp(WallTime at) {
    const auto since = std::chrono::floor<std::chrono::nanoseconds>(at.time_since_epoch());
    const auto part = (since % std::chrono::seconds(1)).count();
    std::array<char, 16> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%09lldZ", static_cast<long long>(part));
    auto text = timestamp(at);
    text.pop_back();
    return text + fraction.data();
}

WallTime parse_timestamp(const std::string& text) {
    std::tm parts{};
    const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    if (!rest) {
        return {};
    }
    auto at = std::chrono::system_clock::from_time_t(::timegm(&parts));
    long long nanos = 0;
    long long scale = 100'000'000;
    if (*rest == '.') {
        for (++rest; *rest >= '0' && *rest <= '9'; ++rest, scale /= 10) {
            nanos += (*rest - '0') * scale;
        }
    }
    return at + std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(nanos));
}

std::string random_uid() {
    static std::mt19937_64 engine{std::random_device{}()};
    std::string uid;
    for (const char c : std::string_view("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx")) {
        uid += c == 'x' ? "0123456789abcdef"[engine() % 16] : c;
    }
    return uid;
}

}  // namespace sparkhost::test::k8s
