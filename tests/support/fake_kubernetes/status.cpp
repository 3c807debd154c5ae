// SPDX-License-Identifier: Apache-2.0
#include "support/fake_kubernetes/status.hpp"

namespace sparkhost::test::k8s {

namespace status_detail {

json::object named(const std::string& name, std::string_view kind) {
    json::object details;
    if (!name.empty()) {
        details["name"] = name;
    }
    details["kind"] = std::string(kind);
    return details;
}

std::string quoted(std::string_view kind, const std::string& name) {
    return std::string(kind) + " \"" + name + "\"";
}

Refusal conflict(std::string_view kind, const std::string& name, const std::string& why) {
    return {409, "Conflict", "Operation cannot be fulfilled on " + quoted(kind, name) + ": " + why,
            named(name, kind)};
}

}  // namespace status_detail

using status_detail::conflict;
using status_detail::named;
using status_detail::quoted;

json::object Refusal::to_json() const {
    json::object status{{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", json::object()},
                        {"status", "Failure"}, {"message", message}, {"reason", reason}};
    if (details) {
        status["details"] = *details;
    }
    status["code"] = code;
    return status;
}

Refusal unauthorized() {
    return {401, "Unauthorized", "Unauthorized", {}};
}

Refusal forbidden(const std::string& user, const std::string& verb, const std::string& what,
                  const std::string& ns, const std::string& name) {
    const auto plural = what.substr(0, what.find('/'));
    const auto subject = name.empty() ? plural : quoted(plural, name);
    const auto where =
        ns.empty() ? std::string(" at the cluster scope") : " in the namespace \"" + ns + "\"";
    return {403, "Forbidden",
            subject + " is forbidden: User \"" + user + "\" cannot " + verb + " resource \"" +
                what + "\" in API group \"\"" + where,
            named(name, plural)};
}

Refusal over_quota(const std::string& name, const std::string& quota, std::size_t used,
                   std::size_t limit) {
    return {403, "Forbidden",
            quoted("pods", name) + " is forbidden: exceeded quota: " + quota +
                ", requested: pods=1, used: pods=" + std::to_string(used) +
                ", limited: pods=" + std::to_string(limit),
            named(name, "pods")};
}

Refusal not_found(const ResourceType& type, const std::string& name) {
    return {404, "NotFound", quoted(type.plural, name) + " not found", named(name, type.plural)};
}

Refusal no_such_path() {
    return {404, "NotFound", "the server could not find the requested resource", json::object()};
}

Refusal already_exists(const Object& there) {
    const std::string before = there.is_deleting() ? "object is being deleted: " : "";
    return {409, "AlreadyExists",
            before + quoted(there.type->plural, there.name) + " already exists",
            named(there.name, there.type->plural)};
}

Refusal modified_meanwhile(const ResourceType& type, const std::string& name) {
    return conflict(type.plural, name,
                    "the object has been modified; please apply your changes to the latest "
                    "version and try again");
}

Refusal uid_of_update_differs(const Object& there, const std::string& wanted) {
    return conflict(there.type->plural, there.name,
                    "Precondition failed: UID in precondition: " + wanted +
                        ", UID in object meta: " + there.uid);
}

Refusal uid_differs(const Object& there, const std::string& wanted) {
    return conflict(there.type->kind, there.name,
                    "the UID in the precondition (" + wanted +
                        ") does not match the UID in record (" + there.uid +
                        "). The object might have been deleted and then recreated");
}

Refusal version_differs(const Object& there, const std::string& wanted) {
    return conflict(there.type->kind, there.name,
                    "the ResourceVersion in the precondition (" + wanted +
                        ") does not match the ResourceVersion in record (" +
                        std::to_string(there.version) + "). The object might have been modified");
}

Refusal expired(const std::string& what) {
    return {410, "Expired", "The resourceVersion for the provided " + what + " is too old.", {}};
}

Refusal expired_continue() {
    return {410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You "
            "must start a new list without the continue parameter.",
            {}};
}

Refusal invalid(const ResourceType& type, const std::string& name,
                const std::vector<FieldFault>& faults) {
    json::array causes;
    std::string text;
    for (const auto& fault : faults) {
        causes.push_back(json::object{
            {"reason", fault.reason}, {"message", fault.message}, {"field", fault.field}});
        text += (text.empty() ? "" : ", ") + fault.field + ": " + fault.message;
    }
    auto details = named(name, type.kind);
    details["causes"] = std::move(causes);
    if (faults.size() > 1) {
        text = "[" + text + "]";
    }
    return {422, "Invalid", quoted(type.kind, name) + " is invalid: " + text, std::move(details)};
}

Refusal patch_does_not_apply() {
    return {422, "Invalid", "the server rejected our request due to an error in our request",
            json::object()};
}

Refusal bad_request(const std::string& message) {
    return {400, "BadRequest", message, {}};
}

Refusal method_not_allowed() {
    return {405, "MethodNotAllowed",
            "the server does not allow this method on the requested "
            "resource",
            json::object()};
}

Refusal unsupported_media_type() {
    return {415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, "
            "application/strategic-merge-patch+json, application/apply-patch+yaml",
            json::object()};
}

}  // namespace sparkhost::test::k8s
