// SPDX-License-Identifier: Apache-2.0
#include "core/validate.hpp"

#include "core/agent_doors.hpp"
#include "core/retry.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string_view>

namespace sparkhost::detail {

namespace validation {

constexpr std::size_t max_name = 256;
constexpr std::size_t max_key = 256;
constexpr std::size_t max_code = 4u << 20;  // of which an agent is told in JSON
constexpr std::size_t max_job = 24u << 20;

Error broken(std::string field, std::string rule) {
    return Error(Errc::invalid_argument, std::move(rule), std::move(field));
}

/// None, or one that a clock can be told.
bool is_time_limit(const std::optional<std::chrono::seconds>& limit) {
    constexpr std::chrono::years longest{100};
    return !limit || (limit->count() > 0 && *limit <= longest);
}

bool has_control(std::string_view text, bool line_ends_allowed) {
    return std::any_of(text.begin(), text.end(), [&](unsigned char c) {
        return c < 0x20 ? !(line_ends_allowed && (c == '\n' || c == '\r' || c == '\t')) : c == 0x7f;
    });
}

bool has_scheme(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        return false;
    }
    return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '-' || c == '.';
    });
}

/// A path that Spark is to open: absolute or a URI, and never taken for an option.
Result<void> check_path(const std::string& path, const std::string& field) {
    if (path.empty()) {
        return broken(field, "must not be empty");
    }
    if (has_control(path, false)) {
        return broken(field, "must not contain control characters");
    }
    if (path.front() != '/' && (path.front() == '-' || !has_scheme(path))) {
        return broken(field, "Path '" + path + "' is not absolute.");
    }
    return ok();
}

Result<void> check_paths(const std::vector<std::string>& paths, const std::string& field) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
        if (auto checked = check_path(paths[i], field + "[" + std::to_string(i) + "]"); !checked) {
            return checked;
        }
    }
    return ok();
}

Result<void> check_text(const std::string& text, const std::string& field) {
    if (has_control(text, false)) {
        return broken(field, "must not contain control characters");
    }
    if (!text.empty() && text.front() == '-') {
        return broken(field, "must not begin with '-'");
    }
    return ok();
}

Result<void> check_count(const std::optional<int>& count, const std::string& field) {
    return count && *count < 1 ? Result<void>(broken(field, "must be at least 1")) : ok();
}

Result<void> check_memory(const std::string& size, const std::string& field) {
    std::string_view rest = size;
    while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
        rest.remove_prefix(1);
    }
    static const std::set<std::string_view> units{"",  "b",  "k", "kb", "m", "mb",
                                                  "g", "gb", "t", "tb", "p", "pb"};
    std::string unit(rest);
    std::transform(unit.begin(), unit.end(), unit.begin(),
                   [](unsigned char c) { return static_cast<char>(c | 0x20); });
    if (!size.empty() && (rest.size() == size.size() || !units.contains(unit))) {
        return broken(field, "'" + size + "' is not a memory size; write it like 512m or 4g");
    }
    return ok();
}

Result<void> check_conf(const std::map<std::string, std::string>& conf) {
    for (const auto& [key, value] : conf) {
        const std::string field = "conf." + key;
        if (key.size() > max_key || has_control(key, false) ||
            key.find_first_of(" =:#!\\") != std::string::npos) {
            return broken("conf",
                          "a key is too long or contains blanks, '=', ':' or control characters");
        }
        if (!key.starts_with("spark.") && !key.starts_with("livy.")) {
            return broken(field, "Spark ignores properties whose names do not begin with 'spark.'");
        }
        if (has_control(value, true)) {
            return broken(field, "must not contain control characters");
        }
    }
    return ok();
}

Result<void> check_name(const std::string& name) {
    if (name.empty()) {
        return ok();
    }
    if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        return broken("name", "Invalid session name: " + name);
    }
    if (name.size() > max_name) {
        return broken("name", "must have at most " + std::to_string(max_name) + " bytes");
    }
    return has_control(name, false)
               ? Result<void>(broken("name", "must not contain control characters"))
               : ok();
}

/// The first rule that is broken, in the order given.
template <class... Checks>
Result<void> first_failure(Checks... checks) {
    Result<void> result = ok();
    (void)(... && (result = checks(), result.has_value()));
    return result;
}

void require(bool holds, const char* text) {
    if (!holds) {
        throw std::invalid_argument(text);
    }
}

}  // namespace validation

Result<void> validate_key(const std::string& key) {
    using namespace validation;
    return key.size() > max_key || has_control(key, false)
               ? Result<void>(broken("idempotency_key",
                                     "must have at most 256 bytes and no control characters"))
               : ok();
}

namespace validation {

/// What does not depend on what is run.
Result<void> check_resources(const BatchSpec& spec) {
    return first_failure([&] { return check_paths(spec.jars, "jars"); },
                         [&] { return check_paths(spec.py_files, "pyFiles"); },
                         [&] { return check_paths(spec.files, "files"); },
                         [&] { return check_paths(spec.archives, "archives"); },
                         [&] { return check_text(spec.class_name, "className"); },
                         [&] { return check_text(spec.queue, "queue"); },
                         [&] { return check_text(spec.proxy_user, "proxyUser"); },
                         [&] { return check_memory(spec.driver_memory, "driverMemory"); },
                         [&] { return check_memory(spec.executor_memory, "executorMemory"); },
                         [&] { return check_count(spec.driver_cores, "driverCores"); },
                         [&] { return check_count(spec.executor_cores, "executorCores"); },
                         [&] { return check_count(spec.num_executors, "numExecutors"); },
                         [&] { return check_conf(spec.conf); },
                         [&] { return check_name(spec.name); },
                         [&] { return validate_key(spec.idempotency_key); });
}

}  // namespace validation

Result<void> validate_path(const std::string& path, const std::string& field) {
    return validation::check_path(path, field);
}

Result<void> validate(const BatchSpec& spec) {
    using namespace validation;
    if (spec.file.empty()) {
        return broken("file", "File is required.");
    }
    for (std::size_t i = 0; i < spec.args.size(); ++i) {
        if (spec.args[i].find('\0') != std::string::npos) {
            return broken("args[" + std::to_string(i) + "]", "must not contain NUL characters");
        }
    }
    return first_failure([&] { return check_path(spec.file, "file"); },
                         [&] { return check_resources(spec); },
                         [&] { return validate(spec.retry); });
}

Result<void> validate(const SessionSpec& spec) {
    using namespace validation;
    if (!spec.spec.file.empty()) {
        return broken("file", "must be empty: a session's runtime says what is launched");
    }
    if (!spec.spec.args.empty()) {
        return broken("args", "must be empty: a session's runtime says what is launched");
    }
    if (spec.spec.retry != RetryPolicy{}) {
        return broken("retry", "sessions are not tried again; open another one");
    }
    if (spec.idle_timeout && spec.idle_timeout->count() < 0) {
        return broken("idleTimeout", "must not be negative");
    }
    if (!is_time_limit(spec.ttl)) {
        return broken("ttl", "must be greater than zero and at most 100 years");
    }
    if (!is_time_limit(spec.heartbeat_timeout)) {
        return broken("heartbeatTimeoutInSecond",
                      "must be greater than zero and at most 100 years");
    }
    return check_resources(spec.spec);
}

Result<void> validate(const StatementSpec& spec, const std::vector<std::string>& kinds) {
    using namespace validation;
    if (spec.kind.empty()) {
        return broken("kind", "Code type should be specified if session kind is shared");
    }
    if (std::ranges::find(kinds, spec.kind) == kinds.end()) {
        std::string spoken;
        for (const auto& kind : kinds) {
            spoken += (spoken.empty() ? "" : ", ") + kind;
        }
        return broken("kind", "'" + spec.kind + "' is not spoken by this session; use " + spoken);
    }
    if (spec.job && spec.code.empty()) {
        return broken("job", "no job provided.");
    }
    if (spec.job && spec.code.size() > max_job) {
        return broken("job", "must have at most 24 MiB in base64");
    }
    if (!spec.job && spec.code.size() > max_code) {
        return broken("code", "must have at most 4 MiB");
    }
    return ok();
}

void validate(const HostOptions& options) {
    using namespace validation;
    require(options.max_running > 0, "HostOptions::max_running must be greater than zero");
    require(options.stop_grace.count() >= 0, "HostOptions::stop_grace must not be negative");
    require(options.idempotency_retention.count() > 0,
            "HostOptions::idempotency_retention must be greater than zero");
    require(options.max_events > 0, "HostOptions::max_events must be greater than zero");
    require(options.blocking_executor || options.blocking_threads > 0,
            "HostOptions::blocking_threads must be at least 1 without a blocking_executor");
    require(options.storage_retry.count() > 0,
            "HostOptions::storage_retry must be greater than zero");
    require(options.storage_retry_max >= options.storage_retry,
            "HostOptions::storage_retry_max must not be less than storage_retry");
    require(options.max_statements > 0, "HostOptions::max_statements must be greater than zero");
    require(options.session_idle_timeout.count() >= 0,
            "HostOptions::session_idle_timeout must not be negative");
    require(check_conf(options.default_conf).has_value() &&
                std::ranges::all_of(
                    options.default_conf,
                    [](const auto& entry) { return entry.first.starts_with("spark."); }),
            "HostOptions::default_conf must have keys that begin with 'spark.', and neither blanks "
            "in them nor control characters");
    require(std::ranges::all_of(options.local_file_roots,
                                [](const auto& root) { return root.starts_with('/'); }),
            "HostOptions::local_file_roots must be absolute paths");
    if (auto valid = validate(options.retry); !valid) {
        throw std::invalid_argument("HostOptions::" + valid.error().text());
    }
    require(options.batch_retention.count() >= 0,
            "HostOptions::batch_retention must not be negative");
    require(options.session_retention.count() >= 0,
            "HostOptions::session_retention must not be negative");
    require(options.session_close_grace.count() >= 0,
            "HostOptions::session_close_grace must not be negative");
}

void validate(const HostPlugins& plugins) {
    using namespace validation;
    require(plugins.storage != nullptr, "HostPlugins::storage is required");
    require(!plugins.backends.empty(), "HostPlugins::backends must have at least one backend");
    std::set<std::string> names;
    for (const auto& backend : plugins.backends) {
        require(backend != nullptr, "HostPlugins::backends must not contain an empty pointer");
        require(names.insert(backend->traits().name).second,
                "HostPlugins::backends must have different names");
    }
    std::set<std::string> kinds;
    for (const auto& runtime : plugins.runtimes) {
        require(runtime != nullptr, "HostPlugins::runtimes must not contain an empty pointer");
        require(names.insert(runtime->traits().name).second,
                "HostPlugins::runtimes must have names that no other plug-in has");
        for (const auto& kind : runtime->traits().kinds) {
            require(kinds.insert(kind).second,
                    "HostPlugins::runtimes must not speak the same kind twice");
        }
    }
}

void validate(const HostOptions& options, const HostPlugins& plugins) {
    validation::require(plugins.runtimes.empty() || !options.agent_folder.empty(),
                        "HostOptions::agent_folder is required with HostPlugins::runtimes");
    validate_advertised(options);
}

}  // namespace sparkhost::detail
