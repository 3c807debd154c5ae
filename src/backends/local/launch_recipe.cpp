// SPDX-License-Identifier: Apache-2.0
#include "backends/local/launch_recipe.hpp"

#include "backends/common/posix_file.hpp"

namespace sparkhost::detail::local {

JavaCommandRequest java_command_request(const TicketData& data, const Environment& environment) {
    JavaCommandRequest request;
    request.java = data.java;
    request.spark_home = data.spark_home;
    request.version = parse_spark_version(data.spark_version).value_or(SparkVersion());
    request.logging_jars = data.logging_jars;
    request.conf_folder = data.conf_folder;
    request.conf_options = data.conf_options;
    request.properties = data.properties;
    request.environment = environment;
    request.is_folder = is_folder;
    return request;
}

Result<LaunchPlan> make_launch_plan(const LaunchRecipe& recipe) {
    JavaCommandRequest request = java_command_request(recipe.data, recipe.environment);
    request.archive = recipe.archive;
    auto command = java_options(request);
    if (!command) {
        return command.error();
    }
    SubmitArguments arguments;
    arguments.properties_file = recipe.paths.properties(recipe.ticket);
    arguments.class_name = recipe.spec.class_name;
    arguments.proxy_user = recipe.spec.proxy_user;
    arguments.file = recipe.spec.file;
    arguments.args = recipe.spec.args;
    auto submit = submit_arguments(arguments);

    LaunchPlan plan;
    plan.arguments = std::move(*command);
    plan.arguments.insert(plan.arguments.end(), submit.begin(), submit.end());
    plan.directory = recipe.paths.folder(recipe.ticket) + "/work";
    plan.output = recipe.paths.driver_log(recipe.ticket);
    plan.grace = recipe.grace;
    plan.launcher = true;
    Environment environment = recipe.environment;
    environment.try_emplace("SPARK_LOCAL_DIRS", recipe.paths.folder(recipe.ticket) + "/local");
    auto libraries = recipe.data.properties.find("spark.driver.extraLibraryPath");
    if (libraries != recipe.data.properties.end() && !libraries->second.empty()) {
        std::string& path = environment["LD_LIBRARY_PATH"];
        path += path.empty() ? libraries->second : ":" + libraries->second;
    }
    for (const auto& [name, value] : environment) {
        plan.environment.push_back(name + "=" + value);
    }
    return plan;
}

}  // namespace sparkhost::detail::local
