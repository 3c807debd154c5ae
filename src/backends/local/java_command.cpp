// SPDX-License-Identifier: Apache-2.0
#include "backends/local/java_command.hpp"

#include "backends/common/shell_words.hpp"
#include "backends/common/spark_conf.hpp"

#include <algorithm>
#include <string_view>

namespace sparkhost::detail::local {

namespace {

std::string text_of(const std::map<std::string, std::string>& texts, const std::string& name) {
    auto found = texts.find(name);
    return found == texts.end() ? std::string() : found->second;
}

std::string first_not_empty(std::initializer_list<std::string> texts) {
    for (const auto& text : texts) {
        if (!text.empty()) {
            return text;
        }
    }
    return {};
}

/// Adds the parts of a ':' list: folders end in '/', what is there already is not added again.
void add_to_class_path(const JavaCommandRequest& request, std::string_view list,
                       std::vector<std::string>& entries) {
    while (!list.empty()) {
        auto end = std::min(list.find(':'), list.size());
        std::string entry(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        if (entry.empty()) {
            continue;
        }
        if (entry.back() != '/' && request.is_folder && request.is_folder(entry)) {
            entry += '/';
        }
        if (std::find(entries.begin(), entries.end(), entry) == entries.end()) {
            entries.push_back(std::move(entry));
        }
    }
}

/// In 4.0 to 4.2 Jackson for Hive lies apart, by a path relative to the working folder.
std::string default_extra_class_path(const JavaCommandRequest& request) {
    const std::string name = "spark.driver.defaultExtraClassPath";
    if (auto set = request.properties.find(name); set != request.properties.end()) {
        return request.version.at_least(4, 0) ? set->second : std::string();
    }
    bool apart = request.version.at_least(4, 0) && !request.version.at_least(4, 3);
    return apart ? "hive-jackson/*" : "";
}

Result<void> append_split(std::vector<std::string>& command, const std::string& options,
                          const std::string& origin) {
    auto words = split_options(options);
    if (!words) {
        return Error(Errc::invalid_argument, words.error().detail, origin);
    }
    command.insert(command.end(), words->begin(), words->end());
    return ok();
}

Result<void> append_driver_options(std::vector<std::string>& command, const Properties& properties,
                                   const std::string& name) {
    std::string options = text_of(properties, name);
    const std::size_t before = command.size();
    if (auto split = append_split(command, options, "conf." + name); !split) {
        return split;
    }
    auto sets_heap = [](const std::string& word) { return word.starts_with("-Xmx"); };
    if (std::any_of(command.begin() + static_cast<std::ptrdiff_t>(before), command.end(),
                    sets_heap)) {
        return Error(Errc::invalid_argument,
                     "must not contain -Xmx; set spark.driver.memory instead", "conf." + name);
    }
    return ok();
}

}  // namespace

std::vector<std::string> java_module_options(const SparkVersion& version) {
    std::vector<std::string> options{"-XX:+IgnoreUnrecognizedVMOptions"};
    if (version.at_least(4, 0)) {
        options.emplace_back("--add-modules=jdk.incubator.vector");
    }
    for (const std::string& package : opened_java_packages()) {
        // 3.5 was the first to need it
        if (package == "java.base/jdk.internal.ref" && !version.at_least(3, 5)) {
            continue;
        }
        options.push_back("--add-opens=" + package + "=ALL-UNNAMED");
    }
    if (!version.at_least(4, 3)) {
        options.emplace_back("-Djdk.reflect.useDirectMethodHandle=false");
    }
    if (version.at_least(4, 0)) {
        options.emplace_back("-Dio.netty.tryReflectionSetAccessible=true");
    }
    if (version.at_least(4, 1)) {
        options.emplace_back("-Dio.netty.allocator.type=pooled");
        options.emplace_back("-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE");
    }
    if (version.at_least(4, 3)) {
        options.emplace_back("--sun-misc-unsafe-memory-access=allow");
    }
    if (version.at_least(4, 1)) {
        options.emplace_back("--enable-native-access=ALL-UNNAMED");
    }
    return options;
}

std::string java_class_path(const JavaCommandRequest& request) {
    std::vector<std::string> entries;
    auto add = [&](const std::string& list) { add_to_class_path(request, list, entries); };
    add(text_of(request.properties, "spark.driver.extraClassPath"));
    add(default_extra_class_path(request));
    add(request.conf_folder);
    if (request.version.at_least(4, 0)) {
        for (const auto& jar : request.logging_jars) {
            add(jar);
        }
    }
    add(request.spark_home + "/jars/*");
    add(text_of(request.environment, "HADOOP_CONF_DIR"));
    add(text_of(request.environment, "YARN_CONF_DIR"));
    add(text_of(request.environment, "SPARK_DIST_CLASSPATH"));
    std::string path;
    for (const auto& entry : entries) {
        path += path.empty() ? entry : ":" + entry;
    }
    return path;
}

Result<std::vector<std::string>> java_options(const JavaCommandRequest& request) {
    const Environment& environment = request.environment;
    std::vector<std::string> command{request.java};
    for (const auto& line : request.conf_options) {
        if (auto added = append_split(command, line, "java-opts"); !added) {
            return added.error();
        }
    }
    if (!request.archive.empty()) {
        command.push_back("-XX:SharedArchiveFile=" + request.archive);
        command.emplace_back("-Xshare:auto");
    }
    command.emplace_back("-cp");
    command.push_back(java_class_path(request));
    if (auto added = append_split(command, text_of(environment, "SPARK_SUBMIT_OPTS"),
                                  "environment.SPARK_SUBMIT_OPTS");
        !added) {
        return added.error();
    }
    command.push_back("-Xmx" + first_not_empty({text_of(request.properties, "spark.driver.memory"),
                                                text_of(environment, "SPARK_DRIVER_MEMORY"),
                                                text_of(environment, "SPARK_MEM"), "1g"}));
    for (const char* name : {"spark.driver.defaultJavaOptions", "spark.driver.extraJavaOptions"}) {
        if (auto added = append_driver_options(command, request.properties, name); !added) {
            return added.error();
        }
    }
    auto modules = java_module_options(request.version);
    command.insert(command.end(), modules.begin(), modules.end());
    if (request.version.at_least(4, 0)) {
        command.emplace_back("-Dderby.connection.requireAuthentication=false");
    }
    return command;
}

std::vector<std::string> submit_arguments(const SubmitArguments& arguments) {
    std::vector<std::string> words{"org.apache.spark.deploy.SparkSubmit"};
    words.insert(words.end(), {"--properties-file", arguments.properties_file});
    if (!arguments.class_name.empty()) {
        words.insert(words.end(), {"--class", arguments.class_name});
    }
    if (!arguments.proxy_user.empty()) {
        words.insert(words.end(), {"--proxy-user", arguments.proxy_user});
    }
    words.push_back(arguments.file);
    words.insert(words.end(), arguments.args.begin(), arguments.args.end());
    return words;
}

}  // namespace sparkhost::detail::local
