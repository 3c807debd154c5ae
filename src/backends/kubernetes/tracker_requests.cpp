// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/tracker_requests.hpp"

#include "backends/kubernetes/api_requests.hpp"
#include "backends/kubernetes/driver_names.hpp"
#include "http/url.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

using std::chrono::milliseconds;

std::string pods_target(const PodSelection& pods) {
    std::string target = pods.name_space.empty() ? std::string("/api/v1/pods")
                                                 : object_target(ObjectKind::pod, pods.name_space);
    std::string labels = std::string(store_label) + "=" + pods.store_uuid + ",spark-role=";
    // The first of an application is enough; there may be thousands.
    labels += pods.role == PodSelection::Role::driver ? "driver" : "executor,spark-exec-id=1";
    return target + "?labelSelector=" + http::percent_encoded(labels);
}

/// Of executors only names and labels are sent.
void accept(const PodSelection& pods, std::string_view kind, http::Request& request) {
    std::string type = "application/json";
    if (pods.role == PodSelection::Role::first_executor) {
        type += ";as=" + std::string(kind) + ";g=meta.k8s.io;v=v1";
    }
    request.headers.push_back({"Accept", std::move(type)});
}

http::Request patch(const PodRemoval& removal, boost::json::object metadata,
                    milliseconds deadline) {
    metadata["uid"] = removal.uid;  // of another pod it is a conflict
    http::Request request;
    request.method = "PATCH";
    request.target = object_target(ObjectKind::pod, removal.name_space, removal.pod);
    request.headers.push_back({"Content-Type", "application/merge-patch+json"});
    request.body = boost::json::serialize(boost::json::object{{"metadata", std::move(metadata)}});
    request.deadline = deadline;
    request.repeatable = true;
    return request;
}

}  // namespace

http::Request list_request(const PodSelection& pods, const WatchAction& action,
                           milliseconds deadline) {
    http::Request request;
    request.target = pods_target(pods);
    if (action.limit > 0) {
        request.target += "&limit=" + std::to_string(action.limit);
    }
    if (!action.continue_token.empty()) {
        request.target += "&continue=" + http::percent_encoded(action.continue_token);
    }
    accept(pods, "PartialObjectMetadataList", request);
    request.deadline = deadline;
    request.repeatable = true;
    return request;
}

http::Request watch_request(const PodSelection& pods, const WatchAction& action,
                            milliseconds deadline) {
    http::Request request;
    request.target = pods_target(pods) + "&watch=1&allowWatchBookmarks=true&resourceVersion=" +
                     http::percent_encoded(action.resource_version) +
                     "&timeoutSeconds=" + std::to_string(action.watch_time.count());
    accept(pods, "PartialObjectMetadata", request);
    request.deadline = deadline;
    return request;
}

http::Request tombstones_request(const PodSelection& pods, const std::string& continue_token,
                                 milliseconds deadline) {
    const std::string labels = std::string(store_label) + "=" + pods.store_uuid + "," +
                               std::string(killed_label) + "=true";
    http::Request request;
    request.target = pods.name_space.empty()
                         ? std::string("/api/v1/configmaps")
                         : object_target(ObjectKind::config_map, pods.name_space);
    request.target += "?labelSelector=" + http::percent_encoded(labels) + "&limit=500";
    if (!continue_token.empty()) {
        request.target += "&continue=" + http::percent_encoded(continue_token);
    }
    request.headers.push_back(
        {"Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"});
    request.deadline = deadline;
    request.repeatable = true;
    return request;
}

http::Request events_request(const Inquiry& inquiry, milliseconds deadline) {
    http::Request request;
    request.target = "/api/v1/namespaces/" + inquiry.name_space +
                     "/events?limit=50&fieldSelector=" +
                     http::percent_encoded("involvedObject.uid=" + inquiry.uid);
    request.deadline = deadline;
    request.repeatable = true;
    return request;
}

http::Request config_map_request(const Inquiry& inquiry, milliseconds deadline) {
    http::Request request;
    request.target =
        object_target(ObjectKind::config_map, inquiry.name_space, config_map_name(inquiry.ticket));
    request.deadline = deadline;
    request.repeatable = true;
    return request;
}

http::Request pod_request(const PodRemoval& removal, milliseconds deadline) {
    http::Request request;
    request.target = object_target(ObjectKind::pod, removal.name_space, removal.pod);
    request.deadline = deadline;
    request.repeatable = true;
    return request;
}

http::Request given_up_request(const PodRemoval& removal, milliseconds deadline) {
    boost::json::object annotations{{given_up_annotation, removal.given_up}};
    boost::json::object metadata{{"annotations", std::move(annotations)}};
    return patch(removal, std::move(metadata), deadline);
}

http::Request unprotect_request(const PodRemoval& removal, const ApiObject& pod,
                                milliseconds deadline) {
    boost::json::array rest;
    for (const auto& each : pod.finalizers) {
        if (each != end_recorded_finalizer) {
            rest.emplace_back(each);
        }
    }
    boost::json::object metadata{{"resourceVersion", pod.resource_version}};
    metadata["finalizers"] = std::move(rest);
    return patch(removal, std::move(metadata), deadline);
}

}  // namespace sparkhost::detail::kubernetes
