// SPDX-License-Identifier: Apache-2.0
#include "kubernetes_options.hpp"
#include "option_kinds.hpp"
#include "options.hpp"
#include "standalone_options.hpp"
#include "yarn_options.hpp"

#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace server {

namespace json = boost::json;

namespace {

std::string address_rule(const std::string& value, bool may_be_socket) {
    const bool good = value.starts_with("tcp:") || (may_be_socket && value.starts_with("unix:/"));
    return good            ? ""
           : may_be_socket ? "expected unix:/PATH or tcp:ADDR:PORT"
                           : "expected tcp:HOST:PORT";
}

Option agent_address_option() {
    auto option = text_option(
        "agent-address", "Sessions", "ADDRESS",
        "where the agents of sessions dial: unix:/PATH or tcp:ADDR:PORT, the same after a "
        "restart; without it a socket in the data folder, which drivers on this machine dial also "
        "beside tcp:",
        &Config::agent_address);
    option.set = [](Config& config, const json::value& value) {
        config.agent_address = value.as_string();
        return address_rule(config.agent_address, true);
    };
    return option;
}

Option agent_advertised_option() {
    auto option = text_option(
        "agent-advertised", "Sessions", "ADDRESS",
        "what drivers in a cluster dial to reach --agent-address: tcp:HOST:PORT, HOST may be a "
        "name; without it that address itself",
        &Config::agent_advertised);
    option.set = [](Config& config, const json::value& value) {
        config.agent_advertised = value.as_string();
        return address_rule(config.agent_advertised, false);
    };
    return option;
}

void add_name(std::vector<std::string>& names, const std::string& option, const std::string& name) {
    if (name == "local" || std::ranges::find(names, name) != names.end()) {
        throw ConfigError(option + ": the name \"" + name +
                          "\" is taken; give each cluster one of its own (name=…)");
    }
    names.push_back(name);
}

}  // namespace

std::vector<Option> backend_options() {
    return {
        list_option("kubernetes", "Backends", "KEY=VALUE,…",
                    "a Kubernetes cluster for batches and sessions, such as "
                    "name=prod,kubeconfig=/etc/kube/config,namespace=jobs,image=spark:4.0.1; with "
                    "neither kubeconfig nor server the one that the server runs in; may be given "
                    "several times; docs/server.md has the keys",
                    &Config::kubernetes, &kubernetes_rule),
        list_option("standalone", "Backends", "KEY=VALUE,…",
                    "a Spark standalone cluster for batches and sessions, such as "
                    "name=lab,master=spark://spark.example.org:7077; needs --agent-address; may be "
                    "given several times; docs/server.md has the keys",
                    &Config::standalone, &standalone_rule),
        list_option("yarn", "Backends", "KEY=VALUE,…",
                    "a YARN cluster for batches and sessions, such as "
                    "name=hadoop,rm-url=http://rm:8088,staging=hdfs://nn:8020/jobs,"
                    "webhdfs=http://nn:9870, and spark-home; needs --agent-address; may be given "
                    "several times; docs/server.md has the keys",
                    &Config::yarn, &yarn_rule),
        text_option("default-backend", "Backends", "NAME",
                    "where batches and sessions run whose request names no backend; without it "
                    "local, else the first cluster",
                    &Config::default_backend),
        flag_option("no-local-backend", "Backends",
                    "run nothing on this machine, which then needs neither Java nor Spark",
                    &Config::no_local_backend),
        agent_address_option(),
        agent_advertised_option(),
    };
}

std::vector<std::string> backend_names(const Config& config) {
    std::vector<std::string> names;
    if (!config.no_local_backend) {
        names.emplace_back("local");
    }
    for (const auto& text : config.kubernetes) {
        add_name(names, "--kubernetes", parse_kubernetes(text).name);
    }
    for (const auto& text : config.standalone) {
        add_name(names, "--standalone", parse_standalone(text).name);
    }
    for (const auto& text : config.yarn) {
        add_name(names, "--yarn", parse_yarn(text).name);
    }
    const auto first = std::ranges::find(names, config.default_backend);
    if (first != names.end()) {
        std::rotate(names.begin(), first, first + 1);
    }
    return names;
}

}  // namespace server
