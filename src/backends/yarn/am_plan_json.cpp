// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/am_plan.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <utility>

namespace sparkhost::detail::yarn {

namespace {

boost::json::object encode_resource(const PlannedResource& resource) {
    return {{"link", resource.link},
            {"source", resource.source},
            {"copied", resource.copied},
            {"archive", resource.archive},
            {"for_executors", resource.for_executors}};
}

PlannedResource decode_resource(const boost::json::object& json) {
    PlannedResource resource;
    resource.link = boost::json::value_to<std::string>(json.at("link"));
    resource.source = boost::json::value_to<std::string>(json.at("source"));
    resource.copied = json.at("copied").as_bool();
    resource.archive = json.at("archive").as_bool();
    resource.for_executors = json.at("for_executors").as_bool();
    return resource;
}

/// Throws where there is something else.
template <typename T>
void read(const boost::json::object& json, const char* name, T& member) {
    member = boost::json::value_to<T>(json.at(name));
}

// by hand: Boost.JSON's own ways meet Boost.Range's where both have been included

void read(const boost::json::object& json, const char* name, std::vector<std::string>& member) {
    for (const auto& each : json.at(name).as_array()) {
        member.emplace_back(each.as_string());
    }
}

void read(const boost::json::object& json, const char* name,
          std::map<std::string, std::string>& member) {
    for (const auto& [key, each] : json.at(name).as_object()) {
        member[std::string(key)] = std::string(each.as_string());
    }
}

AmPlan decode(const boost::json::object& json) {
    AmPlan plan;
    read(json, "name", plan.name);
    read(json, "queue", plan.queue);
    read(json, "user", plan.user);
    read(json, "tags", plan.tags);
    if (json.contains("priority")) {
        plan.priority = boost::json::value_to<int>(json.at("priority"));
    }
    read(json, "node_label", plan.node_label);
    read(json, "memory_mib", plan.memory_mib);
    read(json, "cores", plan.cores);
    read(json, "staging", plan.staging);
    read(json, "command", plan.command);
    read(json, "environment", plan.environment);
    read(json, "properties", plan.properties);
    read(json, "arguments", plan.arguments);
    for (const auto& each : json.at("resources").as_array()) {
        plan.resources.push_back(decode_resource(each.as_object()));
    }
    return plan;
}

}  // namespace

boost::json::object encode_am_plan(const AmPlan& plan) {
    boost::json::array resources;
    for (const auto& each : plan.resources) {
        resources.emplace_back(encode_resource(each));
    }
    boost::json::object json{{"name", plan.name},
                             {"queue", plan.queue},
                             {"user", plan.user},
                             {"tags", boost::json::value_from(plan.tags)},
                             {"node_label", plan.node_label},
                             {"memory_mib", plan.memory_mib},
                             {"cores", plan.cores},
                             {"staging", plan.staging},
                             {"command", plan.command},
                             {"environment", boost::json::value_from(plan.environment)},
                             {"properties", boost::json::value_from(plan.properties)},
                             {"resources", std::move(resources)},
                             {"arguments", boost::json::value_from(plan.arguments)}};
    if (plan.priority) {
        json["priority"] = *plan.priority;
    }
    return json;
}

Result<AmPlan> decode_am_plan(const boost::json::object& json) {
    try {
        return decode(json);
    } catch (const std::exception& wrong) {
        return Error(Errc::backend_failed,
                     std::string("the ticket has no plan of a YARN application: ") + wrong.what());
    }
}

}  // namespace sparkhost::detail::yarn
