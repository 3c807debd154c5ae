// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/am_command.hpp"
#include "backends/yarn/am_plan.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

constexpr const char* application = "APPLICATION";

/// What was there before the application may be kept by NodeManagers for the user's next one.
const char* visibility_of(const AmPlan& plan, const PlacedResource& placed) {
    const auto planned =
        std::find_if(plan.resources.begin(), plan.resources.end(),
                     [&placed](const PlannedResource& each) { return each.link == placed.link; });
    const bool own = planned == plan.resources.end() || planned->copied;
    return own ? application : "PRIVATE";
}

const char* type_of(const PlacedResource& placed) {
    return placed.archive ? "ARCHIVE" : "FILE";
}

boost::json::object local_resource(const PlacedResource& placed, const char* visibility) {
    boost::json::object value{{"resource", placed.uri},
                              {"type", type_of(placed)},
                              {"visibility", visibility},
                              {"size", placed.size},
                              {"timestamp", placed.modified_ms}};
    return {{"key", placed.link}, {"value", std::move(value)}};
}

boost::json::array local_resources(const AmPlan& plan, const Placement& placement,
                                   const std::vector<PlacedResource>& own) {
    boost::json::array entries;
    for (const auto& each : placement.resources) {
        entries.emplace_back(local_resource(each, visibility_of(plan, each)));
    }
    for (const auto& each : own) {
        entries.emplace_back(local_resource(each, application));
    }
    return entries;
}

boost::json::array environment(const AmPlan& plan, const Placement& placement,
                               const GuardSettings& guard) {
    auto variables = plan.environment;
    variables["SPARK_YARN_STAGING_DIR"] = variable_value(placement.staging_uri);
    variables["SPARKHOST_GUARD_ADDRESS"] = variable_value(guard.address);
    variables["SPARKHOST_GUARD_TICKET"] = variable_value(guard.ticket);
    variables["SPARKHOST_GUARD_SECRET"] = variable_value(guard.secret);
    variables["SPARKHOST_GUARD_PATIENCE"] = std::to_string(guard.patience.count());
    boost::json::array entries;
    for (const auto& [name, value] : variables) {
        entries.emplace_back(boost::json::object{{"key", name}, {"value", value}});
    }
    return entries;
}

std::string command(const AmPlan& plan, const Placement& placement) {
    std::string text = plan.command;
    for (auto at = text.find(application_id_place); at != std::string::npos;
         at = text.find(application_id_place, at)) {
        text.replace(at, application_id_place.size(), placement.application_id);
    }
    return text;
}

/// One of the lists that an AM makes the executors' resources of; all are of one length.
class CacheList {
public:
    void add(const std::string& item) { text_ += (text_.empty() ? "" : ",") + item; }
    void write(Properties& properties, const char* key) const {
        if (!text_.empty()) {
            properties[key] = text_;
        }
    }

private:
    std::string text_{};
};

/// What executors need beside the conf archive, which the AM adds itself.
Properties cache_properties(const AmPlan& plan, const Placement& placement) {
    CacheList names, sizes, times, visibilities, types;
    for (const auto& each : placement.resources) {
        if (!each.for_executors) {
            continue;
        }
        names.add(each.uri + "#" + each.link);
        sizes.add(std::to_string(each.size));
        times.add(std::to_string(each.modified_ms));
        visibilities.add(visibility_of(plan, each));
        types.add(type_of(each));
    }
    Properties properties{{"spark.yarn.cache.confArchive",
                           placement.staging_uri + "/" + std::string(conf_archive_name)}};
    names.write(properties, "spark.yarn.cache.filenames");
    sizes.write(properties, "spark.yarn.cache.sizes");
    times.write(properties, "spark.yarn.cache.timestamps");
    visibilities.write(properties, "spark.yarn.cache.visibilities");
    types.write(properties, "spark.yarn.cache.types");
    return properties;
}

}  // namespace

std::map<std::string, std::string> conf_archive_files(
    const AmPlan& plan, const Placement& placement,
    const std::map<std::string, std::string>& hadoop_conf) {
    std::map<std::string, std::string> files{
        {"__spark_conf__.properties", write_properties(plan.properties)},
        {"__spark_dist_cache__.properties", write_properties(cache_properties(plan, placement))}};
    for (const auto& [name, content] : hadoop_conf) {
        files["__hadoop_conf__/" + name] = content;
    }
    return files;
}

boost::json::object submission_context(const AmPlan& plan, const Placement& placement,
                                       const std::vector<PlacedResource>& own,
                                       const GuardSettings& guard) {
    boost::json::object container{
        {"commands", {{"command", command(plan, placement)}}},
        {"environment", {{"entry", environment(plan, placement, guard)}}},
        {"local-resources", {{"entry", local_resources(plan, placement, own)}}}};
    boost::json::array tags(plan.tags.begin(), plan.tags.end());
    boost::json::object context{{"application-id", placement.application_id},
                                {"application-name", plan.name},
                                {"application-type", "SPARK"},
                                {"queue", plan.queue},
                                {"max-app-attempts", 1},
                                {"application-tags", {{"tag", std::move(tags)}}},
                                {"resource", {{"memory", plan.memory_mib}, {"vCores", plan.cores}}},
                                {"am-container-spec", std::move(container)}};
    if (plan.priority) {
        context["priority"] = *plan.priority;
    }
    if (!plan.node_label.empty()) {
        context["am-container-node-label-expression"] = plan.node_label;
    }
    return context;
}

}  // namespace sparkhost::detail::yarn
