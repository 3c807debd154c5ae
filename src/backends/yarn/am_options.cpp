// SPDX-License-Identifier: Apache-2.0
#include "backends/common/spark_conf.hpp"
#include "backends/yarn/am_command.hpp"
#include "backends/yarn/am_conf.hpp"
#include "backends/yarn/am_plan.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace sparkhost::detail::yarn {

namespace {

[[noreturn]] void refuse_option(const std::string& option, const std::string& rule) {
    throw std::invalid_argument("YarnBackendOptions::" + option + ": " + rule);
}

/// What goes into the nodes' scripts, and into URIs, as it is.
bool is_plain_path(std::string_view text) {
    return text.starts_with('/') && !is_expanded(text) && !has_control_character(text) &&
           text.find_first_of("\"$`\\,;:*?#%<>|'") == std::string_view::npos;
}

/// hdfs://… or file:///…, absolute.
bool is_cluster_uri(std::string_view uri) {
    const std::string scheme = uri_scheme(uri);
    if (scheme != "hdfs" && scheme != "file") {
        return false;
    }
    std::string_view rest = uri.substr(scheme.size() + 1);
    if (rest.starts_with("//")) {
        const auto slash = rest.find('/', 2);
        const bool has_authority = slash != 2;
        if (slash == std::string_view::npos || (has_authority && scheme == "file")) {
            return false;
        }
        rest = rest.substr(slash);
    }
    return rest.size() > 1 && is_plain_path(rest) && rest.find(' ') == std::string_view::npos;
}

void check_staging(const YarnBackendOptions& options) {
    std::string staging = options.staging;
    constexpr std::string_view place = "{user}";
    while (staging.find(place) != std::string::npos) {
        staging.replace(staging.find(place), place.size(), "user");
    }
    if (staging.empty()) {
        refuse_option("staging", "is required");
    }
    if (!is_cluster_uri(staging) || staging.find_first_of("{}") != std::string::npos) {
        refuse_option(
            "staging",
            "must be a folder's URI, hdfs://… or file:///…, without characters that need escapes");
    }
    if (uri_scheme(staging) == "hdfs" && options.webhdfs.empty()) {
        refuse_option("webhdfs", "is required where staging is in HDFS");
    }
}

std::string link_of(const std::string& uri) {
    return uri.substr(uri.rfind('/') + 1);
}

void check_pyspark_archives(const YarnBackendOptions& options) {
    if (options.spark_archive.empty() && !options.pyspark_archives.empty()) {
        refuse_option("pyspark_archives", "are only for spark_archive: spark_home has its own");
    }
    std::set<std::string> links;
    for (const auto& uri : options.pyspark_archives) {
        if (!is_cluster_uri(uri) || link_of(uri).empty() || !links.insert(link_of(uri)).second) {
            refuse_option(
                "pyspark_archives",
                uri + ": must be a file's URI, hdfs:// or file:///, and no name come twice");
        }
    }
}

void check_spark(const YarnBackendOptions& options) {
    if (options.spark_home.empty() == options.spark_archive.empty()) {
        refuse_option("spark_home", "either this or spark_archive must be set");
    }
    if (!options.spark_archive.empty() &&
        (!is_cluster_uri(options.spark_archive) || !is_archive_name(options.spark_archive))) {
        refuse_option("spark_archive",
                      "must be the URI, hdfs://… or file:///…, of a .zip or another archive that "
                      "YARN unpacks");
    }
    check_pyspark_archives(options);
    if (!options.guard_jar.empty() && !is_cluster_uri(options.guard_jar)) {
        refuse_option("guard_jar", "must be a file's URI, hdfs:// or file:///");
    }
    for (auto [value, option] :
         {std::pair{&options.spark_home, "spark_home"}, {&options.java_home, "java_home"}}) {
        if (!value->empty() && !is_plain_path(*value)) {
            refuse_option(option, "must be an absolute path without special characters");
        }
    }
    const std::string& python = options.python;
    const bool is_name =
        !python.empty() && python.find('/') == std::string::npos && is_plain_path("/" + python);
    if (!python.empty() && !is_name && !is_plain_path(python)) {
        refuse_option("python",
                      "must be a program's name or absolute path without special characters");
    }
}

void check_environment(const YarnBackendOptions& options) {
    for (const auto& [name, value] : options.environment) {
        if (is_variable_refused(name)) {
            refuse_option("environment", "\"" + name + "\" is no variable, or the backend's own");
        }
        if (has_control_character(value) || is_expanded(value)) {
            refuse_option("environment", name +
                                             ": must not contain control characters, nor what YARN "
                                             "replaces (\"{{\", \"}}\", \"<CPS>\", \"<LOG_DIR>\")");
        }
    }
}

void check_conf(const YarnBackendOptions& options) {
    check_operator_conf(options.conf, "YarnBackendOptions::conf");
    for (const auto& [key, value] : options.conf) {
        if (!conf_refusal(key, value).empty()) {
            refuse_option("conf", key + ": is the backend's own, or not supported");
        }
        if (is_of_the_command(key) && matches_redaction(value)) {
            refuse_option("conf",
                          key +
                              ": looks like a secret, and would stand in the command line of "
                              "the driver's JVM");
        }
    }
}

}  // namespace

void check_am_options(const YarnBackendOptions& options) {
    check_staging(options);
    check_spark(options);
    check_environment(options);
    check_conf(options);
    if (!options.user.empty() && !is_user_name(options.user)) {
        refuse_option("user", "must be of letters, digits, '_', '.' and '-'");
    }
    if (has_control_character(options.queue)) {
        refuse_option("queue", "must not contain control characters");
    }
}

}  // namespace sparkhost::detail::yarn
