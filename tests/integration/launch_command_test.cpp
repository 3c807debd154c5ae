// SPDX-License-Identifier: Apache-2.0

// Our command against what the installation's own bin/spark-submit executes, word by word.

#include "integration/real_spark.hpp"
#include "support/temp_dir.hpp"

#include "backends/local/launch_recipe.hpp"
#include "backends/local/process_start.hpp"
#include "backends/local/spark_installation.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace sparkhost::test {

namespace {

using namespace std::chrono_literals;
namespace local = detail::local;

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t begin = 0; begin < text.size();) {
        auto end = text.find('\0', begin);
        words.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return words;
}

std::string variable_of(const std::vector<std::string>& environment, const std::string& name) {
    for (const auto& word : environment) {
        if (word.starts_with(name + "=")) {
            return word.substr(name.size() + 1);
        }
    }
    return "(unset)";
}

/// A Java home that lets Spark's launcher run and writes down what it is asked to run then.
class CuriousJava {
public:
    explicit CuriousJava(const TempDir& dir) : dir_(dir) {
        const std::string real = local::find_program("java", {{"PATH", std::getenv("PATH")}});
        dir.write("java/release", "JAVA_VERSION=\"17.0.9\"\n");
        auto java = dir.write("java/bin/java",
                              "#!/bin/bash\n"
                              "case \" $* \" in *' org.apache.spark.launcher.Main '*)\n"
                              "    exec " +
                                  real +
                                  " \"$@\";;\n"
                                  "esac\n"
                                  "printf '%s\\0' \"$0\" \"$@\" > " +
                                  (dir / "words").string() + "\nenv -0 > " +
                                  (dir / "environment").string() + "\n");
        ::chmod(java.c_str(), 0700);
    }
    std::string home() const { return (dir_ / "java").string(); }
    std::vector<std::string> words() const { return words_of(read_text(dir_ / "words")); }
    std::vector<std::string> environment() const {
        return words_of(read_text(dir_ / "environment"));
    }

private:
    const TempDir& dir_;
};

struct CommandCase {
    const char* name;
    detail::Properties properties;
    std::string class_name;
    std::vector<std::string> args;
};

const CommandCase command_cases[] = {
    {"nothing set", {}, "", {}},
    {"application arguments", {}, "", {"--master", "x y", "", "-h"}},
    {"main class", {}, "org.example.Main", {"1"}},
    {"driver settings",
     {{"spark.driver.memory", "700m"},
      {"spark.driver.extraClassPath", "/etc:/no/such.jar"},
      {"spark.driver.extraLibraryPath", "/opt/native"},
      {"spark.driver.defaultJavaOptions", "-Dfirst=1"},
      {"spark.driver.extraJavaOptions", "-Dsecond='a b' -Dthird=\"c\\\"d\""}},
     "",
     {}},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(launch_command)

BOOST_DATA_TEST_CASE(every_word_is_what_spark_submit_executes,
                     boost::unit_test::data::make(all_sparks), spark) {
    for (const auto& row : command_cases) {
        BOOST_TEST_CONTEXT(row.name) {
            TempDir dir;
            CuriousJava java(dir);
            const std::string app = dir.write("app.py", "").string();
            local::WorkPaths paths{(dir / "work").string()};
            const std::string ticket = "t-1";
            dir.write("work/tickets/t-1/spark.properties",
                      detail::write_properties(row.properties));
            const local::Environment environment{{"PATH", "/usr/bin:/bin"},
                                                 {"HOME", dir.path().string()},
                                                 {"HADOOP_CONF_DIR", "/etc"},
                                                 {"LD_LIBRARY_PATH", "/lib/before"},
                                                 {"SPARK_SUBMIT_OPTS", "-Dsubmit=1"}};

            local::ProcessStart submit;
            submit.program = spark.home() + "/bin/spark-submit";
            submit.environment = environment;
            submit.environment["JAVA_HOME"] = java.home();
            submit.environment["SPARK_HOME"] = spark.home();
            submit.arguments = {"--properties-file", paths.properties(ticket)};
            if (!row.class_name.empty()) {
                submit.arguments.insert(submit.arguments.end(), {"--class", row.class_name});
            }
            submit.arguments.push_back(app);
            submit.arguments.insert(submit.arguments.end(), row.args.begin(), row.args.end());
            auto output = local::run_program(submit, 120s);
            BOOST_TEST_REQUIRE(output.has_value());
            BOOST_TEST_REQUIRE(output->status == 0, output->err);

            LocalBackendOptions options;
            options.spark_home = spark.home();
            options.java_home = java.home();
            options.python = spark.python();
            const std::string ours = (dir / "empty-conf").string();
            auto found = local::find_spark(options, environment, ours);
            BOOST_TEST_REQUIRE(found.has_value());
            local::LaunchRecipe recipe;
            recipe.ticket = ticket;
            recipe.paths = paths;
            recipe.spec.file = app;
            recipe.spec.class_name = row.class_name;
            recipe.spec.args = row.args;
            recipe.data.spark_home = found->spark_home;
            recipe.data.spark_version = found->version.text;
            recipe.data.logging_jars = found->logging_jars;
            recipe.data.java = found->java;
            recipe.data.conf_folder = found->conf_folder;
            recipe.data.properties = row.properties;
            recipe.environment = found->environment;
            auto plan = local::make_launch_plan(recipe);
            BOOST_TEST_REQUIRE(plan.has_value());

            // the one deliberate difference: an empty folder of ours for $SPARK_HOME/conf
            auto words = java.words();
            const std::string theirs = spark.home() + "/conf";
            for (auto& word : words) {
                if (auto at = word.find(theirs + ":"); at != std::string::npos) {
                    word.replace(at, theirs.size(), ours);
                }
            }
            BOOST_TEST(plan->arguments == words, boost::test_tools::per_element());
            for (const char* name : {"LD_LIBRARY_PATH", "PYTHONHASHSEED", "SPARK_SCALA_VERSION",
                                     "SPARK_ENV_LOADED", "SPARK_CONF_DIR", "SPARK_HOME"}) {
                BOOST_TEST(
                    variable_of(plan->environment, name) == variable_of(java.environment(), name),
                    name);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
