// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/api_reader.hpp"

#include "backends/kubernetes/api_text.hpp"
#include "backends/kubernetes/driver_names.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

namespace json = boost::json;

constexpr std::size_t deepest = 64;
constexpr std::size_t longest_name = 512;

/// A document and the memory it stands in: an event is read without the heap.
class Document {
public:
    explicit Document(std::string_view text) : memory_(first_.data(), first_.size()) {
        json::parse_options options;
        options.max_depth = deepest;
        boost::system::error_code failure;
        root_.emplace(
            json::parse(json::string_view(text.data(), text.size()), failure, &memory_, options));
        failed_ = failure || !root_->is_object();
    }
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;

    const json::object* root() const { return failed_ ? nullptr : &root_->get_object(); }

private:
    std::array<unsigned char, 32768> first_;
    json::monotonic_resource memory_;
    std::optional<json::value> root_{};
    bool failed_{false};
};

const json::value* member(const json::object* object, std::string_view key) {
    return object ? object->if_contains(json::string_view(key.data(), key.size())) : nullptr;
}

const json::object* object_at(const json::object* object, std::string_view key) {
    const auto* value = member(object, key);
    return value ? value->if_object() : nullptr;
}

const json::array* array_at(const json::object* object, std::string_view key) {
    const auto* value = member(object, key);
    return value ? value->if_array() : nullptr;
}

std::string_view text_at(const json::object* object, std::string_view key) {
    const auto* value = member(object, key);
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::string_view(text->data(), text->size()) : std::string_view();
}

/// Names and versions: what is too long is nobody's.
std::string name_at(const json::object* object, std::string_view key) {
    const auto text = text_at(object, key);
    return text.size() <= longest_name ? std::string(text) : std::string();
}

std::string words_at(const json::object* object, std::string_view key) {
    return bounded_text(text_at(object, key));
}

std::optional<std::int64_t> number_at(const json::object* object, std::string_view key) {
    const auto* value = member(object, key);
    const auto* number = value ? value->if_int64() : nullptr;
    return number ? std::optional(*number) : std::nullopt;
}

int small_number_at(const json::object* object, std::string_view key) {
    const auto number = number_at(object, key).value_or(0);
    return static_cast<int>(std::clamp<std::int64_t>(number, std::numeric_limits<int>::min(),
                                                     std::numeric_limits<int>::max()));
}

std::optional<Timestamp> time_at(const json::object* object, std::string_view key) {
    return read_time(text_at(object, key));
}

void read_metadata(const json::object* metadata, PodView& pod) {
    pod.name = name_at(metadata, "name");
    pod.name_space = name_at(metadata, "namespace");
    pod.uid = name_at(metadata, "uid");
    pod.resource_version = name_at(metadata, "resourceVersion");
    pod.created = time_at(metadata, "creationTimestamp");
    pod.deletion = time_at(metadata, "deletionTimestamp");
    pod.deletion_grace = number_at(metadata, "deletionGracePeriodSeconds");
    const auto* labels = object_at(metadata, "labels");
    pod.ticket = name_at(labels, ticket_label);
    pod.nonce = name_at(labels, nonce_label);
    pod.application_id = name_at(labels, "spark-app-selector");
    pod.given_up = words_at(object_at(metadata, "annotations"), given_up_annotation);
    if (const auto* finalizers = array_at(metadata, "finalizers")) {
        const json::string_view ours(end_recorded_finalizer.data(), end_recorded_finalizer.size());
        pod.protected_by_us = std::any_of(
            finalizers->begin(), finalizers->end(),
            [&](const auto& each) { return each.is_string() && each.get_string() == ours; });
    }
}

ContainerView read_container(const json::object* container) {
    using State = ContainerView::State;
    ContainerView view;
    view.name = name_at(container, "name");
    view.image = name_at(container, "image");
    const auto* state = object_at(container, "state");
    const auto* details = object_at(state, "terminated");
    if (details) {
        view.state = State::terminated;
        view.exit_code = small_number_at(details, "exitCode");
        view.signal = small_number_at(details, "signal");
        view.finished = time_at(details, "finishedAt");
    } else if ((details = object_at(state, "running"))) {
        view.state = State::running;
    } else if ((details = object_at(state, "waiting"))) {
        view.state = State::waiting;
    }
    view.started = time_at(details, "startedAt");
    view.reason = name_at(details, "reason");
    view.message = words_at(details, "message");
    return view;
}

/// Whether a container that is not the driver's keeps the pod from getting ready.
bool is_obstacle(const ContainerView& container, bool initial) {
    if (container.state == ContainerView::State::waiting) {
        return !container.reason.empty() && container.reason != "PodInitializing" &&
               container.reason != "ContainerCreating";
    }
    return initial && container.state == ContainerView::State::terminated &&
           container.exit_code != 0;
}

void read_containers(const json::object* status, PodView& pod) {
    if (const auto* initial = array_at(status, "initContainerStatuses")) {
        for (const auto& each : *initial) {
            auto container = read_container(each.if_object());
            if (pod.obstacle.name.empty() && is_obstacle(container, true)) {
                pod.obstacle = std::move(container);
            }
        }
    }
    const auto* containers = array_at(status, "containerStatuses");
    if (!containers) {
        return;
    }
    for (const auto& each : *containers) {
        auto container = read_container(each.if_object());
        // a template may give the driver's container a name of its own
        if (container.name == driver_container || containers->size() == 1) {
            pod.driver = std::move(container);
        } else if (pod.obstacle.name.empty() && is_obstacle(container, false)) {
            pod.obstacle = std::move(container);
        }
    }
}

void read_conditions(const json::object* status, PodView& pod) {
    const auto* conditions = array_at(status, "conditions");
    if (!conditions) {
        return;
    }
    for (const auto& each : *conditions) {
        const auto* condition = each.if_object();
        const auto type = text_at(condition, "type");
        if (type != "PodScheduled" && type != "DisruptionTarget") {
            continue;
        }
        auto& view = type == "PodScheduled" ? pod.scheduled : pod.disrupted;
        const auto value = text_at(condition, "status");
        view.value = value == "True"    ? ConditionView::Value::yes
                     : value == "False" ? ConditionView::Value::no
                                        : ConditionView::Value::unknown;
        view.reason = name_at(condition, "reason");
        view.message = words_at(condition, "message");
        view.since = time_at(condition, "lastTransitionTime");
    }
}

PodPhase read_phase(std::string_view word) {
    constexpr std::pair<std::string_view, PodPhase> words[] = {{"Pending", PodPhase::pending},
                                                               {"Running", PodPhase::running},
                                                               {"Succeeded", PodPhase::succeeded},
                                                               {"Failed", PodPhase::failed}};
    for (const auto& [name, phase] : words) {
        if (word == name) {
            return phase;
        }
    }
    return PodPhase::unknown;
}

PodView read_pod(const json::object* object) {
    PodView pod;
    read_metadata(object_at(object, "metadata"), pod);
    pod.node = name_at(object_at(object, "spec"), "nodeName");
    const auto* status = object_at(object, "status");
    pod.phase = read_phase(text_at(status, "phase"));
    pod.reason = name_at(status, "reason");
    pod.message = words_at(status, "message");
    read_conditions(status, pod);
    read_containers(status, pod);
    return pod;
}

ApiStatus read_status_object(const json::object* object) {
    ApiStatus status;
    status.code = small_number_at(object, "code");
    status.reason = name_at(object, "reason");
    status.message = words_at(object, "message");
    const auto after = number_at(object_at(object, "details"), "retryAfterSeconds").value_or(0);
    status.retry_after = std::chrono::seconds(std::clamp<std::int64_t>(after, 0, 3600));
    return status;
}

std::optional<WatchEvent::Type> read_type(std::string_view word) {
    constexpr std::pair<std::string_view, WatchEvent::Type> words[] = {
        {"ADDED", WatchEvent::Type::added},
        {"MODIFIED", WatchEvent::Type::modified},
        {"DELETED", WatchEvent::Type::deleted},
        {"BOOKMARK", WatchEvent::Type::bookmark},
        {"ERROR", WatchEvent::Type::error}};
    for (const auto& [name, type] : words) {
        if (word == name) {
            return type;
        }
    }
    return std::nullopt;
}

PodEvent read_pod_event(const json::object* object) {
    PodEvent event;
    event.reason = name_at(object, "reason");
    event.message = words_at(object, "message");
    const auto* series = object_at(object, "series");
    const auto created = time_at(object_at(object, "metadata"), "creationTimestamp");
    for (const auto& known : {time_at(object, "firstTimestamp"), time_at(object, "eventTime"),
                              created, std::optional(Timestamp())}) {
        if (known) {
            event.first = *known;
            break;
        }
    }
    for (const auto& known : {time_at(series, "lastObservedTime"), time_at(object, "lastTimestamp"),
                              std::optional(event.first)}) {
        if (known) {
            event.last = *known;
            break;
        }
    }
    return event;
}

/// The first bytes, for messages; they need not be text.
std::string excerpt(std::string_view bytes) {
    std::string shown;
    for (const unsigned char each : bytes.substr(0, 80)) {
        shown += each >= 0x20 && each < 0x7f ? static_cast<char>(each) : '?';
    }
    return shown;
}

Error no_json(const char* what, std::string_view bytes) {
    return Error(Errc::backend_failed,
                 std::string("the API server sent no ") + what + ": \"" + excerpt(bytes) + "\"");
}

}  // namespace

Result<WatchEvent> read_watch_event(std::string_view line) {
    const Document document(line);
    const auto type = read_type(text_at(document.root(), "type"));
    const auto* object = object_at(document.root(), "object");
    if (!type || !object) {
        return no_json("watch event", line);
    }
    WatchEvent event;
    event.type = *type;
    if (*type == WatchEvent::Type::error) {
        event.status = read_status_object(object);
    } else if (*type == WatchEvent::Type::bookmark) {
        event.pod.resource_version = name_at(object_at(object, "metadata"), "resourceVersion");
    } else {
        event.pod = read_pod(object);
    }
    return event;
}

Result<PodPage> read_pod_page(std::string_view body) {
    const Document document(body);
    const auto* metadata = object_at(document.root(), "metadata");
    if (!metadata || !text_at(document.root(), "kind").ends_with("List")) {
        return no_json("list of pods", body);
    }
    PodPage page;
    page.resource_version = name_at(metadata, "resourceVersion");
    page.continue_token = text_at(metadata, "continue");
    if (page.resource_version.empty()) {
        return no_json("list with a version", body);
    }
    if (const auto* items = array_at(document.root(), "items")) {
        page.pods.reserve(items->size());
        for (const auto& each : *items) {
            auto pod = read_pod(each.if_object());
            if (!pod.name.empty() && !pod.uid.empty()) {
                page.pods.push_back(std::move(pod));
            }
        }
    }
    return page;
}

Result<std::vector<PodEvent>> read_event_page(std::string_view body) {
    const Document document(body);
    if (!text_at(document.root(), "kind").ends_with("List")) {
        return no_json("list of events", body);
    }
    std::vector<PodEvent> events;
    if (const auto* items = array_at(document.root(), "items")) {
        for (const auto& each : *items) {
            events.push_back(read_pod_event(each.if_object()));
        }
    }
    std::stable_sort(events.begin(), events.end(),
                     [](const auto& a, const auto& b) { return a.last < b.last; });
    return events;
}

ApiStatus read_status(int http_status, std::string_view body, std::string_view retry_after) {
    const Document document(body);
    ApiStatus status;
    if (document.root() && text_at(document.root(), "kind") == "Status") {
        status = read_status_object(document.root());
    } else {
        status.message = excerpt(body);
    }
    status.code = http_status;  // what was really answered
    int seconds = 0;
    const auto [end, failure] =
        std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
    if (failure == std::errc() && seconds > 0) {
        status.retry_after = std::chrono::seconds(std::min(seconds, 3600));
    }
    return status;
}

}  // namespace sparkhost::detail::kubernetes
