// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/api_answer.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>

namespace sparkhost::detail::kubernetes {

namespace {

namespace json = boost::json;

const json::object* object_in(const json::object& parent, std::string_view name) {
    const auto* found = parent.if_contains(name);
    return found == nullptr ? nullptr : found->if_object();
}

std::string words_under(const json::object* parent, std::string_view name) {
    const auto* found = parent == nullptr ? nullptr : parent->if_contains(name);
    const auto* text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string() : std::string(*text);
}

ApiObject object_of(const json::object& body) {
    ApiObject object;
    const auto* metadata = object_in(body, "metadata");
    if (metadata == nullptr) {
        return object;
    }
    object.uid = words_under(metadata, "uid");
    object.resource_version = words_under(metadata, "resourceVersion");
    object.deleting = metadata->contains("deletionTimestamp");
    const auto* labels = object_in(*metadata, "labels");
    object.identity.store = words_under(labels, store_label);
    object.identity.ticket = words_under(labels, ticket_label);
    object.identity.nonce = words_under(labels, nonce_label);
    object.killed = words_under(labels, killed_label) == "true";
    object.refused = words_under(labels, refused_label) == "true";
    object.reason = words_under(object_in(*metadata, "annotations"), reason_annotation);
    if (const auto* finalizers = metadata->if_contains("finalizers");
        finalizers != nullptr && finalizers->is_array()) {
        for (const auto& each : finalizers->get_array()) {
            if (each.is_string()) {
                object.finalizers.emplace_back(each.get_string());
            }
        }
    }
    object.phase = words_under(object_in(body, "status"), "phase");
    return object;
}

json::value parse_quietly(std::string_view text) {
    boost::system::error_code failed;
    auto value = json::parse(text, failed);
    return failed ? json::value() : value;
}

/// metav1.Status: what went wrong, in a word and in a sentence.
struct Status {
    std::string reason{};
    std::string message{};
    bool namespace_ending{false};
};

Status status_of(const json::object* body) {
    Status status;
    status.reason = words_under(body, "reason");
    status.message = words_under(body, "message");
    const auto* details = body == nullptr ? nullptr : object_in(*body, "details");
    const auto* causes = details == nullptr ? nullptr : details->if_contains("causes");
    if (causes != nullptr && causes->is_array()) {
        for (const auto& cause : causes->get_array()) {
            if (words_under(cause.if_object(), "reason") == "NamespaceTerminating") {
                status.namespace_ending = true;
            }
        }
    }
    return status;
}

ApiVerdict verdict_of(int code, const Status& status) {
    if (code >= 200 && code < 300) {
        return ApiVerdict::done;
    }
    switch (code) {
        case 401:
            return ApiVerdict::unauthenticated;
        case 403:
            if (status.namespace_ending) {
                return ApiVerdict::namespace_ending;
            }
            // the quota plug-in has no reason of its own
            return status.message.find("exceeded quota") != std::string::npos
                       ? ApiVerdict::quota
                       : ApiVerdict::forbidden;
        case 404:
        case 410:
            return ApiVerdict::missing;
        case 408:
        case 429:
            return ApiVerdict::busy;
        case 409:
            return status.reason == "AlreadyExists" ? ApiVerdict::exists : ApiVerdict::conflict;
        default:
            return code >= 400 && code < 500 ? ApiVerdict::invalid : ApiVerdict::busy;
    }
}

}  // namespace

std::string_view to_string(ApiVerdict verdict) {
    switch (verdict) {
        case ApiVerdict::done:
            return "done";
        case ApiVerdict::exists:
            return "exists";
        case ApiVerdict::conflict:
            return "conflict";
        case ApiVerdict::missing:
            return "missing";
        case ApiVerdict::unauthenticated:
            return "unauthenticated";
        case ApiVerdict::forbidden:
            return "forbidden";
        case ApiVerdict::quota:
            return "quota";
        case ApiVerdict::namespace_ending:
            return "namespace_ending";
        case ApiVerdict::invalid:
            return "invalid";
        case ApiVerdict::busy:
            return "busy";
        case ApiVerdict::unsent:
            return "unsent";
        case ApiVerdict::unknown:
            return "unknown";
    }
    return "unknown";
}

bool ApiObject::is_guarded() const {
    return std::find(finalizers.begin(), finalizers.end(), end_recorded_finalizer) !=
           finalizers.end();
}

ApiObject read_object(std::string_view body) {
    const auto value = parse_quietly(body);
    return value.is_object() ? object_of(value.get_object()) : ApiObject();
}

ApiAnswer read_answer(int status, std::string_view body) {
    const auto value = parse_quietly(body);
    const auto* object = value.if_object();
    ApiAnswer answer;
    const Status told = status_of(object);
    answer.verdict = verdict_of(status, told);
    if (answer.verdict == ApiVerdict::done) {
        if (object != nullptr) {
            answer.object = object_of(*object);
        }
        return answer;
    }
    answer.words = told.message.empty() ? "HTTP status " + std::to_string(status) : told.message;
    return answer;
}

}  // namespace sparkhost::detail::kubernetes
