// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/am_plan.hpp"

#include "backends/common/driver_memory.hpp"
#include "backends/common/spark_conf.hpp"
#include "backends/common/utf8.hpp"
#include "backends/yarn/am_command.hpp"
#include "backends/yarn/am_conf.hpp"
#include "backends/yarn/am_files.hpp"

#include <algorithm>
#include <cctype>
#include <limits>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

/// Limits of ResourceManagers, one tag being the store's and one the ticket's.
constexpr std::size_t most_tags = 10;
constexpr std::size_t longest_tag = 100;
constexpr std::string_view tag_prefix = "sparkhost-";

/// How long an AM waits for a SparkContext where nobody says otherwise.
constexpr std::chrono::milliseconds usual_wait{100'000};

Error refuse_spec(std::string rule, std::string field) {
    return Error(Errc::invalid_argument, std::move(rule), std::move(field));
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

Result<void> check_arguments(const BatchSpec& spec) {
    for (std::size_t i = 0; i < spec.args.size(); ++i) {
        const std::string& each = spec.args[i];
        const std::string field = "args[" + std::to_string(i) + "]";
        if (each.find(granted_folder) != std::string::npos) {
            return refuse_spec("\"{{sparkhost}}/\" has a meaning of its own here", field);
        }
        if (valid_utf8(each) != each) {
            return refuse_spec("must be UTF-8", field);
        }
    }
    return ok();
}

Result<void> check_fields(const AmInput& input) {
    const BatchSpec& spec = input.spec;
    if (auto checked = check_command_fields(spec); !checked) {
        return checked;
    }
    const AppKind kind = kind_of(spec.file);
    if (kind == AppKind::r) {
        return refuse_spec("R applications do not run on YARN yet: use the local backend", "file");
    }
    if (kind == AppKind::jar && spec.class_name.empty()) {
        return refuse_spec("is required for a jar on YARN: its manifest is not looked into",
                           "class_name");
    }
    if (valid_utf8(spec.class_name) != spec.class_name) {
        return refuse_spec("must be UTF-8", "class_name");
    }
    if (!spec.proxy_user.empty() && !is_user_name(spec.proxy_user)) {
        return refuse_spec(
            "must be of letters, digits, '_', '.' and '-', and begin with a letter or '_'",
            "proxy_user");
    }
    for (const auto& each : input.files) {
        if (each.path.ends_with("/" + std::string(arguments_name))) {
            return refuse_spec("a file of this name is the server's own", "file");
        }
    }
    return check_arguments(spec);
}

Result<void> check_conf(const BatchSpec& spec) {
    const std::string executors(executor_environment_prefix);
    for (const auto& [key, value] : spec.conf) {
        if (auto refusal = conf_refusal(key, value); !refusal.empty()) {
            return refuse_spec(std::move(refusal), "conf." + key);
        }
        if (key.starts_with(executors + "SPARKHOST_")) {
            return refuse_spec("is no variable that can be set", "conf." + key);
        }
        if (is_of_the_command(key) && matches_redaction(value)) {
            return refuse_spec(
                "looks like a secret, and would stand in the command line of the driver's JVM: "
                "give it as another property",
                "conf." + key);
        }
    }
    return ok();
}

/// What is set, with what has an older name or is an option of this backend under its name.
Result<Properties> merged(const YarnBackendOptions& options, const AmInput& input) {
    ConfLayers layers;
    layers.conf = options.conf;
    layers.refused = options.refused_conf;
    auto properties = merged_properties(layers, input.spec);
    if (!properties) {
        return properties;
    }
    const std::string old_overhead = text_of(*properties, "spark.yarn.driver.memoryOverhead");
    if (!old_overhead.empty()) {
        properties->emplace("spark.driver.memoryOverhead", old_overhead);
    }
    properties->emplace("spark.yarn.queue", options.queue.empty() ? "default" : options.queue);
    properties->emplace("spark.app.name", input.ticket);
    return properties;
}

Result<void> decide_size(const Properties& properties, AmPlan& plan) {
    const auto memory = driver_memory(properties, {});
    if (!memory) {
        return memory.error();
    }
    if (memory->heap < 1) {
        return refuse_spec("must be at least 1m", "conf.spark.driver.memory");
    }
    if (memory->heap > std::numeric_limits<int>::max() - memory->overhead) {
        return refuse_spec("is more than YARN can count", "conf.spark.driver.memory");
    }
    const auto cores = count_property(properties, "spark.driver.cores", 1, 1);
    if (!cores) {
        return cores.error();
    }
    plan.memory_mib = static_cast<int>(memory->heap + memory->overhead);
    plan.cores = *cores;
    return ok();
}

Result<void> decide_tags(const Properties& properties, const AmInput& input, AmPlan& plan) {
    constexpr const char* key = "spark.yarn.tags";
    plan.tags = {store_tag(input.store_uuid), lower(input.ticket)};
    const std::string list = text_of(properties, key);
    for (std::string_view rest = list; !rest.empty();) {
        const auto end = std::min(rest.find(','), rest.size());
        std::string tag = lower(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        tag.erase(0, std::min(tag.find_first_not_of(' '), tag.size()));
        tag.erase(tag.find_last_not_of(' ') + 1);
        const bool is_ascii = std::all_of(tag.begin(), tag.end(), [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte >= 0x20 && byte < 0x7F;
        });
        if (!is_ascii || tag.size() > longest_tag) {
            return refuse_spec("a tag must be ASCII, and at most 100 characters long",
                               "conf.spark.yarn.tags");
        }
        if (tag.starts_with(tag_prefix)) {
            return refuse_spec("tags that begin with \"sparkhost-\" are the server's own",
                               "conf.spark.yarn.tags");
        }
        if (!tag.empty() && std::find(plan.tags.begin(), plan.tags.end(), tag) == plan.tags.end()) {
            plan.tags.push_back(std::move(tag));
        }
    }
    return plan.tags.size() <= most_tags
               ? ok()
               : refuse_spec("must be at most eight tags", "conf.spark.yarn.tags");
}

Result<void> decide_place(const Properties& properties, AmPlan& plan) {
    plan.name = text_of(properties, "spark.app.name");
    plan.queue = text_of(properties, "spark.yarn.queue");
    plan.node_label = text_of(properties, "spark.yarn.am.nodeLabelExpression");
    for (const char* key :
         {"spark.app.name", "spark.yarn.queue", "spark.yarn.am.nodeLabelExpression"}) {
        if (has_control_character(text_of(properties, key))) {
            return refuse_spec("must not contain control characters", std::string("conf.") + key);
        }
    }
    if (properties.contains("spark.yarn.priority")) {
        const auto priority = count_property(properties, "spark.yarn.priority", 0, 0);
        if (!priority) {
            return priority.error();
        }
        plan.priority = *priority;
    }
    return ok();
}

/// The AM counts from its own start, and the guard may wait for the host before there is a context.
Result<void> extend_wait(const YarnBackendOptions& options, Properties& properties) {
    constexpr const char* key = "spark.yarn.am.waitTime";
    std::optional<std::chrono::milliseconds> wait = usual_wait;
    if (properties.contains(key)) {
        wait = spark_time(properties.at(key));
    }
    if (!wait) {
        return refuse_spec("must be a time, as in \"100s\"", std::string("conf.") + key);
    }
    const std::chrono::milliseconds all = *wait + options.guard_patience;
    properties[key] = std::to_string(all.count()) + "ms";
    return ok();
}

/// Lists that the AM would read again, and what only counts at submission.
void remove_submitted(Properties& properties) {
    for (const char* key :
         {"spark.jars", "spark.files", "spark.archives", "spark.submit.pyFiles",
          "spark.yarn.dist.jars", "spark.yarn.dist.files", "spark.yarn.dist.archives",
          "spark.yarn.dist.pyFiles", "spark.yarn.submit.waitAppCompletion"}) {
        properties.erase(key);
    }
    std::erase_if(properties,
                  [](const auto& each) { return each.first.starts_with(am_environment_prefix); });
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& each : parts) {
        text += (text.empty() ? "" : ",") + each;
    }
    return text;
}

/// __spark_conf__.properties.
void add_spark_properties(const YarnBackendOptions& options, bool python, const AmFiles& files,
                          Properties& properties) {
    remove_submitted(properties);
    if (options.spark_archive.empty()) {
        properties["spark.yarn.jars"] = "local:" + options.spark_home + "/jars/*";
    } else {
        properties["spark.yarn.archive"] = options.spark_archive;
    }
    if (!files.jars.empty()) {
        properties["spark.yarn.secondary.jars"] = joined(files.jars);
    }
    if (!files.local_jar.empty()) {
        properties["spark.yarn.user.jar"] = files.local_jar;
    }
    if (python) {
        properties["spark.yarn.isPython"] = "true";
    }
    for (const auto& [key, value] : forced_properties()) {
        properties[key] = value;
    }
    add_executor_environment(options, files, properties);
}

std::vector<std::string> arguments(const AmInput& input, const AmFiles& files, bool python) {
    std::vector<std::string> words{input.spec.class_name};
    if (python) {
        words = {"org.apache.spark.deploy.PythonRunner", files.main, ""};
    }
    for (const auto& each : input.spec.args) {
        const bool granted =
            std::any_of(input.files.begin(), input.files.end(),
                        [&each](const DriverFile& file) { return file.path == each; });
        words.push_back(granted ? granted_word(input.files, each) : each);
    }
    return words;
}

std::string staging_of(const YarnBackendOptions& options, const std::string& user) {
    constexpr std::string_view place = "{user}";
    std::string staging = options.staging;
    for (auto at = staging.find(place); at != std::string::npos;
         at = staging.find(place, at + user.size())) {
        staging.replace(at, place.size(), user);
    }
    while (staging.ends_with('/')) {
        staging.pop_back();
    }
    return staging;
}

std::string user_of(const YarnBackendOptions& options, const AmInput& input) {
    if (!input.spec.proxy_user.empty()) {
        return input.spec.proxy_user;
    }
    return options.user.empty() ? input.default_user : options.user;
}

/// Of what is in the plan already.
Result<void> decide_start(const YarnBackendOptions& options, const AmInput& input,
                          Properties properties, AmPlan& plan) {
    auto files = plan_files(options, input);
    if (!files) {
        return files.error();
    }
    const auto memory = driver_memory(properties, {});
    const bool python = kind_of(input.spec.file) == AppKind::python;
    auto command =
        am_command(properties, static_cast<int>(memory->heap), !python && files->local_jar.empty());
    if (!command) {
        return command.error();
    }
    auto environment = am_environment(options, properties, *files, plan.user);
    if (!environment) {
        return environment.error();
    }
    if (auto extended = extend_wait(options, properties); !extended) {
        return extended;
    }
    add_spark_properties(options, python, *files, properties);
    plan.command = std::move(*command);
    plan.environment = std::move(*environment);
    plan.arguments = arguments(input, *files, python);
    plan.resources = std::move(files->resources);
    plan.properties = std::move(properties);
    return ok();
}

}  // namespace

bool is_user_name(std::string_view name) {
    const auto is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !name.empty() && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [&is_letter](char c) {
               return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
           });
}

std::string store_tag(std::string_view store_uuid) {
    return std::string(tag_prefix) + lower(store_uuid);
}

Result<AmPlan> make_am_plan(const YarnBackendOptions& options, const AmInput& input) {
    if (auto checked = check_fields(input); !checked) {
        return checked.error();
    }
    if (auto checked = check_conf(input.spec); !checked) {
        return checked.error();
    }
    auto properties = merged(options, input);
    if (!properties) {
        return properties.error();
    }
    AmPlan plan;
    plan.user = user_of(options, input);
    plan.staging = staging_of(options, plan.user);
    if (auto decided = decide_size(*properties, plan); !decided) {
        return decided.error();
    }
    if (auto decided = decide_tags(*properties, input, plan); !decided) {
        return decided.error();
    }
    if (auto decided = decide_place(*properties, plan); !decided) {
        return decided.error();
    }
    if (auto decided = decide_start(options, input, std::move(*properties), plan); !decided) {
        return decided.error();
    }
    return plan;
}

}  // namespace sparkhost::detail::yarn
