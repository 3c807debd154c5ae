// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/master_answer.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sparkhost::detail::standalone {

namespace {

using Verdict = SubmissionAnswer::Verdict;

constexpr std::size_t longest_words = 2000;

constexpr std::array driver_words{
    std::pair{"SUBMITTED", DriverState::submitted}, std::pair{"RUNNING", DriverState::running},
    std::pair{"FINISHED", DriverState::finished},   std::pair{"KILLED", DriverState::killed},
    std::pair{"FAILED", DriverState::failed},       std::pair{"ERROR", DriverState::error}};

DriverState driver_state(std::string_view word) {
    const auto* found = std::find_if(driver_words.begin(), driver_words.end(),
                                     [word](const auto& each) { return each.first == word; });
    return found == driver_words.end() ? DriverState::unclear : found->second;
}

std::string text_at(const boost::json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string())
                                                  : std::string();
}

int number_at(const boost::json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr && found->is_int64() ? static_cast<int>(found->get_int64()) : 0;
}

/// A Java exception as its first lines: nobody reads the frames.
std::string without_frames(std::string_view text) {
    std::string words;
    while (!text.empty() && words.size() < longest_words) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto begin = line.find_first_not_of(" \t\r");
        line = begin == std::string_view::npos ? std::string_view() : line.substr(begin);
        while (line.ends_with('\r') || line.ends_with(' ')) {
            line.remove_suffix(1);
        }
        if (!line.empty() && !line.starts_with("at ") && !line.starts_with("... ")) {
            words += (words.empty() ? "" : " ") + std::string(line);
        }
    }
    return words.substr(0, longest_words);
}

Verdict verdict_of_success(const SubmissionAnswer& answer, std::string_view action) {
    if (answer.words.find("Current state is not alive") != std::string::npos) {
        return Verdict::not_alive;
    }
    if (action == "SubmissionStatusResponse" || action == "KillSubmissionResponse") {
        return answer.words.find("Exception") != std::string::npos ? Verdict::not_now
                                                                   : Verdict::unknown_id;
    }
    return Verdict::not_now;
}

Verdict verdict_of_failure(int status) {
    return status == 400 || status == 468 ? Verdict::refused : Verdict::not_now;
}

const boost::json::object* object_in(const boost::json::value& value) {
    return value.if_object();
}

template <class Each>
void for_each_in(const boost::json::object& object, std::string_view key, Each each) {
    const auto* list = object.if_contains(key);
    if (list == nullptr || !list->is_array()) {
        return;
    }
    for (const auto& entry : list->get_array()) {
        if (const auto* inner = object_in(entry)) {
            each(*inner);
        }
    }
}

void read_workers(const boost::json::object& page, ClusterView& view) {
    for_each_in(page, "workers", [&view](const boost::json::object& worker) {
        if (text_at(worker, "state") != "ALIVE") {
            return;
        }
        view.workers[text_at(worker, "id")] = text_at(worker, "webuiaddress");
        view.free_cores = std::max(view.free_cores, number_at(worker, "coresfree"));
        view.free_memory = std::max(view.free_memory, number_at(worker, "memoryfree"));
    });
}

}  // namespace

bool is_over(DriverState state) {
    return state == DriverState::finished || state == DriverState::killed ||
           state == DriverState::failed || state == DriverState::error;
}

SubmissionAnswer read_submission_answer(int status, std::string_view body) {
    SubmissionAnswer answer;
    boost::system::error_code failed;
    const auto value = boost::json::parse(body, failed);
    const auto* object = failed ? nullptr : value.if_object();
    if (object == nullptr) {
        answer.verdict = verdict_of_failure(status);
        answer.words = "the master answers with HTTP status " + std::to_string(status);
        return answer;
    }
    const std::string action = text_at(*object, "action");
    const auto* success = object->if_contains("success");
    answer.words = without_frames(text_at(*object, "message"));
    answer.version = text_at(*object, "serverSparkVersion");
    answer.sight.worker = text_at(*object, "workerId");
    answer.sight.message = answer.words;
    if (status != 200 || success == nullptr || !success->is_bool()) {
        answer.verdict = verdict_of_failure(status);
        answer.words = "the master answers with HTTP status " + std::to_string(status) +
                       (answer.words.empty() ? "" : ": " + answer.words);
        return answer;
    }
    answer.verdict = success->get_bool() ? Verdict::done : verdict_of_success(answer, action);
    if (answer.verdict != Verdict::done) {
        return answer;
    }
    answer.driver = text_at(*object, "submissionId");
    if (action == "SubmissionStatusResponse") {
        answer.sight.state = driver_state(text_at(*object, "driverState"));
    }
    if (action == "CreateSubmissionResponse" && !is_driver_id(answer.driver)) {
        answer.verdict = Verdict::not_now;
        answer.words = "the master has told no driver's id";
    }
    return answer;
}

std::optional<ClusterView> read_cluster_view(std::string_view body) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(body, failed);
    const auto* page = failed ? nullptr : value.if_object();
    if (page == nullptr || !page->contains("status") || !page->contains("workers")) {
        return std::nullopt;
    }
    ClusterView view;
    view.status = text_at(*page, "status");
    view.alive = view.status == "ALIVE";
    read_workers(*page, view);
    for (std::string_view list : {"completeddrivers", "activedrivers"}) {
        for_each_in(*page, list, [&view](const boost::json::object& driver) {
            DriverSight sight;
            sight.state = driver_state(text_at(driver, "state"));
            sight.worker = text_at(driver, "worker");
            view.drivers[text_at(driver, "id")] = std::move(sight);
        });
    }
    return view;
}

bool is_driver_id(std::string_view id) {
    return id.starts_with("driver-") && id.size() <= 64 &&
           std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-';
           });
}

}  // namespace sparkhost::detail::standalone
