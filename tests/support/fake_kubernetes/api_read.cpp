// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/api.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

// Lists, watches and logs.

namespace sparkhost::test::k8s {

namespace api_read_detail {

std::size_t number(const std::string& text, std::size_t otherwise) {
    std::size_t value = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string line_of(std::string_view type, const std::string& object) {
    return "{\"type\":\"" + std::string(type) + "\",\"object\":" + object + "}\n";
}

std::string text_of(const Object& object, bool metadata_only) {
    return metadata_only ? object.metadata_text() : object.text();
}

}  // namespace api_read_detail

namespace k8s_read = api_read_detail;

void Api::freeze_cache() {
    Frozen frozen{store_.version(), {}};
    for (const auto* plural : {"pods", "configmaps", "secrets", "services", "events"}) {
        const auto* type = find_resource(plural);
        frozen.objects[type] = store_.all(*type);
    }
    frozen_ = std::move(frozen);
}

Api::Snapshot Api::begin_list(const Path& path) const {
    const Selector selector(path.get("labelSelector"), path.get("fieldSelector"));
    const bool stale = frozen_ && path.get("resourceVersion") == "0";
    Snapshot snapshot{{}, stale ? frozen_->version : store_.version()};
    const auto found = stale ? frozen_->objects.at(path.type) : store_.all(*path.type, path.ns);
    for (const auto& object : found) {
        if ((path.ns.empty() || object->ns == path.ns) && selector.matches(*object)) {
            snapshot.rest.push_back(object);
        }
    }
    return snapshot;
}

ApiAnswer Api::list(const ApiRequest& request, const Path& path) {
    const auto token = path.get("continue");
    Snapshot snapshot;
    if (token.empty()) {
        const auto wanted = path.get("resourceVersion");
        if (path.get("resourceVersionMatch") == "Exact" &&
            k8s_read::number(wanted, 0) < store_.compacted()) {
            throw expired("list");
        }
        snapshot = begin_list(path);
    } else {
        const auto found = continues_.find(token);
        if (found == continues_.end() || found->second.version < store_.compacted()) {
            throw expired_continue();
        }
        snapshot = found->second;
    }
    const auto limit = k8s_read::number(path.get("limit"), 0);
    const auto count = limit == 0 ? snapshot.rest.size() : std::min(limit, snapshot.rest.size());
    const bool partial = request.accept.find("as=PartialObjectMetadata") != std::string::npos;
    json::object metadata{{"resourceVersion", std::to_string(snapshot.version)}};
    std::string items;
    for (std::size_t i = 0; i < count; ++i) {
        items += (items.empty() ? "" : ",");
        items += partial ? snapshot.rest[i]->metadata_text() : snapshot.rest[i]->item_text();
    }
    if (count < snapshot.rest.size()) {
        const auto next =
            "c" + std::to_string(next_continue_++) + "-" + std::to_string(snapshot.version);
        snapshot.rest.erase(snapshot.rest.begin(),
                            snapshot.rest.begin() + static_cast<std::ptrdiff_t>(count));
        metadata["continue"] = next;
        metadata["remainingItemCount"] = snapshot.rest.size();
        continues_[next] = std::move(snapshot);
        continue_order_.push_back(next);
        if (continue_order_.size() > continues_kept) {
            continues_.erase(continue_order_.front());
            continue_order_.pop_front();
        }
    }
    ApiAnswer made;
    const auto kind = partial ? "PartialObjectMetadataList" : std::string(path.type->kind) + "List";
    made.body = "{\"kind\":\"" + kind + "\",\"apiVersion\":\"" +
                (partial ? "meta.k8s.io/v1" : "v1") +
                "\",\"metadata\":" + json::serialize(metadata) + ",\"items\":[" + items + "]}";
    return made;
}

ApiAnswer Api::watch(const ApiRequest& request, const Path& path) {
    WatchPlan plan;
    plan.type = path.type;
    plan.ns = path.ns;
    plan.selector = Selector(path.get("labelSelector"), path.get("fieldSelector"));
    plan.bookmarks = path.is_set("allowWatchBookmarks");
    plan.metadata_only = request.accept.find("as=PartialObjectMetadata") != std::string::npos;
    plan.timeout = std::chrono::seconds(k8s_read::number(path.get("timeoutSeconds"), 1800));
    const auto from = path.get("resourceVersion");
    const auto version = k8s_read::number(from, 0);
    const bool initial = from.empty() || from == "0" || path.is_set("sendInitialEvents");
    if (initial) {
        for (const auto& object : store_.all(*path.type, path.ns)) {
            if (plan.selector.matches(*object)) {
                plan.first.push_back(
                    k8s_read::line_of("ADDED", k8s_read::text_of(*object, plan.metadata_only)));
            }
        }
        if (path.is_set("sendInitialEvents") && plan.bookmarks) {
            plan.first.push_back(plan.bookmark(store_.version(), true));
        }
    } else if (version < store_.compacted()) {
        plan.first.push_back(
            k8s_read::line_of("ERROR", json::serialize(expired("watch").to_json())));
        plan.over = true;
    } else {
        plan.missed = store_.since(version);
    }
    ApiAnswer made;
    made.watch = std::move(plan);
    return made;
}

std::string WatchPlan::line(const StoreEvent& event) const {
    if (event.object->type != type || (!ns.empty() && event.object->ns != ns)) {
        return {};
    }
    const bool now = event.change != Change::deleted && selector.matches(*event.object);
    const bool before = event.before && selector.matches(*event.before);
    if (!now && !before) {
        return {};
    }
    // What a selector does not match any more is gone for who watches by it.
    const auto* word = now && before ? "MODIFIED" : now ? "ADDED" : "DELETED";
    return k8s_read::line_of(word, k8s_read::text_of(*event.object, metadata_only));
}

std::string WatchPlan::bookmark(std::uint64_t version, bool ends_initial_events) const {
    json::object metadata{{"resourceVersion", std::to_string(version)},
                          {"creationTimestamp", nullptr}};
    if (ends_initial_events) {
        metadata["annotations"] = json::object{{"k8s.io/initial-events-end", "true"}};
    }
    json::object object{{"kind", std::string(metadata_only ? "PartialObjectMetadata" : type->kind)},
                        {"apiVersion", metadata_only ? "meta.k8s.io/v1" : "v1"},
                        {"metadata", std::move(metadata)}};
    if (type->kind == "Pod" && !metadata_only) {
        object["spec"] = json::object{{"containers", nullptr}};
        object["status"] = json::object();
    }
    return k8s_read::line_of("BOOKMARK", json::serialize(object));
}

ApiAnswer Api::log(const Path& path) {
    LogPlan plan;
    plan.pod = find(path);
    const auto& containers = *array_at(plan.pod->data, {"spec", "containers"});
    auto container = path.get("container");
    if (container.empty() && containers.size() > 1) {
        throw bad_request("a container name must be specified for pod " + path.name);
    }
    bool found = container.empty();
    for (const auto& each : containers) {
        found = found || text_at(each.as_object(), {"name"}) == container;
    }
    if (!found) {
        throw bad_request("container " + container + " is not valid for pod " + path.name);
    }
    if (container.empty()) {
        container = text_at(containers.at(0).as_object(), {"name"});
    }
    ApiAnswer made;
    made.content_type = "text/plain";
    if (text_at(plan.pod->data, {"spec", "nodeName"}).empty()) {
        made.status = 204;
        return made;
    }
    const auto* statuses = array_at(plan.pod->data, {"status", "containerStatuses"});
    for (std::size_t i = 0; statuses && i < statuses->size(); ++i) {
        const auto waiting = text_at((*statuses)[i].as_object(), {"state", "waiting", "reason"});
        if (!waiting.empty()) {
            throw bad_request("container \"" + container + "\" in pod \"" + path.name +
                              "\" is waiting to start: " + waiting);
        }
    }
    if (!statuses) {
        throw bad_request("container \"" + container + "\" in pod \"" + path.name +
                          "\" is not available");
    }
    plan.follow = path.is_set("follow");
    plan.timestamps = path.is_set("timestamps");
    if (const auto since = path.get("sinceTime"); !since.empty()) {
        // On its way to the kubelet the time loses its fraction.
        plan.since = std::chrono::floor<std::chrono::seconds>(parse_timestamp(since));
    }
    if (const auto tail = path.get("tailLines"); !tail.empty()) {
        plan.tail = k8s_read::number(tail, 0);
    }
    if (const auto limit = path.get("limitBytes"); !limit.empty()) {
        plan.limit_bytes = k8s_read::number(limit, 0);
    }
    made.log = std::move(plan);
    return made;
}

}  // namespace sparkhost::test::k8s
