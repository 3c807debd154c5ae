// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/permissions.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <exception>

namespace sparkhost::detail::kubernetes {

const std::vector<Permission>& needed_permissions() {
    static const std::vector<Permission> needed{
        {"create", "pods"},     {"get", "pods"},          {"list", "pods"},
        {"watch", "pods"},      {"patch", "pods"},        {"delete", "pods"},
        {"get", "pods", "log"}, {"create", "services"},   {"get", "services"},
        {"delete", "services"}, {"create", "configmaps"}, {"get", "configmaps"},
        {"list", "configmaps"}, {"delete", "configmaps"}, {"create", "secrets"},
        {"get", "secrets"},     {"delete", "secrets"},    {"list", "events"},
    };
    return needed;
}

const std::vector<Permission>& cluster_wide_permissions() {
    static const std::vector<Permission> needed{
        {"list", "pods"}, {"watch", "pods"}, {"list", "configmaps"}};
    return needed;
}

std::string access_review(const Permission& permission, std::string_view in_namespace) {
    boost::json::object attributes{{"verb", permission.verb}, {"resource", permission.resource}};
    if (!permission.subresource.empty()) {
        attributes["subresource"] = permission.subresource;
    }
    if (!in_namespace.empty()) {
        attributes["namespace"] = in_namespace;
    }
    boost::json::object spec{{"resourceAttributes", std::move(attributes)}};
    return boost::json::serialize(boost::json::object{{"apiVersion", "authorization.k8s.io/v1"},
                                                      {"kind", "SelfSubjectAccessReview"},
                                                      {"spec", std::move(spec)}});
}

Result<bool> read_access_review(std::string_view body) {
    try {
        const auto value = boost::json::parse(body);
        return value.as_object().at("status").as_object().at("allowed").as_bool();
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed,
                     std::string("this is no answer to an access review: ") + failure.what());
    }
}

std::string describe_missing(const std::vector<Permission>& missing,
                             std::string_view in_namespace) {
    std::string text;
    for (const auto& each : missing) {
        text += text.empty() ? "" : ", ";
        text += std::string(each.verb) + " " + std::string(each.resource);
        if (!each.subresource.empty()) {
            text += "/" + std::string(each.subresource);
        }
    }
    text += in_namespace.empty() ? " (in the whole cluster)"
                                 : " (namespace " + std::string(in_namespace) + ")";
    return text;
}

}  // namespace sparkhost::detail::kubernetes
