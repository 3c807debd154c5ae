// SPDX-License-Identifier: Apache-2.0
#include "standalone_options.hpp"

#include "backend_keys.hpp"

namespace server {

using sparkhost::StandaloneBackendOptions;

namespace {

constexpr const char* standalone_option = "--standalone";

const std::vector<BackendKey<StandaloneBackendOptions>>& standalone_keys() {
    using S = StandaloneBackendOptions;
    static const std::vector<BackendKey<S>> table{
        text_key("name", &S::name),
        text_key("master", &S::master),
        list_key("rest-url", &S::rest_urls),
        list_key("web-url", &S::web_urls),
        path_key("jws-key-file", &S::jws_key_file),
        text_key("guard-jar", &S::guard_jar),
        text_key("python", &S::python),
        properties_key("environment", &S::environment),
        properties_key("conf", &S::conf),
        list_key("refused-conf", &S::refused_conf),
        time_key("guard-patience", &S::guard_patience),
        time_key("lost-after", &S::lost_after),
        time_key("log-patience", &S::log_patience),
        time_key("shortest-interval", &S::shortest_interval),
        time_key("longest-interval", &S::longest_interval),
        count_key("max-requests", &S::max_requests),
        time_key("request-deadline", &S::request_deadline)};
    return table;
}

}  // namespace

StandaloneBackendOptions parse_standalone(const std::string& text) {
    auto options = parse_backend(standalone_option, standalone_keys(), text);
    if (options.master.empty()) {
        throw ConfigError(std::string(standalone_option) + ": master is needed: spark://HOST:PORT");
    }
    return options;
}

std::string standalone_rule(const std::string& text) {
    return backend_rule(standalone_option, parse_standalone, text);
}

}  // namespace server
