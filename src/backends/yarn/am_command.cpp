// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/am_command.hpp"

#include "backends/common/shell_words.hpp"
#include "backends/common/spark_conf.hpp"
#include "backends/yarn/am_conf.hpp"

#include <utility>

namespace sparkhost::detail::yarn {

namespace {

constexpr std::string_view separator = "<CPS>";
constexpr std::string_view container = "{{PWD}}";

Error refuse_value(std::string rule, const std::string& key) {
    return Error(Errc::invalid_argument, std::move(rule), "conf." + key);
}

std::string without(std::string text, std::string_view part) {
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
        text.erase(at, part.size());
    }
    return text;
}

/// All else can be escaped.
Result<void> check_passed(const std::string& text, const std::string& key) {
    if (has_control_character(text)) {
        return refuse_value("must not contain control characters", key);
    }
    if (is_expanded(text)) {
        return refuse_value(
            "must not contain \"{{\", \"}}\", \"<CPS>\", \"<LOG_DIR>\" nor \"<ADD_OPENS>\": YARN "
            "would put something else in their place",
            key);
    }
    return ok();
}

/// Before `"`, `$`, `\` and a backtick, which mean something between double quotes.
void append_quoted(std::string& out, char c) {
    if (std::string_view("\"$\\`").find(c) != std::string_view::npos) {
        out += '\\';
    }
    out += c;
}

Result<void> append_options(std::string& command, const Properties& properties,
                            const std::string& key) {
    const std::string options = text_of(properties, key);
    // that one is replaced before YARN sees it
    if (auto checked = check_passed(without(options, application_id_place), key); !checked) {
        return checked;
    }
    auto words = split_options(options);
    if (!words) {
        return refuse_value(words.error().detail, key);
    }
    for (const auto& word : *words) {
        if (word.starts_with("-Xmx")) {
            return refuse_value("must not contain -Xmx; set spark.driver.memory instead", key);
        }
        command += " " + command_word(word);
    }
    return ok();
}

/// As spark-submit's script: what java needs to open for Spark. Older ones do not know all of it.
std::string module_options() {
    std::string options = " -XX:+IgnoreUnrecognizedVMOptions";
    for (const auto& package : opened_java_packages()) {
        options += " --add-opens=" + package + "=ALL-UNNAMED";
    }
    return options + " -Djdk.reflect.useDirectMethodHandle=false";
}

std::string in_container(std::string_view path) {
    return std::string(container) + "/" + std::string(path);
}

void append_path(std::string& list, std::string_view entry) {
    list += (list.empty() ? "" : std::string(separator)) + std::string(entry);
}

/// The guard's jar comes last: nothing of it is the user's to see.
std::string class_path(const YarnBackendOptions& options, const Properties& properties) {
    std::string path = variable_value(text_of(properties, "spark.driver.extraClassPath"));
    append_path(path, container);
    append_path(path, in_container("__spark_conf__"));
    append_path(path, options.spark_archive.empty()
                          ? options.spark_home + "/jars/*"
                          : in_container(std::string(spark_archive_link) + "/*"));
    append_path(path, in_container("__spark_conf__/__hadoop_conf__"));
    return path;
}

std::string python_path(const AmFiles& files) {
    std::string path;
    for (const auto& entry : files.python_path) {
        append_path(path, entry.starts_with('/') ? variable_value(entry) : in_container(entry));
    }
    return path;
}

/// spark.yarn.appMasterEnv.*: the request's and the operator's.
Result<void> add_asked(const Properties& properties,
                       std::map<std::string, std::string>& variables) {
    for (const auto& [key, value] : properties) {
        if (!key.starts_with(am_environment_prefix)) {
            continue;
        }
        const std::string name = key.substr(am_environment_prefix.size());
        if (is_variable_refused(name)) {
            return refuse_value("is no variable that can be set", key);
        }
        if (auto checked = check_passed(value, key); !checked) {
            return checked;
        }
        if (value.find('$') != std::string::npos) {
            return refuse_value("must not contain '$': no variable is looked up for it", key);
        }
        variables[name] = variable_value(value);
    }
    return ok();
}

/// A path that was asked for, and ours behind it.
void add_behind(std::string& list, const std::string& ours) {
    if (!ours.empty()) {
        append_path(list, ours);
    }
}

}  // namespace

bool is_expanded(std::string_view text) {
    for (const char* part : {"{{", "}}", "<CPS>", "<LOG_DIR>", "<ADD_OPENS>"}) {
        if (text.find(part) != std::string_view::npos) {
            return true;
        }
    }
    return false;
}

std::string command_word(std::string_view text) {
    std::string word = "'";
    for (const char c : text) {
        if (c == '\'') {
            word += "'\\''";
        } else {
            append_quoted(word, c);
        }
    }
    return word + "'";
}

std::string variable_value(std::string_view text) {
    std::string value;
    for (const char c : text) {
        append_quoted(value, c);
    }
    return value;
}

Result<std::string> am_command(const Properties& properties, int heap_mib, bool has_jar) {
    std::string command;
    const std::string library_key = "spark.driver.extraLibraryPath";
    if (const std::string path = text_of(properties, library_key); !path.empty()) {
        if (auto checked = check_passed(path, library_key); !checked) {
            return checked.error();
        }
        command =
            "LD_LIBRARY_PATH=" + command_word(path) + "\\${LD_LIBRARY_PATH:+:\\$LD_LIBRARY_PATH} ";
    }
    command += "{{JAVA_HOME}}/bin/java -server -Djava.net.preferIPv6Addresses=false" +
               module_options() + " -Xmx" + std::to_string(heap_mib) +
               "m -Djava.io.tmpdir={{PWD}}/tmp";
    for (const char* key : {"spark.driver.defaultJavaOptions", "spark.driver.extraJavaOptions"}) {
        if (auto appended = append_options(command, properties, key); !appended) {
            return appended.error();
        }
    }
    command +=
        " -Dspark.yarn.app.container.log.dir=<LOG_DIR> "
        "org.apache.spark.deploy.yarn.ApplicationMaster --class " +
        command_word(guard_class);
    if (has_jar) {
        command += " --jar " + std::string(app_jar_name);
    }
    command += " --arg " + command_word("@granted");
    command +=
        " --properties-file {{PWD}}/__spark_conf__/__spark_conf__.properties"
        " --dist-cache-conf {{PWD}}/__spark_conf__/__spark_dist_cache__.properties"
        " 1> <LOG_DIR>/stdout 2> <LOG_DIR>/stderr";
    return command;
}

Result<std::map<std::string, std::string>> am_environment(const YarnBackendOptions& options,
                                                          const Properties& properties,
                                                          const AmFiles& files,
                                                          const std::string& user) {
    const std::string class_path_key = "spark.driver.extraClassPath";
    const std::string extra = text_of(properties, class_path_key);
    if (auto checked = check_passed(extra, class_path_key); !checked) {
        return checked.error();
    }
    if (extra.find('$') != std::string::npos) {
        return refuse_value("must not contain '$': no variable is looked up for it",
                            class_path_key);
    }
    // bin/spark-submit's: without it Python's hashes differ from process to process
    std::map<std::string, std::string> variables{{"PYTHONHASHSEED", "0"}};
    if (!options.spark_home.empty()) {
        variables["SPARK_HOME"] = options.spark_home;
    }
    if (!options.java_home.empty()) {
        variables["JAVA_HOME"] = options.java_home;
    }
    if (!options.python.empty()) {
        variables["PYSPARK_PYTHON"] = options.python;
    }
    for (const auto& [name, value] : options.environment) {
        variables[name] = variable_value(value);
    }
    if (auto added = add_asked(properties, variables); !added) {
        return added.error();
    }
    variables["SPARK_USER"] = variable_value(user);
    std::string path = class_path(options, properties);
    if (const auto more = variables.find("CLASSPATH"); more != variables.end()) {
        append_path(path, more->second);
    }
    append_path(path, in_container(guard_jar_name));
    variables["CLASSPATH"] = path;
    if (const std::string ours = python_path(files); !ours.empty()) {
        add_behind(variables["PYTHONPATH"], ours);
    }
    return variables;
}

void add_executor_environment(const YarnBackendOptions& options, const AmFiles& files,
                              Properties& properties) {
    const auto key_of = [](const char* name) {
        return std::string(executor_environment_prefix) + name;
    };
    if (!options.spark_home.empty()) {
        properties.emplace(key_of("SPARK_HOME"), options.spark_home);
    }
    if (!options.java_home.empty()) {
        properties.emplace(key_of("JAVA_HOME"), options.java_home);
    }
    if (const std::string ours = python_path(files); !ours.empty()) {
        add_behind(properties[key_of("PYTHONPATH")], ours);
    }
    // executors inherit all of the AM's variables that begin with SPARK, but need no ticket
    properties[key_of("SPARKHOST_GUARD_SECRET")] = "";
}

}  // namespace sparkhost::detail::yarn
