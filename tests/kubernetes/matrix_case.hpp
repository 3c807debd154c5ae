// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_KUBERNETES_MATRIX_CASE_HPP
#define SPARKHOST_TESTS_KUBERNETES_MATRIX_CASE_HPP

// The settings of spark_submit/matrix.json as we are given them.

#include "driver_case.hpp"

#include "backends/kubernetes/driver_pod.hpp"

#include <boost/json/parse.hpp>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace json = boost::json;

inline json::value read_json(const std::string& path) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return json::parse(text);
}

inline std::string joined_text(const json::value& lines) {
    std::string text;
    for (const auto& line : lines.as_array()) {
        text += std::string(line.as_string()) + "\n";
    }
    return text;
}

template <class Container>
void read_texts(const json::object& from, const char* key, Container& into) {
    if (const auto* list = from.if_contains(key)) {
        for (const auto& each : list->as_array()) {
            into.push_back(std::string(each.as_string()));
        }
    }
}

inline void read_spec(const json::object& from, BatchSpec& spec) {
    const auto text = [&from](const char* key) { return text_in(from, key); };
    spec.file = text("file");
    spec.class_name = text("class_name");
    spec.name = text("name");
    spec.driver_memory = text("driver_memory");
    spec.executor_memory = text("executor_memory");
    spec.proxy_user = text("proxy_user");
    const auto count = [&from](const char* key) -> std::optional<int> {
        const auto* found = from.if_contains(key);
        return found == nullptr ? std::nullopt : std::optional(static_cast<int>(found->as_int64()));
    };
    spec.driver_cores = count("driver_cores");
    spec.executor_cores = count("executor_cores");
    spec.num_executors = count("num_executors");
    read_texts(from, "args", spec.args);
    read_texts(from, "jars", spec.jars);
    read_texts(from, "py_files", spec.py_files);
    read_texts(from, "files", spec.files);
    read_texts(from, "archives", spec.archives);
    if (const auto* conf = from.if_contains("conf")) {
        for (const auto& [key, value] : conf->as_object()) {
            spec.conf[key] = std::string(value.as_string());
        }
    }
}

/// The case with every property allowed: what a request may set is tested elsewhere.
inline DriverInput input_of(const json::object& from, const std::string& version) {
    DriverInput input = plain_driver_input();
    input.options.spark_version = version;
    input.options.allowed_kubernetes_conf = {"spark.kubernetes.*"};
    read_spec(from.at("spec").as_object(), input.spec);
    for (auto each = input.spec.conf.begin(); each != input.spec.conf.end();) {
        // what only operators may say
        const bool operators = each->first.starts_with("spark.kubernetes.kerberos.");
        if (operators) {
            input.options.conf.insert(*each);
        }
        each = operators ? input.spec.conf.erase(each) : std::next(each);
    }
    if (const auto* found = from.if_contains("operator")) {
        const auto& settings = found->as_object();
        input.options.service_account = text_in(settings, "service_account");
        if (settings.contains("image_pull_policy")) {
            input.options.image_pull_policy = text_in(settings, "image_pull_policy");
        }
        input.options.pod_template_container = text_in(settings, "pod_template_container");
        read_texts(settings, "image_pull_secrets", input.options.image_pull_secrets);
        if (const auto* text = settings.if_contains("pod_template")) {
            auto pod_template = parse_pod_template(joined_text(*text));
            input.pod_template = std::move(pod_template.value());
        }
    }
    return input;
}

}  // namespace sparkhost::detail::kubernetes

#endif
