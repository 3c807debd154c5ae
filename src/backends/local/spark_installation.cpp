// SPDX-License-Identifier: Apache-2.0
#include "backends/local/spark_installation.hpp"

#include "backends/common/posix_file.hpp"
#include "backends/local/process_start.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <unistd.h>

namespace sparkhost::detail::local {

namespace {

constexpr std::chrono::milliseconds program_limit = std::chrono::seconds(30);

std::string variable(const Environment& environment, const std::string& name) {
    auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

bool is_executable(const std::string& path) {
    return ::access(path.c_str(), X_OK) == 0 && !is_folder(path);
}

Error installation_error(std::string text) {
    return Error(Errc::backend_failed, std::move(text));
}

std::vector<std::string> folder_names(const std::string& path) {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
        names.push_back(entry->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string real_path(const std::string& path) {
    std::error_code error;
    auto real = std::filesystem::canonical(path, error);
    return error ? path : real.string();
}

std::string without_trailing_slash(std::string path) {
    while (path.size() > 1 && path.back() == '/') {
        path.pop_back();
    }
    return path;
}

Result<std::string> find_python(const LocalBackendOptions& options,
                                const Environment& environment) {
    std::string wanted = options.python;
    if (wanted.empty()) {
        wanted = variable(environment, "PYSPARK_PYTHON");
    }
    if (wanted.empty()) {
        return find_program("python3", environment);
    }
    std::string found =
        wanted.find('/') == std::string::npos ? find_program(wanted, environment) : wanted;
    if (found.empty() || !is_executable(found)) {
        return installation_error("the Python interpreter " + wanted +
                                  " cannot be executed: set LocalBackendOptions::python");
    }
    return found;
}

Result<std::string> find_spark_home(const LocalBackendOptions& options,
                                    const Environment& environment, const std::string& python) {
    if (!options.spark_home.empty()) {
        return without_trailing_slash(options.spark_home);
    }
    if (auto home = variable(environment, "SPARK_HOME"); !home.empty()) {
        return without_trailing_slash(home);
    }
    if (!python.empty()) {
        ProcessStart start;
        start.program = python;
        start.arguments = {"-c",
                           "import importlib.util as u; s = u.find_spec('pyspark'); "
                           "print(list(s.submodule_search_locations)[0] if s else '')"};
        start.environment = environment;
        if (auto answer = run_program(std::move(start), program_limit); answer) {
            std::string home = answer->out.substr(0, answer->out.find('\n'));
            if (!home.empty()) {
                return home;
            }
        }
    }
    return installation_error(
        "no Spark found: set LocalBackendOptions::spark_home or SPARK_HOME, or install pyspark "
        "for " +
        (python.empty() ? std::string("python3") : python));
}

Result<void> read_jars(SparkInstallation& spark) {
    const std::string jars = spark.spark_home + "/jars";
    for (const auto& name : folder_names(jars)) {
        if (auto version = version_of_core_jar(name)) {
            spark.version = *version;
            auto begin = name.find('_') + 1;
            spark.scala_version = name.substr(begin, name.find('-', begin) - begin);
        }
        if (name.starts_with("slf4j-api-") && name.ends_with(".jar")) {
            spark.logging_jars.push_back(jars + "/" + name);
        }
    }
    if (spark.version.text.empty()) {
        return installation_error(spark.spark_home +
                                  " is no Spark installation: there is no jars/spark-core_2.*.jar; "
                                  "set LocalBackendOptions::spark_home or SPARK_HOME");
    }
    if (!spark.version.at_least(3, 0)) {
        return installation_error("Spark " + spark.version.text + " in " + spark.spark_home +
                                  " is too old: 3.x or 4.x is needed");
    }
    return ok();
}

/// Sources spark-env.sh as bin/load-spark-env.sh does, once for all applications.
Result<void> load_spark_env(SparkInstallation& spark, const std::string& conf) {
    Environment& environment = spark.environment;
    environment["SPARK_HOME"] = spark.spark_home;
    environment["SPARK_ENV_LOADED"] = "1";
    environment["SPARK_CONF_DIR"] = conf;
    const std::string script = conf + "/spark-env.sh";
    if (file_exists(script)) {
        ProcessStart start;
        start.program = "/bin/bash";
        start.arguments = {"-c", "set -a; . \"$1\" >&2; set +a; exec env -0", "bash", script};
        start.environment = environment;
        auto answer = run_program(std::move(start), program_limit);
        if (!answer || answer->status > 0) {
            return installation_error(
                script + " has failed: " + (answer ? answer->err : answer.error().detail));
        }
        environment.clear();
        std::string_view rest = answer->out;
        while (!rest.empty()) {
            auto end = std::min(rest.find('\0'), rest.size());
            std::string_view word = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            auto sign = word.find('=');
            bool shells_own = word.starts_with("_=") || word.starts_with("SHLVL=") ||
                              word.starts_with("PWD=") || word.starts_with("OLDPWD=");
            if (sign != std::string_view::npos && !shells_own) {
                environment[std::string(word.substr(0, sign))] = std::string(word.substr(sign + 1));
            }
        }
    }
    environment.try_emplace("SPARK_SCALA_VERSION", spark.scala_version);
    return ok();
}

Result<void> read_conf_folder(SparkInstallation& spark, const std::string& conf,
                              const std::string& empty_conf_folder) {
    spark.conf_folder = empty_conf_folder;
    for (const auto& name : folder_names(conf)) {
        const bool read_by_us =
            name == "spark-defaults.conf" || name == "spark-env.sh" || name == "java-opts";
        if (!read_by_us && !name.ends_with(".template") && !name.starts_with('.')) {
            // log4j2.properties, hive-site.xml, … are looked up on the class path
            spark.conf_folder = conf;
            spark.conf_folder_is_ours = false;
        }
    }
    if (auto text = read_whole_file(conf + "/spark-defaults.conf"); text) {
        auto defaults = parse_properties(*text);
        if (!defaults) {
            return installation_error(conf + "/spark-defaults.conf: " + defaults.error().detail);
        }
        for (const auto& [key, value] : *defaults) {
            auto begin = value.find_first_not_of(" \t");
            auto end = value.find_last_not_of(" \t");
            spark.defaults[key] =
                begin == std::string::npos ? "" : value.substr(begin, end - begin + 1);
        }
    } else if (!text.error().is(Errc::not_found)) {
        return text.error();
    }
    if (auto text = read_whole_file(conf + "/java-opts"); text) {
        std::string_view rest = *text;
        while (!rest.empty()) {
            auto end = std::min(rest.find('\n'), rest.size());
            spark.conf_options.emplace_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    return ok();
}

Result<void> find_java(SparkInstallation& spark, const LocalBackendOptions& options) {
    std::string home = options.java_home;
    std::string origin = "LocalBackendOptions::java_home";
    if (home.empty()) {
        home = variable(spark.environment, "JAVA_HOME");
        origin = "JAVA_HOME";
    }
    if (!home.empty()) {
        spark.java_home = without_trailing_slash(home);
        spark.java = spark.java_home + "/bin/java";
        if (!is_executable(spark.java)) {
            return installation_error(spark.java + " cannot be executed: correct " + origin);
        }
        return ok();
    }
    std::string program = find_program("java", spark.environment);
    if (program.empty()) {
        return installation_error(
            "no Java found: set LocalBackendOptions::java_home or JAVA_HOME, or put java into "
            "PATH");
    }
    // through the links of update-alternatives, so that JAVA_HOME is the installation
    spark.java = real_path(program);
    constexpr std::string_view suffix = "/bin/java";
    if (spark.java.ends_with(suffix)) {
        spark.java_home = spark.java.substr(0, spark.java.size() - suffix.size());
    }
    return ok();
}

Result<void> read_java_version(SparkInstallation& spark) {
    if (auto release = read_whole_file(spark.java_home + "/release"); release) {
        spark.java_version = java_version_of_release(*release);
    }
    if (spark.java_version.empty()) {
        ProcessStart start;
        start.program = spark.java;
        start.arguments = {"-version"};
        start.environment = spark.environment;
        auto answer = run_program(std::move(start), program_limit);
        if (!answer) {
            return answer.error();
        }
        auto begin = answer->err.find('"');
        if (begin != std::string::npos) {
            spark.java_version =
                answer->err.substr(begin + 1, answer->err.find('"', begin + 1) - begin - 1);
        }
    }
    const int major = java_major_version(spark.java_version);
    if (major == 0) {
        return installation_error("the version of " + spark.java + " is not known: it has no " +
                                  "release file and does not answer -version");
    }
    const int needed = spark.version.at_least(4, 0) ? 17 : 8;
    if (major < needed) {
        return installation_error("Spark " + spark.version.text + " needs Java " +
                                  std::to_string(needed) + " or newer; " + spark.java + " is " +
                                  spark.java_version);
    }
    return ok();
}

void complete_environment(SparkInstallation& spark, const LocalBackendOptions& options) {
    Environment& environment = spark.environment;
    environment["PYTHONHASHSEED"] = "0";
    if (!spark.java_home.empty()) {
        environment["JAVA_HOME"] = spark.java_home;
    }
    if (!spark.python.empty()) {
        environment["PYSPARK_PYTHON"] = spark.python;
    }
    if (options.master.starts_with("local")) {
        environment.try_emplace("SPARK_LOCAL_IP", "127.0.0.1");
    }
    if (!environment.contains("LANG") && !environment.contains("LC_ALL")) {
        environment["LANG"] = "C.UTF-8";
        environment["LC_ALL"] = "C.UTF-8";
    }
}

}  // namespace

Environment initial_environment(const LocalBackendOptions& options) {
    if (!options.environment.empty()) {
        return options.environment;
    }
    Environment environment;
    for (const char* name : {"HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "PATH", "TMPDIR",
                             "JAVA_HOME", "SPARK_HOME"}) {
        if (const char* value = std::getenv(name)) {
            environment[name] = value;
        }
    }
    return environment;
}

std::string find_program(const std::string& name, const Environment& environment) {
    std::string path = variable(environment, "PATH");
    if (path.empty()) {
        path = "/usr/local/bin:/usr/bin:/bin";
    }
    std::string_view rest = path;
    while (!rest.empty()) {
        auto end = std::min(rest.find(':'), rest.size());
        std::string candidate(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        candidate += "/" + name;
        if (candidate.starts_with('/') && is_executable(candidate)) {
            return candidate;
        }
    }
    return {};
}

Result<SparkInstallation> find_spark(const LocalBackendOptions& options,
                                     const Environment& environment,
                                     const std::string& empty_conf_folder) {
    auto python = find_python(options, environment);
    if (!python) {
        return python.error();
    }
    auto home = find_spark_home(options, environment, *python);
    if (!home) {
        return home.error();
    }
    SparkInstallation spark;
    spark.spark_home = *home;
    spark.environment = environment;
    if (auto read = read_jars(spark); !read) {
        return read.error();
    }
    std::string conf = variable(environment, "SPARK_CONF_DIR");
    if (conf.empty()) {
        conf = spark.spark_home + "/conf";
    }
    if (auto loaded = load_spark_env(spark, conf); !loaded) {
        return loaded.error();
    }
    if (auto read = read_conf_folder(spark, conf, empty_conf_folder); !read) {
        return read.error();
    }
    python = find_python(options, spark.environment);  // spark-env.sh may have named another
    if (!python) {
        return python.error();
    }
    spark.python = *python;
    if (auto found = find_java(spark, options); !found) {
        return found.error();
    }
    if (auto read = read_java_version(spark); !read) {
        return read.error();
    }
    complete_environment(spark, options);
    return spark;
}

}  // namespace sparkhost::detail::local
