// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/lifecycle.hpp"

#include "support/fake_kubernetes/status.hpp"

#include <boost/asio/post.hpp>

namespace sparkhost::test::k8s {

namespace lifecycle_detail {

std::int64_t number_at(const json::object& data, std::string_view key, std::int64_t otherwise) {
    const auto* value = data.if_contains(key);
    return value && value->is_int64() ? value->as_int64() : otherwise;
}

/// How long the object may go on; 0 for whatever is no running pod.
std::int64_t grace_of(const Object& object, const DeleteOptions& options) {
    if (object.type->kind != "Pod" || text_at(object.data, {"spec", "nodeName"}).empty()) {
        return 0;
    }
    const auto phase = text_at(object.data, {"status", "phase"});
    if (phase == "Succeeded" || phase == "Failed") {
        return 0;
    }
    return options.grace_seconds.value_or(
        number_at(object.data.at("spec").as_object(), "terminationGracePeriodSeconds", 30));
}

}  // namespace lifecycle_detail

Deletion delete_object(Store& store, const ObjectPtr& object, const DeleteOptions& options) {
    if (!options.uid.empty() && options.uid != object->uid) {
        throw uid_differs(*object, options.uid);
    }
    if (!options.resource_version.empty() &&
        options.resource_version != std::to_string(object->version)) {
        throw version_differs(*object, options.resource_version);
    }
    const bool is_pod = object->type->kind == "Pod";
    const auto grace = lifecycle_detail::grace_of(*object, options);
    const bool was_deleting = object->is_deleting();
    const auto before =
        lifecycle_detail::number_at(object->metadata(), "deletionGracePeriodSeconds", 0);
    if (was_deleting && (!is_pod || before <= grace) && (object->has_finalizers() || before > 0)) {
        return {object, false};  // under way; nobody gets more time than there was
    }
    const bool stays = grace > 0 || object->has_finalizers();
    auto current = object;
    if (stays || (is_pod && was_deleting)) {
        auto data = object->data;
        auto& metadata = object_in(data, "metadata");
        if (!was_deleting && is_pod) {
            metadata["generation"] = lifecycle_detail::number_at(metadata, "generation", 1) + 1;
        }
        metadata["deletionTimestamp"] =
            timestamp(std::chrono::system_clock::now() + std::chrono::seconds(grace));
        metadata["deletionGracePeriodSeconds"] = grace;
        current = store.replace(object, std::move(data));
    }
    if (stays) {
        return {current, false};
    }
    store.remove(current);
    return {current, true};
}

GarbageCollector::GarbageCollector(Store& store, boost::asio::any_io_executor executor)
    : store_(store), executor_(std::move(executor)) {
    store_.listen([this](const StoreEvent& event) { see(event); });
}

void GarbageCollector::see(const StoreEvent& event) {
    const auto& object = *event.object;
    const Dependent self{object.type, object.ns, object.name, object.uid};
    if (event.change == Change::deleted) {
        alive_.erase(object.uid);
        const auto found = by_owner_.find(object.uid);
        if (found != by_owner_.end()) {
            for (const auto& dependent : found->second) {
                boost::asio::post(executor_, [this, dependent] { collect(dependent); });
            }
            by_owner_.erase(found);
        }
        return;
    }
    alive_.insert(object.uid);
    const auto* owners = array_at(object.data, {"metadata", "ownerReferences"});
    for (std::size_t i = 0; owners && i < owners->size(); ++i) {
        const auto owner = text_at((*owners)[i].as_object(), {"uid"});
        by_owner_[owner].insert(self);
        if (!alive_.contains(owner)) {
            boost::asio::post(executor_, [this, self] { collect(self); });
        }
    }
}

void GarbageCollector::collect(const Dependent& dependent) {
    const auto object = store_.find(*dependent.type, dependent.ns, dependent.name);
    if (!object || object->uid != dependent.uid) {
        return;
    }
    const auto* owners = array_at(object->data, {"metadata", "ownerReferences"});
    for (std::size_t i = 0; owners && i < owners->size(); ++i) {
        if (alive_.contains(text_at((*owners)[i].as_object(), {"uid"}))) {
            return;
        }
    }
    delete_object(store_, object, {});
}

}  // namespace sparkhost::test::k8s
