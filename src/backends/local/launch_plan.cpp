// SPDX-License-Identifier: Apache-2.0
#include "backends/local/journal.hpp"

#include <charconv>

namespace sparkhost::detail {

namespace launch_plan {

void put(std::string& text, std::string_view name, std::string_view value) {
    text += name;
    text += '\0';
    text += value;
    text += '\0';
}

/// The text up to the next NUL, cut off `rest` together with it; nothing when there is no NUL.
std::optional<std::string_view> cut(std::string_view& rest) {
    const auto end = rest.find('\0');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const auto text = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return text;
}

bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

bool is_absolute(std::string_view path) {
    return !path.empty() && path.front() == '/';
}

/// Far above any sensible grace, and far below what a timer cannot hold.
constexpr std::chrono::milliseconds max_grace = std::chrono::hours{24};

/// Puts one value where it belongs; returns what is wrong with it.
std::string assign(LaunchPlan& plan, std::string_view name, std::string_view value) {
    if (name == "argument") {
        plan.arguments.emplace_back(value);
    } else if (name == "environment") {
        plan.environment.emplace_back(value);
    } else if (name == "directory") {
        plan.directory = value;
    } else if (name == "output") {
        plan.output = value;
    } else if (name == "launcher") {
        plan.launcher = value == "1";
        return value == "1" || value == "0" ? "" : "launcher is neither 0 nor 1";
    } else if (name == "grace_ms") {
        std::int64_t count = 0;
        const auto end = value.data() + value.size();
        const auto parsed = std::from_chars(value.data(), end, count);
        if (value.empty() || parsed.ec != std::errc() || parsed.ptr != end) {
            return "grace_ms is no number";
        }
        plan.grace = std::chrono::milliseconds(count);
    } else {
        return "'" + std::string(name.substr(0, 64)) + "' is not known";
    }
    return {};
}

}  // namespace launch_plan

std::string launch_fault(const LaunchPlan& plan) {
    if (plan.arguments.empty() || !launch_plan::is_absolute(plan.arguments.front())) {
        return "the program must be an absolute path";
    }
    if (!launch_plan::is_absolute(plan.directory)) {
        return "directory must be an absolute path";
    }
    if (!launch_plan::is_absolute(plan.output)) {
        return "output must be an absolute path";
    }
    if (plan.grace < std::chrono::milliseconds::zero() || plan.grace > launch_plan::max_grace) {
        return "grace must be between 0 and 24 hours";
    }
    for (const auto& argument : plan.arguments) {
        if (launch_plan::has_nul(argument)) {
            return "an argument contains NUL";
        }
    }
    for (const auto& variable : plan.environment) {
        const auto sign = variable.find('=');
        if (sign == std::string::npos || sign == 0 || launch_plan::has_nul(variable)) {
            return "an environment variable is not of the form NAME=value";
        }
    }
    if (launch_plan::has_nul(plan.directory) || launch_plan::has_nul(plan.output)) {
        return "a path contains NUL";
    }
    return {};
}

std::string encode_launch(const LaunchPlan& plan) {
    std::string text;
    for (const auto& argument : plan.arguments) {
        launch_plan::put(text, "argument", argument);
    }
    for (const auto& variable : plan.environment) {
        launch_plan::put(text, "environment", variable);
    }
    launch_plan::put(text, "directory", plan.directory);
    launch_plan::put(text, "output", plan.output);
    launch_plan::put(text, "grace_ms", std::to_string(plan.grace.count()));
    launch_plan::put(text, "launcher", plan.launcher ? "1" : "0");
    return text;
}

std::optional<LaunchPlan> decode_launch(std::string_view text, std::string& fault) {
    LaunchPlan plan;
    while (!text.empty()) {
        const auto name = launch_plan::cut(text);
        const auto value = launch_plan::cut(text);
        if (!name || !value) {
            fault = "it is cut off";
            return std::nullopt;
        }
        fault = launch_plan::assign(plan, *name, *value);
        if (!fault.empty()) {
            return std::nullopt;
        }
    }
    fault = launch_fault(plan);
    return fault.empty() ? std::optional(std::move(plan)) : std::nullopt;
}

}  // namespace sparkhost::detail
