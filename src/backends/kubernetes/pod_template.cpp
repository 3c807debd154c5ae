// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/driver_pod.hpp"
#include "backends/kubernetes/yaml_json.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

Error template_error(const std::string& rule) {
    return Error(Errc::invalid_argument, "the pod template: " + rule);
}

/// Numbers and truth values where Kubernetes wants texts, as YAML writers leave them unquoted.
void to_text(boost::json::value& value) {
    if (value.is_number() || value.is_bool()) {
        value = boost::json::string(boost::json::serialize(value));
    }
}

void to_texts(boost::json::object& parent, std::string_view key) {
    if (auto* found = parent.if_contains(key); found != nullptr && found->is_object()) {
        for (auto& member : found->get_object()) {
            to_text(member.value());
        }
    }
}

void tidy_container(boost::json::object& container) {
    for (auto& variable : list_in(container, "env")) {
        if (auto* members = variable.if_object()) {
            if (auto* value = members->if_contains("value")) {
                to_text(*value);
            }
        }
    }
    auto& resources = member_in(container, "resources");
    to_texts(resources, "requests");
    to_texts(resources, "limits");
}

/// Each of these must be what it is expected to be when it is there at all.
Result<void> check_shape(const boost::json::object& parent, const std::string& place,
                         std::initializer_list<const char*> objects,
                         std::initializer_list<const char*> lists) {
    for (const char* key : objects) {
        const auto* found = parent.if_contains(key);
        if (found != nullptr && !found->is_object()) {
            return template_error(place + key + " must be a mapping");
        }
    }
    for (const char* key : lists) {
        const auto* found = parent.if_contains(key);
        if (found == nullptr) {
            continue;
        }
        if (!found->is_array()) {
            return template_error(place + key + " must be a list");
        }
        for (const auto& each : found->get_array()) {
            const bool plain =
                std::string_view(key) == "args" || std::string_view(key) == "finalizers";
            if (plain ? !each.is_string() : !each.is_object()) {
                return template_error(
                    place + key +
                    (plain ? " must be a list of texts" : " must be a list of mappings"));
            }
        }
    }
    return ok();
}

/// An empty value ("labels:") says nothing.
void drop_nulls(boost::json::object& object) {
    for (auto member = object.begin(); member != object.end();) {
        member = member->value().is_null() ? object.erase(member) : std::next(member);
    }
}

Result<void> check_spec(boost::json::object& spec) {
    drop_nulls(spec);
    if (auto checked = check_shape(
            spec, "spec.", {"nodeSelector"},
            {"containers", "initContainers", "volumes", "imagePullSecrets", "tolerations"});
        !checked) {
        return checked;
    }
    to_texts(spec, "nodeSelector");
    for (auto& each : list_in(spec, "containers")) {
        auto& container = each.get_object();
        drop_nulls(container);
        if (auto checked = check_shape(container, "spec.containers[].", {"resources"},
                                       {"env", "ports", "volumeMounts", "args"});
            !checked) {
            return checked;
        }
        if (auto checked = check_shape(member_in(container, "resources"),
                                       "spec.containers[].resources.", {"requests", "limits"}, {});
            !checked) {
            return checked;
        }
        tidy_container(container);
    }
    return ok();
}

}  // namespace

Result<boost::json::object> parse_pod_template(std::string_view text) {
    auto value = parse_yaml(text);
    if (!value) {
        return template_error(value.error().detail);
    }
    if (!value->is_object()) {
        return template_error("it must be a mapping with metadata and spec");
    }
    boost::json::object& pod = value->get_object();
    drop_nulls(pod);
    if (const std::string kind = text_in(pod, "kind"); !kind.empty() && kind != "Pod") {
        return template_error("it is a " + kind + ", and must be a Pod");
    }
    if (auto checked = check_shape(pod, "", {"metadata", "spec"}, {}); !checked) {
        return checked.error();
    }
    auto& metadata = member_in(pod, "metadata");
    drop_nulls(metadata);
    if (auto checked =
            check_shape(metadata, "metadata.", {"labels", "annotations"}, {"finalizers"});
        !checked) {
        return checked.error();
    }
    to_texts(metadata, "labels");
    to_texts(metadata, "annotations");
    if (auto checked = check_spec(member_in(pod, "spec")); !checked) {
        return checked.error();
    }
    return std::move(pod);
}

PodDraft draft_of_template(const boost::json::object& pod_template, const std::string& container) {
    boost::json::object pod = pod_template;
    PodDraft draft;
    draft.metadata = std::move(member_in(pod, "metadata"));
    draft.spec = std::move(member_in(pod, "spec"));
    auto& containers = list_in(draft.spec, "containers");
    auto chosen = containers.begin();
    for (auto each = containers.begin(); each != containers.end(); ++each) {
        if (!container.empty() && text_in(each->get_object(), "name") == container) {
            chosen = each;
        }
    }
    if (chosen != containers.end()) {
        draft.container = std::move(chosen->get_object());
        containers.erase(chosen);
    }
    return draft;
}

boost::json::array& list_in(boost::json::object& object, std::string_view key) {
    auto& value = object[key];
    if (!value.is_array()) {
        value = boost::json::array();
    }
    return value.get_array();
}

boost::json::object& member_in(boost::json::object& object, std::string_view key) {
    auto& value = object[key];
    if (!value.is_object()) {
        value = boost::json::object();
    }
    return value.get_object();
}

boost::json::object* entry_named(boost::json::array& list, std::string_view name) {
    for (auto& each : list) {
        if (auto* entry = each.if_object(); entry != nullptr && text_in(*entry, "name") == name) {
            return entry;
        }
    }
    return nullptr;
}

std::string text_in(const boost::json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string())
                                                  : std::string();
}

}  // namespace sparkhost::detail::kubernetes
