// SPDX-License-Identifier: Apache-2.0
#include "support/fake_yarn/resource_manager.hpp"

#include "support/fake_yarn/remote_exception.hpp"
#include "support/fake_yarn/rm_pages.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <exception>

namespace sparkhost::test::yarn {

namespace json = boost::json;

namespace rm_detail {

const std::string cluster_api = "/ws/v1/cluster";

HttpAnswer bad_request(const std::string& words) {
    return remote_exception(400, "org.apache.hadoop.yarn.webapp.BadRequestException",
                            "java.lang.Exception: " + words);
}

HttpAnswer not_found(const std::string& id) {
    return remote_exception(404, "org.apache.hadoop.yarn.webapp.NotFoundException",
                            "java.lang.Exception: app with id: " + id + " not found");
}

/// application_<digits>_<digits>
bool is_id(const std::string& text) {
    const std::string word = "application_";
    const auto middle = text.rfind('_');
    if (!text.starts_with(word) || middle < word.size() + 1 || middle + 1 == text.size()) {
        return false;
    }
    auto is_digit = [](unsigned char each) { return std::isdigit(each) != 0; };
    return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(word.size()),
                       text.begin() + static_cast<std::ptrdiff_t>(middle), is_digit) &&
           std::all_of(text.begin() + static_cast<std::ptrdiff_t>(middle) + 1, text.end(),
                       is_digit);
}

std::string text_of(const json::object& object, const std::string& name, std::string otherwise) {
    const auto* found = object.if_contains(name);
    return found && found->is_string() ? json::value_to<std::string>(*found) : otherwise;
}

std::int64_t number_of(const json::object& object, const std::string& name) {
    const auto* found = object.if_contains(name);
    return found && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

/// {"tag":["a","B"]} or {"tag":"a"}, in lower case.
std::vector<std::string> tags_of(const json::object& context) {
    std::vector<std::string> tags;
    const auto* holder = context.if_contains("application-tags");
    if (holder && holder->is_object() && holder->as_object().contains("tag")) {
        const auto& tag = holder->at("tag");
        tags = tag.is_array() ? json::value_to<std::vector<std::string>>(tag)
                              : std::vector<std::string>{json::value_to<std::string>(tag)};
    }
    for (auto& each : tags) {
        for (auto& letter : each) {
            letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
        }
    }
    return tags;
}

ApplicationPtr application_of(json::object context, const std::string& user) {
    auto made = std::make_shared<Application>();
    made->id = text_of(context, "application-id", "");
    made->user = user.empty() ? "dr.who" : user;
    made->name = text_of(context, "application-name", "N/A");
    made->queue = text_of(context, "queue", "default");
    made->type = text_of(context, "application-type", "YARN");
    made->tags = tags_of(context);
    if (const auto attempts = number_of(context, "max-app-attempts"); attempts > 0) {
        made->max_attempts = static_cast<int>(std::min<std::int64_t>(attempts, 2));
    }
    made->started_ms = milliseconds_now();
    made->context = std::move(context);
    return made;
}

}  // namespace rm_detail

using namespace rm_detail;

HttpAnswer ResourceManager::handle(const HttpRequest& request) {
    const auto path = request.path();
    const auto apps = cluster_api + "/apps";
    if (request.method == "GET" && (path == cluster_api + "/info" || path == cluster_api)) {
        return info();
    }
    if (ha_state_ == "STANDBY") {
        return redirect(request);
    }
    if (request.method == "POST" && path == apps + "/new-application") {
        return new_application();
    }
    if (request.method == "POST" && path == apps) {
        return submit(request);
    }
    if (request.method == "GET" && path == apps) {
        return list(request);
    }
    if (!path.starts_with(apps + "/")) {
        return {.status = 404, .type = "text/html", .body = "<html>Not Found</html>"};
    }
    auto id = path.substr(apps.size() + 1);
    const bool asks_state = id.ends_with("/state");
    id = id.substr(0, id.find('/'));
    if (!is_id(id)) {
        return bad_request("Invalid ApplicationId: " + id);
    }
    if (request.method == "PUT" && asks_state) {
        return kill(id, request);
    }
    return asks_state ? state_of(id) : show(id);
}

HttpAnswer ResourceManager::info() const {
    return json_answer(cluster_info(started_on_, ha_state_));
}

HttpAnswer ResourceManager::redirect(const HttpRequest& request) const {
    HttpAnswer answer{.status = 307, .type = "text/plain;charset=utf-8"};
    const auto active = active_url();
    if (active.empty()) {
        answer.body = "Can not find any active RM. Will retry in next 5 seconds.\n";
        answer.headers = {{"Refresh", "5;url=" + url + request.target}};
    } else {
        answer.body = "This is standby RM. The redirect url is: " + request.target + "\n";
        answer.headers = {{"Location", active + request.target}};
    }
    return answer;
}

HttpAnswer ResourceManager::new_application() {
    char number[24]{};
    std::snprintf(number, sizeof number, "%04zu", ++issued_);
    const auto id = "application_" + std::to_string(started_on_) + "_" + number;
    store_.issued.insert(id);
    const json::object most{{"memory", settings_.max_memory_mib}, {"vCores", settings_.max_cores}};
    return json_answer({{"application-id", id}, {"maximum-resource-capability", most}});
}

std::string ResourceManager::fault_of(const json::object& context) const {
    const auto* resource = context.if_contains("resource");
    if (resource && number_of(resource->as_object(), "memory") > settings_.max_memory_mib) {
        return "Requested more memory than configured max";
    }
    if (resource && number_of(resource->as_object(), "vCores") > settings_.max_cores) {
        return "Requested more cores than configured max";
    }
    const auto tags = tags_of(context);
    if (tags.size() > 10) {
        return "Too many applicationTags, a maximum of only 10 are allowed!";
    }
    const bool fits = std::ranges::all_of(tags, [](const auto& tag) { return tag.size() <= 100; });
    return fits ? "" : "Tag is too long, maximum allowed length of a tag is 100";
}

HttpAnswer ResourceManager::submit(const HttpRequest& request) {
    ApplicationPtr made;
    try {
        auto context = json::parse(request.body).as_object();
        if (const auto fault = fault_of(context); !fault.empty()) {
            return bad_request(fault);
        }
        (void)context.at("am-container-spec").at("commands").at("command").as_string();
        made = application_of(std::move(context), request.parameter("user.name"));
    } catch (const std::exception& failure) {
        return remote_exception(
            400, "javax.ws.rs.WebApplicationException",
            std::string("javax.xml.bind.UnmarshalException\n") + failure.what());
    }
    if (!is_id(made->id)) {
        return bad_request("Invalid ApplicationId: " + made->id);
    }
    HttpAnswer answer{.status = 202,
                      .body = {},
                      .headers = {{"Location", url + cluster_api + "/apps/" + made->id}}};
    if (!store_.issued.contains(made->id)) {
        store_.sins.push_back(made->id + " was submitted, which no ResourceManager has given out");
    }
    const auto stored = store_.applications.find(made->id);
    if (ha_state_ == "INITIALIZING" && stored != store_.applications.end()) {
        // its recovery ends with "already present! Cannot add a duplicate!"
        store_.sins.push_back(made->id + " was submitted again to an INITIALIZING one: that died");
        stored->second.context = made->context;
        answer.after = [this] {
            die();
            start();
        };
        return answer;
    }
    if (applications.contains(made->id)) {
        return answer;  // the first one stays
    }
    applications[made->id] = made;
    if (dies_after_submission) {
        dies_after_submission = false;
        answer.after = [this] { die(); };
    } else if (!settings_.holds_saving) {
        save(made);
    }
    return answer;
}

HttpAnswer ResourceManager::list(const HttpRequest& request) const {
    if (const auto fault = filter_fault(request); !fault.empty()) {
        return bad_request(fault);
    }
    json::array shown;
    const Addresses addresses{url, settings_.node_address};
    for (const auto& [id, each] : applications) {
        if (passes(*each, request)) {
            shown.push_back(application_info(*each, addresses, request.parameter("deSelects")));
        }
    }
    if (!shown.empty()) {
        return json_answer({{"apps", json::object{{"app", std::move(shown)}}}});
    }
    return settings_.empty_list_is_null ? json_answer({{"apps", nullptr}})
                                        : json_answer({{"apps", json::object()}});
}

HttpAnswer ResourceManager::show(const std::string& id) const {
    const auto found = applications.find(id);
    if (found == applications.end()) {
        return not_found(id);
    }
    const Addresses addresses{url, settings_.node_address};
    return json_answer({{"app", application_info(*found->second, addresses, "")}});
}

HttpAnswer ResourceManager::state_of(const std::string& id) const {
    const auto found = applications.find(id);
    return found == applications.end() ? not_found(id)
                                       : json_answer({{"state", found->second->state}});
}

HttpAnswer ResourceManager::kill(const std::string& id, const HttpRequest& request) {
    std::string wanted;
    try {
        wanted = text_of(json::parse(request.body).as_object(), "state", "");
    } catch (const std::exception& failure) {
        return bad_request(failure.what());
    }
    const auto found = applications.find(id);
    if (found == applications.end()) {
        return not_found(id);
    }
    const auto application = found->second;
    if (application->state == wanted || application->is_over()) {
        return json_answer({{"state", application->state}});
    }
    if (wanted != "KILLED") {
        return bad_request("Only 'KILLED' is allowed as a target state.");
    }
    application->is_being_killed = true;
    const auto user = request.parameter("user.name");
    if (!settings_.holds_kills) {
        later([this, application, user] { finish_kill(application, user); });
    }
    auto answer = json_answer({{"state", application->state}}, 202);
    answer.headers = {{"Location", url + request.path()}};
    return answer;
}

}  // namespace sparkhost::test::yarn
