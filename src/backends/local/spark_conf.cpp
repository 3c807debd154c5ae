// SPDX-License-Identifier: Apache-2.0
#include "backends/local/spark_conf.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <stdexcept>

namespace sparkhost::detail::local {

namespace {

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

/// Values may hold line breaks and tabs (the properties file escapes them), nothing else.
bool is_bad_conf_value(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        auto byte = static_cast<unsigned char>(c);
        bool harmless = c == '\t' || c == '\n' || c == '\r' || c == '\f';
        return (byte < 0x20 && !harmless) || byte == 0x7F;
    });
}

Error refuse(std::string rule, std::string field) {
    return Error(Errc::invalid_argument, std::move(rule), std::move(field));
}

std::optional<std::string> broken_key_rule(std::string_view key) {
    if (!key.starts_with("spark.") || key.size() == 6) {
        return "Spark properties begin with \"spark.\"; Spark ignores others";
    }
    bool bad = std::any_of(key.begin(), key.end(), [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte >= 0x7F || c == '=';
    });
    if (bad) {
        return "a property's name must not contain blanks, '=', control or non-ASCII characters";
    }
    return std::nullopt;
}

Result<void> check_request_conf(const ConfPolicy& policy, const BatchSpec& spec) {
    for (const auto& [key, value] : spec.conf) {
        std::string field = "conf." + key;
        if (auto rule = broken_key_rule(key)) {
            return refuse(*rule, has_control_character(key) ? "conf" : std::move(field));
        }
        if (matches_any(policy.refused, key)) {
            return refuse("this property must not be set by a request", std::move(field));
        }
        if (is_bad_conf_value(value)) {
            return refuse("must not contain control characters", std::move(field));
        }
    }
    return ok();
}

bool is_memory_size(std::string_view text) {
    auto digits = text.find_first_not_of("0123456789");
    if (digits == 0 || text.empty()) {
        return false;
    }
    return digits == std::string_view::npos ||
           (digits + 1 == text.size() &&
            std::string_view("kKmMgGtT").find(text[digits]) != std::string_view::npos);
}

Result<void> set_memory(Properties& properties, const char* key, const std::string& value,
                        const char* field) {
    if (value.empty()) {
        return ok();
    }
    if (!is_memory_size(value)) {
        return refuse("must be a number and k, m, g or t, as in \"512m\"", field);
    }
    properties[key] = value;
    return ok();
}

Result<void> set_count(Properties& properties, const char* key, std::optional<int> value,
                       const char* field) {
    if (!value) {
        return ok();
    }
    if (*value < 1) {
        return refuse("must be at least 1", field);
    }
    properties[key] = std::to_string(*value);
    return ok();
}

/// Joins the field's list to the property's own, as Livy does.
Result<void> merge_list(Properties& properties, const char* key,
                        const std::vector<std::string>& list, const char* field) {
    std::string joined = properties.contains(key) ? properties[key] : std::string();
    for (std::size_t i = 0; i < list.size(); ++i) {
        std::string where = std::string(field) + "[" + std::to_string(i) + "]";
        if (list[i].empty() || has_control_character(list[i])) {
            return refuse("must not be empty nor contain control characters", std::move(where));
        }
        if (list[i].find(',') != std::string::npos) {
            return refuse("must not contain a comma: Spark would take it for two",
                          std::move(where));
        }
        joined += joined.empty() ? list[i] : "," + list[i];
    }
    if (!list.empty()) {
        properties[key] = joined;
    }
    return ok();
}

Result<void> apply_lists(Properties& properties, const BatchSpec& spec) {
    struct ListField {
        const char* key;
        const std::vector<std::string>& list;
        const char* field;
    };
    const ListField fields[] = {{"spark.jars", spec.jars, "jars"},
                                {"spark.submit.pyFiles", spec.py_files, "py_files"},
                                {"spark.files", spec.files, "files"},
                                {"spark.archives", spec.archives, "archives"}};
    for (const auto& [key, list, field] : fields) {
        if (auto merged = merge_list(properties, key, list, field); !merged) {
            return merged;
        }
    }
    return ok();
}

Result<void> apply_fields(Properties& properties, const BatchSpec& spec) {
    Result<void> steps[] = {
        set_memory(properties, "spark.driver.memory", spec.driver_memory, "driver_memory"),
        set_memory(properties, "spark.executor.memory", spec.executor_memory, "executor_memory"),
        set_count(properties, "spark.driver.cores", spec.driver_cores, "driver_cores"),
        set_count(properties, "spark.executor.cores", spec.executor_cores, "executor_cores"),
        set_count(properties, "spark.executor.instances", spec.num_executors, "num_executors"),
        apply_lists(properties, spec)};
    for (const auto& step : steps) {
        if (!step) {
            return step;
        }
    }
    for (auto [key, value, field] : {std::tuple{"spark.yarn.queue", &spec.queue, "queue"},
                                     {"spark.app.name", &spec.name, "name"}}) {
        if (has_control_character(*value)) {
            return refuse("must not contain control characters", field);
        }
        if (!value->empty()) {
            properties[key] = *value;
        }
    }
    return ok();
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            decoded += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

std::size_t scheme_length(std::string_view text) {
    auto is_scheme_character = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '-' || c == '.';
    };
    if (text.empty() || !std::isalpha(static_cast<unsigned char>(text.front()))) {
        return 0;
    }
    std::size_t length = 0;
    while (length < text.size() && is_scheme_character(text[length])) {
        ++length;
    }
    return length < text.size() && text[length] == ':' ? length : 0;
}

}  // namespace

bool matches_any(const std::vector<std::string>& patterns, std::string_view key) {
    return std::any_of(patterns.begin(), patterns.end(), [key](std::string_view pattern) {
        if (pattern.ends_with('*')) {
            pattern.remove_suffix(1);
            return key.starts_with(pattern);
        }
        return key == pattern;
    });
}

void check_operator_conf(const Properties& conf, const std::string& master) {
    if (master.empty() || has_control_character(master)) {
        throw std::invalid_argument("LocalBackendOptions::master: must be a Spark master");
    }
    for (const auto& [key, value] : conf) {
        if (auto rule = broken_key_rule(key)) {
            throw std::invalid_argument("LocalBackendOptions::conf: " + key + ": " + *rule);
        }
        if (is_bad_conf_value(value)) {
            throw std::invalid_argument("LocalBackendOptions::conf: " + key +
                                        ": must not contain control characters");
        }
    }
}

Result<Properties> final_properties(const ConfPolicy& policy, const BatchSpec& spec) {
    if (auto checked = check_request_conf(policy, spec); !checked) {
        return checked.error();
    }
    Properties properties;
    for (const auto& [key, value] : policy.defaults) {
        if (key.starts_with("spark.")) {
            properties[key] = value;
        }
    }
    for (const auto* layer : {&policy.conf, &spec.conf}) {
        for (const auto& [key, value] : *layer) {
            properties[key] = value;
        }
    }
    if (auto applied = apply_fields(properties, spec); !applied) {
        return applied.error();
    }
    properties["spark.master"] = policy.master;
    properties["spark.submit.deployMode"] = "client";
    properties.try_emplace("spark.ui.showConsoleProgress", "false");
    return properties;
}

Result<void> check_command_fields(const BatchSpec& spec) {
    if (spec.file.empty()) {
        return refuse("is required", "file");
    }
    if (has_control_character(spec.file)) {
        return refuse("must not contain control characters", "file");
    }
    if (spec.file.front() == '-') {
        return refuse("must not begin with '-': Spark would take it for an option", "file");
    }
    if (spec.file.front() != '/' && scheme_length(spec.file) == 0) {
        return refuse("must be an absolute path or a URI", "file");
    }
    for (auto [value, field] :
         {std::pair{&spec.class_name, "class_name"}, {&spec.proxy_user, "proxy_user"}}) {
        if (value->starts_with('-') || has_control_character(*value)) {
            return refuse("must not begin with '-' nor contain control characters", field);
        }
    }
    for (std::size_t i = 0; i < spec.args.size(); ++i) {
        if (spec.args[i].find('\0') != std::string::npos) {
            return refuse("must not contain NUL", "args[" + std::to_string(i) + "]");
        }
    }
    return ok();
}

std::string local_path(std::string_view file) {
    if (file.starts_with('/')) {
        return std::string(file);
    }
    std::size_t length = scheme_length(file);
    std::string scheme(file.substr(0, length));
    std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (scheme != "file" && scheme != "local") {
        return {};
    }
    file.remove_prefix(length + 1);
    if (file.starts_with("//")) {
        auto path = file.find('/', 2);
        file = path == std::string_view::npos ? std::string_view() : file.substr(path);
    }
    return percent_decoded(file.substr(0, file.find_first_of("?#")));
}

}  // namespace sparkhost::detail::local
