// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/rm_answer.hpp"

#include "backends/yarn/answer_fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

namespace json = boost::json;

constexpr std::array state_words{std::pair{"NEW", AppState::new_},
                                 std::pair{"NEW_SAVING", AppState::new_saving},
                                 std::pair{"SUBMITTED", AppState::submitted},
                                 std::pair{"ACCEPTED", AppState::accepted},
                                 std::pair{"RUNNING", AppState::running},
                                 std::pair{"FINISHED", AppState::finished},
                                 std::pair{"FAILED", AppState::failed},
                                 std::pair{"KILLED", AppState::killed}};

Error no_answer(std::string_view what) {
    return Error(Errc::backend_failed, "the answer is not " + std::string(what) +
                                           " (is this URL a ResourceManager's web address?)");
}

FinalStatus final_status(std::string_view word) {
    if (word == "SUCCEEDED") {
        return FinalStatus::succeeded;
    }
    if (word == "FAILED") {
        return FinalStatus::failed;
    }
    return word == "KILLED" ? FinalStatus::killed : FinalStatus::undefined;
}

std::vector<std::string> split_tags(std::string_view text) {
    std::vector<std::string> tags;
    while (!text.empty()) {
        const auto end = std::min(text.find(','), text.size());
        if (end > 0) {
            tags.emplace_back(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return tags;
}

/// Of "http://node:8042/node/containerlogs/container_…/user".
std::string container_of(std::string_view logs_url) {
    constexpr std::string_view folder = "/containerlogs/";
    const auto at = logs_url.find(folder);
    if (at == std::string_view::npos) {
        return {};
    }
    logs_url.remove_prefix(at + folder.size());
    const auto container = logs_url.substr(0, logs_url.find('/'));
    return container.starts_with("container_") ? std::string(container) : std::string();
}

Result<AppSight> sight_of(const json::object& app) {
    AppSight sight;
    sight.id = answer::text_at(app, "id");
    const std::string state = answer::text_at(app, "state");
    const auto* word = std::find_if(state_words.begin(), state_words.end(),
                                    [&state](const auto& each) { return each.first == state; });
    if (!is_application_id(sight.id) || word == state_words.end()) {
        return no_answer("an application with id and state");
    }
    sight.state = word->second;
    sight.final_status = final_status(answer::text_at(app, "finalStatus"));
    sight.diagnostics = answer::text_at(app, "diagnostics");
    sight.user = answer::text_at(app, "user");
    sight.tags = split_tags(answer::text_at(app, "applicationTags"));
    sight.started_ms = answer::number_at(app, "startedTime");
    sight.launched_ms = answer::number_at(app, "launchTime");
    sight.finished_ms = answer::number_at(app, "finishedTime");
    // where there is nothing yet, some versions say "N/A" or "UNASSIGNED"
    if (auto url = answer::text_at(app, "trackingUrl"); url.starts_with("http")) {
        sight.tracking_url = std::move(url);
    }
    if (auto host = answer::text_at(app, "amHostHttpAddress");
        host.find(':') != std::string::npos) {
        sight.am_host = std::move(host);
    }
    sight.am_container = container_of(answer::text_at(app, "amContainerLogs"));
    return sight;
}

bool is_digits(std::string_view text) {
    return !text.empty() && text.size() <= 19 &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Result<ManagerInfo> read_info(std::string_view body) {
    const auto value = answer::parse_object(body);
    const auto* about =
        value.is_null() ? nullptr : answer::object_at(value.get_object(), "clusterInfo");
    if (about == nullptr || answer::text_at(*about, "state").empty()) {
        return no_answer("about a cluster");
    }
    ManagerInfo info;
    info.ha_state = answer::text_at(*about, "haState");
    info.started_on = answer::number_at(*about, "startedOn");
    info.version = answer::text_at(*about, "hadoopVersion");
    info.active = answer::text_at(*about, "state") == "STARTED" && info.ha_state == "ACTIVE";
    return info;
}

Result<std::string> read_new_application(std::string_view body) {
    const auto value = answer::parse_object(body);
    std::string id =
        value.is_null() ? std::string() : answer::text_at(value.get_object(), "application-id");
    if (!is_application_id(id)) {
        return no_answer("a new application's id");
    }
    return id;
}

Result<AppSight> read_application(std::string_view body) {
    const auto value = answer::parse_object(body);
    const auto* app = value.is_null() ? nullptr : answer::object_at(value.get_object(), "app");
    if (app == nullptr) {
        return no_answer("an application");
    }
    return sight_of(*app);
}

Result<std::vector<AppSight>> read_applications(std::string_view body) {
    const auto value = answer::parse_object(body);
    const auto* apps = value.is_null() ? nullptr : value.get_object().if_contains("apps");
    if (apps == nullptr || !(apps->is_null() || apps->is_object())) {
        return no_answer("a list of applications");
    }
    std::vector<AppSight> sights;
    const auto* list = apps->is_null() ? nullptr : apps->get_object().if_contains("app");
    if (list == nullptr || list->is_null()) {
        return sights;
    }
    if (!list->is_array()) {
        return no_answer("a list of applications");
    }
    for (const auto& each : list->get_array()) {
        auto sight = each.is_object() ? sight_of(each.get_object())
                                      : Result<AppSight>(no_answer("a list of applications"));
        if (!sight) {
            return sight.error();
        }
        sights.push_back(std::move(*sight));
    }
    return sights;
}

bool is_not_found(int status, std::string_view body) {
    return status == 404 && answer::read_failure(body).exception == "NotFoundException";
}

std::string failure_of(int status, std::string_view body) {
    return answer::failure_words(status, answer::read_failure(body));
}

bool is_application_id(std::string_view text) {
    constexpr std::string_view begin = "application_";
    if (!text.starts_with(begin)) {
        return false;
    }
    text.remove_prefix(begin.size());
    const auto bar = text.find('_');
    return bar != std::string_view::npos && is_digits(text.substr(0, bar)) &&
           is_digits(text.substr(bar + 1));
}

}  // namespace sparkhost::detail::yarn
