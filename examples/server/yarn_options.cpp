// SPDX-License-Identifier: Apache-2.0
#include "yarn_options.hpp"

#include "backend_keys.hpp"

namespace server {

using sparkhost::YarnBackendOptions;

namespace {

constexpr const char* yarn_option = "--yarn";

const std::vector<BackendKey<YarnBackendOptions>>& yarn_keys() {
    using Y = YarnBackendOptions;
    static const std::vector<BackendKey<Y>> table{
        text_key("name", &Y::name),
        list_key("rm-url", &Y::resource_managers),
        text_key("log-server", &Y::log_server),
        path_key("hadoop-conf-dir", &Y::hadoop_conf_dir),
        text_key("user", &Y::user),
        text_key("staging", &Y::staging),
        list_key("webhdfs", &Y::webhdfs),
        path_key("spark-home", &Y::spark_home),
        text_key("spark-archive", &Y::spark_archive),
        list_key("pyspark-archive", &Y::pyspark_archives),
        text_key("guard-jar", &Y::guard_jar),
        path_key("java-home", &Y::java_home),
        text_key("python", &Y::python),
        text_key("queue", &Y::queue),
        properties_key("environment", &Y::environment),
        properties_key("conf", &Y::conf),
        list_key("refused-conf", &Y::refused_conf),
        time_key("guard-patience", &Y::guard_patience),
        time_key("lost-after", &Y::lost_after),
        time_key("log-patience", &Y::log_patience),
        time_key("shortest-interval", &Y::shortest_interval),
        time_key("longest-interval", &Y::longest_interval),
        count_key("max-requests", &Y::max_requests),
        time_key("request-deadline", &Y::request_deadline)};
    return table;
}

}  // namespace

YarnBackendOptions parse_yarn(const std::string& text) {
    auto options = parse_backend(yarn_option, yarn_keys(), text);
    const std::string name(yarn_option);
    if (options.resource_managers.empty()) {
        throw ConfigError(name + ": rm-url is needed: http://HOST:8088, once for each");
    }
    if (options.staging.empty()) {
        throw ConfigError(name + ": staging is needed: a folder, hdfs://… or file:///…");
    }
    if (options.spark_home.empty() == options.spark_archive.empty()) {
        throw ConfigError(name + ": one of spark-home and spark-archive is needed");
    }
    return options;
}

std::string yarn_rule(const std::string& text) {
    return backend_rule(yarn_option, parse_yarn, text);
}

}  // namespace server
