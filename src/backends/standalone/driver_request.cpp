// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/driver_request.hpp"

#include "backends/common/spark_conf.hpp"
#include "backends/guarded/ticket_data.hpp"

#include <boost/json/array.hpp>

#include <array>
#include <exception>
#include <stdexcept>
#include <utility>

namespace sparkhost::detail::standalone {

namespace {

constexpr std::string_view default_java_options = "spark.driver.defaultJavaOptions";

/// What is the backend's to say: no option opens these for requests.
const std::vector<std::string>& decided_here() {
    static const std::vector<std::string> patterns{"spark.master",
                                                   "spark.submit.*",
                                                   "spark.driver.supervise",
                                                   "spark.app.id",
                                                   "spark.app.submitTime",
                                                   "spark.driver.host",
                                                   "spark.driver.bindAddress",
                                                   "spark.standalone.submit.*"};
    return patterns;
}

/// What the driver's JVM is started with: the master and the worker have to know it. All else
/// stays out of the command line, which everybody on the worker's machine can read.
bool is_of_the_jvm(std::string_view key) {
    static const std::vector<std::string> patterns{
        "spark.driver.memory",           "spark.driver.cores",
        "spark.driver.extraJavaOptions", "spark.driver.defaultJavaOptions",
        "spark.driver.extraClassPath",   "spark.driver.extraLibraryPath",
        "spark.driver.resource.*"};
    return matches_any(patterns, key);
}

/// 3.5's server does not open them by itself; where one does, saying it twice is harmless.
std::string module_options() {
    std::string options = "-XX:+IgnoreUnrecognizedVMOptions";
    for (const auto& package : opened_java_packages()) {
        options += " --add-opens=" + package + "=ALL-UNNAMED";
    }
    return options + " -Djdk.reflect.useDirectMethodHandle=false";
}

std::string text_of(const Properties& properties, std::string_view key) {
    const auto found = properties.find(std::string(key));
    return found == properties.end() ? std::string() : found->second;
}

Error refuse_request(std::string rule, std::string field) {
    return Error(Errc::invalid_argument, std::move(rule), std::move(field));
}

Result<void> check_fields(const DriverInput& input) {
    const BatchSpec& spec = input.spec;
    if (auto checked = check_command_fields(spec); !checked) {
        return checked;
    }
    if (!spec.queue.empty()) {
        return refuse_request("a standalone cluster has no queues", "queue");
    }
    if (!spec.proxy_user.empty()) {
        return refuse_request(
            "a standalone cluster runs drivers as its workers' user: nobody else can be "
            "impersonated",
            "proxy_user");
    }
    for (std::size_t i = 0; i < spec.args.size(); ++i) {
        const std::string& each = spec.args[i];
        const std::string field = "args[" + std::to_string(i) + "]";
        if (each == "{{WORKER_URL}}" || each == "{{USER_JAR}}") {
            return refuse_request("Spark's worker would put something else in its place", field);
        }
        if (each.find(granted_folder) != std::string::npos) {
            return refuse_request("\"{{sparkhost}}/\" has a meaning of its own here", field);
        }
    }
    return ok();
}

Result<void> check_conf(const BatchSpec& spec) {
    for (const auto& [key, value] : spec.conf) {
        if (auto refusal = conf_refusal(key); !refusal.empty()) {
            return refuse_request(std::move(refusal), "conf." + key);
        }
        if (is_of_the_jvm(key) && matches_redaction(value)) {
            return refuse_request(
                "looks like a secret, and would stand in the command line of the driver's JVM: "
                "give it as another property",
                "conf." + key);
        }
        if (is_of_the_jvm(key) &&
            (value.find('\n') != std::string::npos || value.find('\r') != std::string::npos)) {
            return refuse_request("must be one line", "conf." + key);
        }
    }
    return ok();
}

/// As spark-submit: num_executors means nothing here, but the cores of all of them do.
Result<void> limit_cores(const BatchSpec& spec, Properties& properties) {
    if (!spec.num_executors) {
        return ok();
    }
    properties.erase("spark.executor.instances");
    std::string each = text_of(properties, "spark.executor.cores");
    if (each.empty()) {
        each = properties["spark.executor.cores"] = "1";
    }
    const bool is_count =
        each.size() <= 6 && each.find_first_not_of("0123456789") == std::string::npos;
    if (!is_count) {
        return refuse_request("must be a number", "conf.spark.executor.cores");
    }
    if (!spec.conf.contains("spark.cores.max")) {
        properties["spark.cores.max"] =
            std::to_string(std::stoll(each) * static_cast<long long>(*spec.num_executors));
    }
    return ok();
}

/// The file as the guard finds it when it is one of those that are granted; else as it is.
std::string brought_file(const DriverInput& input, const std::string& file) {
    for (const auto& each : input.files) {
        if (each.path == file || each.path == local_path(file)) {
            return std::string(granted_folder) + guarded::granted_name(each);
        }
    }
    return file;
}

std::string brought_argument(const DriverInput& input, const std::string& argument) {
    for (const auto& each : input.files) {
        if (each.path == argument) {
            return std::string(granted_folder) + guarded::granted_name(each);
        }
    }
    return argument;
}

boost::json::array arguments(const StandaloneBackendOptions& options, const DriverInput& input) {
    const BatchSpec& spec = input.spec;
    boost::json::array words{"org.apache.spark.deploy.SparkSubmit",
                             "--master",
                             options.master,
                             "--deploy-mode",
                             "client",
                             "--properties-file",
                             std::string(granted_folder) + std::string(properties_name)};
    if (!spec.class_name.empty()) {
        words.emplace_back("--class");
        words.emplace_back(spec.class_name);
    }
    words.emplace_back(brought_file(input, spec.file));
    for (const auto& each : spec.args) {
        words.emplace_back(brought_argument(input, each));
    }
    return words;
}

boost::json::object spark_properties(const StandaloneBackendOptions& options,
                                     const Properties& properties) {
    boost::json::object object;
    for (const auto& [key, value] : properties) {
        if (is_of_the_jvm(key)) {
            object[key] = value;
        }
    }
    const std::string own = text_of(properties, default_java_options);
    object[default_java_options] = module_options() + (own.empty() ? "" : " " + own);
    object["spark.app.name"] = text_of(properties, "spark.app.name");
    object["spark.master"] = options.master;
    object["spark.driver.supervise"] = "false";
    return object;
}

boost::json::object environment(const StandaloneBackendOptions& options, const DriverInput& input) {
    boost::json::object variables;
    for (const auto& [name, value] : options.environment) {
        variables[name] = value;
    }
    if (!options.python.empty()) {
        variables["PYSPARK_PYTHON"] = options.python;
    }
    variables[guard_address] = input.agent_address;
    variables[guard_ticket] = input.ticket;
    variables[guard_patience] = std::to_string(options.guard_patience.count());
    return variables;
}

}  // namespace

std::string conf_refusal(std::string_view key) {
    if (key == "spark.submit.pyFiles") {
        return {};
    }
    if (key == "spark.driver.supervise") {
        return "a driver that the master starts again by itself would run user code twice: it is "
               "never supervised";
    }
    return matches_any(decided_here(), key)
               ? "this property is decided by this server: a request must not set it"
               : std::string();
}

boost::json::object encode_driver_request(const DriverRequest& request) {
    boost::json::object properties;
    for (const auto& [key, value] : request.properties) {
        properties[key] = value;
    }
    return {{"properties", std::move(properties)}, {"submission", request.body}};
}

Result<DriverRequest> decode_driver_request(const boost::json::object& object) {
    try {
        DriverRequest request;
        for (const auto& [key, each] : object.at("properties").as_object()) {
            request.properties[std::string(key)] = std::string(each.as_string());
        }
        request.body = object.at("submission").as_object();
        return request;
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed,
                     std::string("the ticket's data cannot be read: ") + failure.what());
    }
}

Result<DriverRequest> make_driver_request(const StandaloneBackendOptions& options,
                                          const DriverInput& input) {
    if (auto checked = check_fields(input); !checked) {
        return checked.error();
    }
    if (auto checked = check_conf(input.spec); !checked) {
        return checked.error();
    }
    for (const auto& each : input.files) {
        if (guarded::granted_name(each) == properties_name) {
            return refuse_request("a file of this name is the server's own", "file");
        }
    }
    ConfLayers layers;
    layers.conf = options.conf;
    layers.refused = options.refused_conf;
    auto properties = merged_properties(layers, input.spec);
    if (!properties) {
        return properties.error();
    }
    if (auto limited = limit_cores(input.spec, *properties); !limited) {
        return limited.error();
    }
    if (text_of(*properties, "spark.app.name").empty()) {
        (*properties)["spark.app.name"] = input.ticket;
    }
    DriverRequest request;
    request.body = {{"action", "CreateSubmissionRequest"},
                    {"clientSparkVersion", "3.5.0"},
                    {"appResource", input.guard_jar},
                    {"mainClass", guard_class},
                    {"appArgs", arguments(options, input)},
                    {"environmentVariables", environment(options, input)},
                    {"sparkProperties", spark_properties(options, *properties)}};
    (*properties)["spark.master"] = options.master;
    (*properties)["spark.submit.deployMode"] = "client";
    request.properties = std::move(*properties);
    return request;
}

void check_driver_options(const StandaloneBackendOptions& options) {
    const std::string where = "StandaloneBackendOptions::";
    check_operator_conf(options.conf, where + "conf");
    for (const auto& [key, value] : options.conf) {
        if (auto refusal = conf_refusal(key); !refusal.empty()) {
            throw std::invalid_argument(where + "conf: " + key + ": is the backend's own");
        }
        if (is_of_the_jvm(key) && matches_redaction(value)) {
            throw std::invalid_argument(where + "conf: " + key +
                                        ": looks like a secret, and would stand in the command "
                                        "line of the driver's JVM");
        }
    }
    for (const auto& [name, value] : options.environment) {
        if (name.empty() || name.find('=') != std::string::npos ||
            name.find('\0') != std::string::npos || value.find('\0') != std::string::npos) {
            throw std::invalid_argument(where + "environment: \"" + name + "\" is no variable");
        }
        if (name.starts_with("SPARKHOST_")) {
            throw std::invalid_argument(where + "environment: " + name + ": is the backend's own");
        }
    }
}

}  // namespace sparkhost::detail::standalone
