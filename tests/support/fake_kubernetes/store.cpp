// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/store.hpp"

#include <algorithm>

namespace sparkhost::test::k8s {

namespace store_detail {

std::string key(const std::string& ns, const std::string& name) {
    return ns + "/" + name;
}

/// Nothing but finalizers keeps this object from going.
bool waits_for_finalizers(const json::object& data) {
    const auto* metadata = object_at(data, {"metadata"});
    if (!metadata || !metadata->contains("deletionTimestamp")) {
        return false;
    }
    const auto* grace = metadata->if_contains("deletionGracePeriodSeconds");
    return !grace || (grace->is_int64() && grace->as_int64() == 0);
}

}  // namespace store_detail

ObjectPtr Store::find(const ResourceType& type, const std::string& ns,
                      const std::string& name) const {
    const auto of_type = objects_.find(&type);
    if (of_type == objects_.end()) {
        return nullptr;
    }
    const auto found = of_type->second.find(store_detail::key(ns, name));
    return found == of_type->second.end() ? nullptr : found->second;
}

std::vector<ObjectPtr> Store::all(const ResourceType& type, const std::string& ns) const {
    std::vector<ObjectPtr> found;
    const auto of_type = objects_.find(&type);
    if (of_type != objects_.end()) {
        for (const auto& [key, object] : of_type->second) {
            if (ns.empty() || object->ns == ns) {
                found.push_back(object);
            }
        }
    }
    return found;
}

std::size_t Store::count(const ResourceType& type, const std::string& ns) const {
    const auto of_type = objects_.find(&type);
    if (of_type == objects_.end()) {
        return 0;
    }
    const auto is_in = [&](const auto& each) { return ns.empty() || each.second->ns == ns; };
    return static_cast<std::size_t>(
        std::count_if(of_type->second.begin(), of_type->second.end(), is_in));
}

ObjectPtr Store::stamped(Object object) {
    object.version = ++version_;
    object_in(object.data, "metadata")["resourceVersion"] = std::to_string(object.version);
    return std::make_shared<const Object>(std::move(object));
}

void Store::tell(StoreEvent event) {
    history_.push_back(event);
    while (history_.size() > history_limit_) {
        compacted_ = history_.front().object->version;
        history_.pop_front();
    }
    const auto listeners = listeners_;  // one may forget itself
    for (const auto& [id, listener] : listeners) {
        listener(event);
    }
}

void Store::compact() {
    history_.clear();
    compacted_ = version_;
}

ObjectPtr Store::create(const ResourceType& type, const std::string& ns, const std::string& name,
                        json::object data) {
    Object object;
    object.type = &type;
    object.ns = ns;
    object.name = name;
    object.uid = random_uid();
    auto given = object_in(data, "metadata");
    json::object metadata{{"name", name}};
    if (type.namespaced) {
        metadata["namespace"] = ns;
    }
    metadata["uid"] = object.uid;
    metadata["resourceVersion"] = "";
    if (type.kind == "Pod") {
        metadata["generation"] = 1;
    }
    metadata["creationTimestamp"] = timestamp(std::chrono::system_clock::now());
    for (const auto* kept :
         {"labels", "annotations", "ownerReferences", "finalizers", "managedFields"}) {
        if (const auto* value = given.if_contains(kept)) {
            metadata[kept] = *value;
        }
    }
    object.data["kind"] = std::string(type.kind);
    object.data["apiVersion"] = "v1";
    object.data["metadata"] = std::move(metadata);
    for (auto& [key, value] : data) {
        object.data.emplace(key, std::move(value));
    }
    auto made = stamped(std::move(object));
    objects(type)[store_detail::key(ns, name)] = made;
    tell({Change::added, made, nullptr});
    return made;
}

ObjectPtr Store::replace(const ObjectPtr& old, json::object data) {
    if (data == old->data) {
        return old;
    }
    Object object;
    object.type = old->type;
    object.ns = old->ns;
    object.name = old->name;
    object.uid = old->uid;
    object.data = std::move(data);
    auto made = stamped(std::move(object));
    objects(*old->type)[store_detail::key(old->ns, old->name)] = made;
    tell({Change::modified, made, old});
    return made;
}

void Store::remove(const ObjectPtr& old) {
    Object object;
    object.type = old->type;
    object.ns = old->ns;
    object.name = old->name;
    object.uid = old->uid;
    object.data = old->data;
    objects(*old->type).erase(store_detail::key(old->ns, old->name));
    tell({Change::deleted, stamped(std::move(object)), old});
}

ObjectPtr Store::replace_or_finish(const ObjectPtr& old, json::object data) {
    const auto* finalizers = array_at(data, {"metadata", "finalizers"});
    if ((!finalizers || finalizers->empty()) && store_detail::waits_for_finalizers(data)) {
        remove(old);
        Object last;
        last.type = old->type;
        last.ns = old->ns;
        last.name = old->name;
        last.uid = old->uid;
        last.version = version_;
        last.data = std::move(data);
        return std::make_shared<const Object>(std::move(last));
    }
    return replace(old, std::move(data));
}

std::vector<StoreEvent> Store::since(std::uint64_t version) const {
    std::vector<StoreEvent> found;
    for (const auto& event : history_) {
        if (event.object->version > version) {
            found.push_back(event);
        }
    }
    return found;
}

std::size_t Store::listen(Listener listener) {
    listeners_[next_listener_] = std::move(listener);
    return next_listener_++;
}

}  // namespace sparkhost::test::k8s
