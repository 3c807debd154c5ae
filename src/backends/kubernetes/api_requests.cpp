// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/api_requests.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

std::string_view plural_of(ObjectKind kind) {
    switch (kind) {
        case ObjectKind::config_map:
            return "configmaps";
        case ObjectKind::secret:
            return "secrets";
        case ObjectKind::service:
            return "services";
        case ObjectKind::claim:
            return "persistentvolumeclaims";
        case ObjectKind::pod:
            return "pods";
    }
    return "pods";
}

const boost::json::object& body_of(const ApiAction& action, const DriverObjects& objects) {
    switch (action.kind) {
        case ObjectKind::config_map:
            return objects.config_map;
        case ObjectKind::secret:
            return objects.secret;
        case ObjectKind::service:
            return objects.service;
        case ObjectKind::claim:
            return objects.claims.at(action.index);
        case ObjectKind::pod:
            return objects.pod;
    }
    return objects.pod;
}

std::string name_of(const ApiAction& action, const TicketData& data) {
    const auto& ticket = data.identity.ticket;
    switch (action.kind) {
        case ObjectKind::config_map:
            return config_map_name(ticket);
        case ObjectKind::secret:
            return secret_name(ticket);
        case ObjectKind::service:
            return service_name(ticket);
        case ObjectKind::claim: {
            const auto& claim = data.objects.claims.at(action.index);
            return std::string(claim.at("metadata").as_object().at("name").as_string());
        }
        case ObjectKind::pod:
            return pod_name(ticket);
    }
    return pod_name(ticket);
}

std::string creation_body(const ApiAction& action, const TicketData& data) {
    const auto& body = body_of(action, data.objects);
    const bool is_owned = !action.owner.empty() && action.kind != ObjectKind::pod &&
                          action.kind != ObjectKind::config_map;
    if (!is_owned) {
        return boost::json::serialize(body);
    }
    boost::json::object owned = body;
    set_owner(owned, config_map_name(data.identity.ticket), action.owner);
    return boost::json::serialize(owned);
}

/// A merge patch: the uid and the version make it fail on any other pod, or a changed one.
std::string unfinalize_body(const ApiAction& action) {
    boost::json::object metadata{{"uid", action.uid}, {"resourceVersion", action.resource_version}};
    boost::json::array rest;
    for (const auto& each : action.finalizers) {
        rest.emplace_back(each);
    }
    metadata["finalizers"] = std::move(rest);
    return boost::json::serialize(boost::json::object{{"metadata", std::move(metadata)}});
}

std::string deletion_body(std::string_view uid, const std::chrono::seconds* grace) {
    boost::json::object options{{"apiVersion", "v1"},
                                {"kind", "DeleteOptions"},
                                {"propagationPolicy", "Background"},
                                {"preconditions", boost::json::object{{"uid", uid}}}};
    if (grace != nullptr) {
        options["gracePeriodSeconds"] = static_cast<std::int64_t>(grace->count());
    }
    return boost::json::serialize(options);
}

void set_body(http::Request& request, std::string body, const char* type = "application/json") {
    request.body = std::move(body);
    request.headers.push_back({"Content-Type", type});
}

}  // namespace

std::string object_target(ObjectKind kind, std::string_view in_namespace, std::string_view name) {
    std::string target = "/api/v1/namespaces/" + std::string(in_namespace) + "/";
    target += plural_of(kind);
    if (!name.empty()) {
        target += "/" + std::string(name);
    }
    return target;
}

boost::json::object tombstone(const TicketData& data, const std::string& refusal) {
    const auto& identity = data.identity;
    boost::json::object labels{{store_label, identity.store},
                               {ticket_label, identity.ticket},
                               {nonce_label, identity.nonce}};
    labels[refusal.empty() ? killed_label : refused_label] = "true";
    boost::json::object metadata{{"name", config_map_name(identity.ticket)},
                                 {"namespace", data.objects.in_namespace},
                                 {"labels", std::move(labels)}};
    if (!refusal.empty()) {
        constexpr std::size_t longest_reason = 4096;
        metadata["annotations"] =
            boost::json::object{{reason_annotation, refusal.substr(0, longest_reason)}};
    }
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", std::move(metadata)},
            {"immutable", true}};
}

http::Request pod_deletion(std::string_view in_namespace, std::string_view pod,
                           std::string_view uid, std::chrono::seconds grace,
                           std::chrono::milliseconds deadline) {
    http::Request request;
    request.method = "DELETE";
    request.target = object_target(ObjectKind::pod, in_namespace, pod);
    request.deadline = deadline;
    request.repeatable = true;
    set_body(request, deletion_body(uid, &grace));
    return request;
}

http::Request action_request(const ApiAction& action, const TicketData& data,
                             std::chrono::seconds grace, std::chrono::milliseconds deadline) {
    const auto& in_namespace = data.objects.in_namespace;
    const std::string name = name_of(action, data);
    http::Request request;
    request.deadline = deadline;
    request.repeatable = true;
    request.target = object_target(action.kind, in_namespace, name);
    switch (action.verb) {
        case ApiAction::Verb::create:
            request.method = "POST";
            request.target = object_target(action.kind, in_namespace);
            set_body(request, creation_body(action, data));
            break;
        case ApiAction::Verb::create_tombstone:
            request.method = "POST";
            request.target = object_target(ObjectKind::config_map, in_namespace);
            set_body(request, boost::json::serialize(tombstone(data, action.refusal)));
            break;
        case ApiAction::Verb::read:
            break;
        case ApiAction::Verb::remove:
            request.method = "DELETE";
            set_body(request,
                     deletion_body(action.uid, action.kind == ObjectKind::pod ? &grace : nullptr));
            break;
        case ApiAction::Verb::unfinalize:
            request.method = "PATCH";
            set_body(request, unfinalize_body(action), "application/merge-patch+json");
            break;
    }
    return request;
}

boost::asio::awaitable<ApiAnswer> ask_api(std::shared_ptr<http::Client> client,
                                          http::Request request) {
    const std::string what = request.method + " " + request.target;
    Result<http::Response> response = co_await client->send(std::move(request));
    if (response) {
        co_return read_answer(response->status, response->body);
    }
    ApiAnswer answer;
    answer.verdict =
        response.error().is(Errc::backend_failed) ? ApiVerdict::unsent : ApiVerdict::unknown;
    answer.words = what + ": " + response.error().text();
    co_return answer;
}

}  // namespace sparkhost::detail::kubernetes
