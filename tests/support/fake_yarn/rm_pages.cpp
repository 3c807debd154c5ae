// SPDX-License-Identifier: Apache-2.0
#include "support/fake_yarn/rm_pages.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <sstream>
#include <vector>

namespace sparkhost::test::yarn {

namespace json = boost::json;

namespace pages_detail {

const std::set<std::string> states{"NEW",     "NEW_SAVING", "SUBMITTED", "ACCEPTED",
                                   "RUNNING", "FINISHED",   "FAILED",    "KILLED"};
const std::set<std::string> de_selectable{"resourceRequests", "timeouts", "appNodeLabelExpression",
                                          "amNodeLabelExpression", "resourceInfo"};

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, ',');) {
        if (!part.empty()) {
            parts.push_back(part);
        }
    }
    return parts;
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
    return std::ranges::find(all, one) != all.end();
}

std::string joined(const std::vector<std::string>& tags) {
    std::string text;
    for (const auto& each : tags) {
        text += (text.empty() ? "" : ",") + each;
    }
    return text;
}

/// None before its ApplicationMaster has registered, or it is over.
void add_tracking(json::object& shown, const Application& application, const std::string& rm_url) {
    const bool by_itself = application.state == "RUNNING" || application.state == "FINISHED";
    if (!by_itself && !application.is_over()) {
        shown["trackingUI"] = "UNASSIGNED";
        return;
    }
    shown["trackingUI"] = application.is_over() ? "History" : "ApplicationMaster";
    shown["trackingUrl"] = by_itself ? rm_url + "/proxy/" + application.id + "/"
                                     : rm_url + "/cluster/app/" + application.id;
}

json::object resource(int memory, int cores) {
    return {{"memory", memory}, {"vCores", cores}};
}

}  // namespace pages_detail

using namespace pages_detail;

std::int64_t milliseconds_now() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

json::object cluster_info(std::int64_t started_on, const std::string& ha_state) {
    const json::object info{
        {"id", started_on},
        {"startedOn", started_on},
        {"state", "STARTED"},
        {"haState", ha_state},
        {"rmStateStoreName",
         "org.apache.hadoop.yarn.server.resourcemanager.recovery.FileSystemRMStateStore"},
        {"resourceManagerVersion", "3.3.6"},
        {"resourceManagerVersionBuiltOn", "2023-06-18T08:31Z"},
        {"hadoopVersion", "3.3.6"},
        {"haZooKeeperConnectionState",
         "Could not find leader elector. Verify both HA and automatic failover are enabled."}};
    return {{"clusterInfo", info}};
}

json::object application_info(const Application& application, const Addresses& addresses,
                              const std::string& de_selects) {
    const bool runs = application.state == "RUNNING";
    json::object shown{{"id", application.id},
                       {"user", application.user},
                       {"name", application.name},
                       {"queue", application.queue},
                       {"state", application.state},
                       {"finalStatus", application.final_status},
                       {"progress", application.is_over() ? 100
                                    : runs                ? 10
                                                          : 0},
                       {"diagnostics", application.diagnostics},
                       {"clusterId", std::stoll(numbers_of(application.id))},
                       {"applicationType", application.type},
                       {"applicationTags", joined(application.tags)},
                       {"priority", -1},
                       {"startedTime", application.started_ms},
                       {"launchTime", application.launched_ms},
                       {"finishedTime", application.finished_ms},
                       {"elapsedTime", 1},
                       {"allocatedMB", application.is_over() ? -1 : 896},
                       {"allocatedVCores", application.is_over() ? -1 : 1},
                       {"runningContainers", application.is_over() ? -1 : 1},
                       {"logAggregationStatus", "DISABLED"},
                       {"unmanagedApplication", false}};
    add_tracking(shown, application, addresses.rm_url);
    if (!application.container.empty()) {
        shown["amContainerLogs"] = "http://" + addresses.node_address + "/node/containerlogs/" +
                                   application.container + "/" + application.user;
        shown["amHostHttpAddress"] = addresses.node_address;
        shown["masterNodeId"] = "localhost:18041";
    }
    const auto left_out = split(de_selects);
    if (!application.is_over() && !contains(left_out, "resourceRequests")) {
        shown["resourceRequests"] =
            json::array{json::object{{"resourceName", "*"}, {"capability", resource(896, 1)}}};
    }
    if (!application.is_over() && !contains(left_out, "resourceInfo")) {
        const json::object usage{{"partitionName", ""}, {"used", resource(896, 1)}};
        shown["resourceInfo"] = json::object{{"resourceUsagesByPartition", json::array{usage}}};
    }
    return shown;
}

std::string filter_fault(const HttpRequest& filters) {
    for (const auto& each : split(filters.parameter("states"))) {
        if (!states.contains(each)) {
            return "Invalid application-state " + each + " specified. It should be one of [...]";
        }
    }
    for (const auto& each : split(filters.parameter("deSelects"))) {
        if (!de_selectable.contains(each)) {
            return "java.lang.Exception: Invalid deSelects string " + each + " specified.";
        }
    }
    return {};
}

bool passes(const Application& application, const HttpRequest& filters) {
    const auto wanted = split(filters.parameter("states"));
    if (!wanted.empty() && !contains(wanted, application.state)) {
        return false;
    }
    const auto user = filters.parameter("user");
    if (!user.empty() && user != application.user) {
        return false;
    }
    // any of them will do
    const auto tags = split(filters.parameter("applicationTags"));
    return tags.empty() || std::ranges::any_of(application.tags, [&](const std::string& tag) {
               return contains(tags, tag);
           });
}

}  // namespace sparkhost::test::yarn
