// SPDX-License-Identifier: Apache-2.0
#include "backends/common/spark_conf.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <stdexcept>

namespace sparkhost::detail {

namespace {

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

Result<void> check_request_conf(const ConfLayers& layers, const BatchSpec& spec) {
    for (const auto& [key, value] : spec.conf) {
        std::string field = "conf." + key;
        if (auto rule = broken_key_rule(key)) {
            return refuse(*rule, has_control_character(key) ? "conf" : std::move(field));
        }
        if (matches_any(layers.refused, key)) {
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

int uri_hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string uri_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int high = text[i] == '%' && i + 2 < text.size() ? uri_hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? uri_hex_digit(text[i + 2]) : -1;
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

const std::vector<std::string>& opened_java_packages() {
    static const std::vector<std::string> packages{
        "java.base/java.lang",
        "java.base/java.lang.invoke",
        "java.base/java.lang.reflect",
        "java.base/java.io",
        "java.base/java.net",
        "java.base/java.nio",
        "java.base/java.util",
        "java.base/java.util.concurrent",
        "java.base/java.util.concurrent.atomic",
        "java.base/jdk.internal.ref",
        "java.base/sun.nio.ch",
        "java.base/sun.nio.cs",
        "java.base/sun.security.action",
        "java.base/sun.util.calendar",
        "java.security.jgss/sun.security.krb5",
    };
    return packages;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view key) {
    return std::any_of(patterns.begin(), patterns.end(), [key](std::string_view pattern) {
        if (pattern.ends_with('*')) {
            pattern.remove_suffix(1);
            return key.starts_with(pattern);
        }
        return key == pattern;
    });
}

bool matches_redaction(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower.find("secret") != std::string::npos ||
           lower.find("password") != std::string::npos ||
           lower.find("token") != std::string::npos ||
           lower.find("accesskey") != std::string::npos ||
           lower.find("access.key") != std::string::npos ||
           lower.find("access_key") != std::string::npos;
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

void check_operator_conf(const Properties& conf, const std::string& option) {
    for (const auto& [key, value] : conf) {
        if (auto rule = broken_key_rule(key)) {
            throw std::invalid_argument(option + ": " + key + ": " + *rule);
        }
        if (is_bad_conf_value(value)) {
            throw std::invalid_argument(option + ": " + key +
                                        ": must not contain control characters");
        }
    }
}

Result<Properties> merged_properties(const ConfLayers& layers, const BatchSpec& spec) {
    if (auto checked = check_request_conf(layers, spec); !checked) {
        return checked.error();
    }
    Properties properties;
    for (const auto& [key, value] : layers.defaults) {
        if (key.starts_with("spark.")) {
            properties[key] = value;
        }
    }
    for (const auto* layer : {&layers.conf, &spec.conf}) {
        for (const auto& [key, value] : *layer) {
            properties[key] = value;
        }
    }
    if (auto applied = apply_fields(properties, spec); !applied) {
        return applied.error();
    }
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

std::string uri_scheme(std::string_view text) {
    std::string scheme(text.substr(0, scheme_length(text)));
    std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return scheme;
}

std::string uri_path(std::string_view uri) {
    const std::string scheme = uri_scheme(uri);
    uri.remove_prefix(scheme.empty() ? 0 : scheme.size() + 1);
    if (uri.starts_with("//")) {
        auto path = uri.find('/', 2);
        uri = path == std::string_view::npos ? std::string_view() : uri.substr(path);
    }
    return uri_decoded(uri.substr(0, uri.find_first_of("?#")));
}

std::string local_path(std::string_view file) {
    if (file.starts_with('/')) {
        return std::string(file);
    }
    const std::string scheme = uri_scheme(file);
    return scheme == "file" || scheme == "local" ? uri_path(file) : std::string();
}

}  // namespace sparkhost::detail
