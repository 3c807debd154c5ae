// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/patch.hpp"

#include "support/fake_kubernetes/status.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace sparkhost::test::k8s {

namespace patch_detail {

void merge(json::value& target, const json::value& patch, bool strategic);

void delete_from_list(json::object& target, std::string_view list_name, const json::value& gone) {
    auto* list = target.if_contains(list_name);
    if (!list || !list->is_array() || !gone.is_array()) {
        return;
    }
    auto& items = list->as_array();
    for (const auto& each : gone.as_array()) {
        items.erase(std::remove(items.begin(), items.end(), each), items.end());
    }
    if (items.empty()) {
        target.erase(list_name);
    }
}

void merge_member(json::object& target, std::string_view key, const json::value& value,
                  bool strategic) {
    constexpr std::string_view deletion = "$deleteFromPrimitiveList/";
    if (strategic && key.starts_with(deletion)) {
        delete_from_list(target, key.substr(deletion.size()), value);
    } else if (value.is_null()) {
        target.erase(key);
    } else if (strategic && key == "finalizers" && value.is_array() && target.contains(key)) {
        auto& list = target[key].as_array();
        for (const auto& each : value.as_array()) {
            if (std::find(list.begin(), list.end(), each) == list.end()) {
                list.push_back(each);
            }
        }
    } else {
        merge(target[key], value, strategic);
    }
}

void merge(json::value& target, const json::value& patch, bool strategic) {
    if (!patch.is_object()) {
        target = patch;
        return;
    }
    if (!target.is_object()) {
        target = json::object();
    }
    for (const auto& [key, value] : patch.as_object()) {
        merge_member(target.as_object(), key, value, strategic);
    }
}

std::vector<std::string> pointer(const std::string& text) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('/', at + 1), text.size());
        std::string part;
        for (std::size_t i = at + 1; i < end; ++i) {
            if (text[i] == '~' && i + 1 < end) {
                part += text[++i] == '1' ? '/' : '~';
            } else {
                part += text[i];
            }
        }
        parts.push_back(part);
        at = end;
    }
    return parts;
}

json::value* step(json::value& at, const std::string& part) {
    if (auto* object = at.if_object()) {
        return object->if_contains(part);
    }
    auto* array = at.if_array();
    std::size_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool whole = read.ec == std::errc() && read.ptr == part.data() + part.size();
    return array && whole && index < array->size() ? &(*array)[index] : nullptr;
}

void add(json::value& parent, const std::string& last, const json::value& value) {
    if (auto* object = parent.if_object()) {
        (*object)[last] = value;
        return;
    }
    auto* array = parent.if_array();
    std::size_t index = array ? array->size() : 0;
    if (last != "-") {
        std::from_chars(last.data(), last.data() + last.size(), index);
    }
    if (!array || index > array->size()) {
        throw patch_does_not_apply();
    }
    array->insert(array->begin() + static_cast<std::ptrdiff_t>(index), value);
}

void remove(json::value& parent, const std::string& last) {
    if (auto* object = parent.if_object()) {
        object->erase(last);
    } else {
        auto& array = parent.as_array();
        array.erase(array.begin() + (step(parent, last) - array.data()));
    }
}

void apply(json::value& document, const json::object& operation) {
    const auto op = text_at(operation, {"op"});
    auto path = pointer(text_at(operation, {"path"}));
    if (path.empty()) {
        throw patch_does_not_apply();
    }
    const auto last = path.back();
    path.pop_back();
    auto* parent = &document;
    for (const auto& part : path) {
        parent = parent ? step(*parent, part) : nullptr;
    }
    auto* target = parent ? step(*parent, last) : nullptr;
    const auto* value = operation.if_contains("value");
    if (!parent || (op != "add" && !target) || (op != "remove" && !value)) {
        throw patch_does_not_apply();
    }
    if (op == "add") {
        add(*parent, last, *value);
    } else if (op == "replace") {
        *target = *value;
    } else if (op == "remove") {
        remove(*parent, last);
    } else if (op != "test" || *target != *value) {
        throw patch_does_not_apply();
    }
}

}  // namespace patch_detail

json::object patched(const json::object& data, const std::string& content_type,
                     const json::value& patch) {
    json::value document = data;
    if (content_type.starts_with("application/json-patch+json")) {
        if (!patch.is_array()) {
            throw bad_request("error decoding patch: a JSON patch is an array");
        }
        for (const auto& operation : patch.as_array()) {
            patch_detail::apply(document, operation.as_object());
        }
    } else if (content_type.starts_with("application/merge-patch+json")) {
        patch_detail::merge(document, patch, false);
    } else if (content_type.starts_with("application/strategic-merge-patch+json")) {
        patch_detail::merge(document, patch, true);
    } else {
        throw unsupported_media_type();
    }
    auto made = document.as_object();
    auto& metadata = object_in(made, "metadata");
    if (const auto* list = metadata.if_contains("finalizers");
        list && (list->is_null() || (list->is_array() && list->as_array().empty()))) {
        metadata.erase("finalizers");
    }
    return made;
}

}  // namespace sparkhost::test::k8s
