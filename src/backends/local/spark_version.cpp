// SPDX-License-Identifier: Apache-2.0
#include "backends/local/spark_version.hpp"

#include <charconv>

namespace sparkhost::detail::local {

namespace {

/// Takes a number off the front; -1 when there is none.
int take_version_number(std::string_view& text) {
    int number = -1;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0) {
        return -1;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

}  // namespace

std::optional<SparkVersion> parse_spark_version(std::string_view text) {
    SparkVersion version;
    version.text = std::string(text);
    version.major = take_version_number(text);
    if (version.major < 0 || text.empty() || text.front() != '.') {
        return std::nullopt;
    }
    text.remove_prefix(1);
    version.minor = take_version_number(text);
    if (version.minor < 0) {
        return std::nullopt;
    }
    return version;
}

std::optional<SparkVersion> version_of_core_jar(std::string_view file_name) {
    constexpr std::string_view prefix = "spark-core_2.";
    constexpr std::string_view suffix = ".jar";
    if (!file_name.starts_with(prefix) || !file_name.ends_with(suffix)) {
        return std::nullopt;
    }
    file_name.remove_prefix(prefix.size());
    file_name.remove_suffix(suffix.size());
    auto dash = file_name.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    return parse_spark_version(file_name.substr(dash + 1));
}

int java_major_version(std::string_view text) {
    int first = take_version_number(text);
    if (first == 1 && text.starts_with('.')) {
        text.remove_prefix(1);
        first = take_version_number(text);
    }
    return first < 0 ? 0 : first;
}

std::string java_version_of_release(std::string_view release_text) {
    constexpr std::string_view name = "JAVA_VERSION=";
    while (!release_text.empty()) {
        auto end = release_text.find('\n');
        std::string_view line = release_text.substr(0, end);
        release_text.remove_prefix(end == std::string_view::npos ? release_text.size() : end + 1);
        if (line.starts_with(name)) {
            line.remove_prefix(name.size());
            if (line.size() >= 2 && line.front() == '"') {
                line = line.substr(1, line.find('"', 1) - 1);
            }
            return std::string(line);
        }
    }
    return {};
}

}  // namespace sparkhost::detail::local
