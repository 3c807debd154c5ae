// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/am_command.hpp"

#include "am_samples.hpp"

#include <cstdio>
#include <fstream>
#include <memory>

#include <unistd.h>

namespace sparkhost::yarn_test {

namespace {

/// What bash makes of a script that a NodeManager writes.
std::string output_of(const std::string& script) {
    const std::string path = "am_command_test." + std::to_string(::getpid()) + ".sh";
    std::ofstream(path) << script;
    const auto close = [](FILE* file) { ::pclose(file); };
    std::unique_ptr<FILE, decltype(close)> pipe(::popen(("bash " + path).c_str(), "r"), close);
    BOOST_TEST_REQUIRE(pipe != nullptr);
    std::string text;
    char part[4096];
    for (std::size_t count = 0; (count = ::fread(part, 1, sizeof(part), pipe.get())) > 0;) {
        text.append(part, count);
    }
    ::unlink(path.c_str());
    return text;
}

const std::vector<std::string> nasty{"plain",
                                     "two words",
                                     "",
                                     "a b'$c\"d",
                                     "$HOME $(id) `id` ${HOME}",
                                     "back\\slash \\\\ \\' \\\" \\$",
                                     "'",
                                     "''",
                                     "\"",
                                     "!x *.cpp ~ ; & | > <",
                                     "\xc3\xbc"};

}  // namespace

BOOST_AUTO_TEST_SUITE(yarn_am_command)

BOOST_AUTO_TEST_CASE(words_pass_both_shells_as_they_are) {
    std::string command = "printf '%s\\\\n'";
    std::string expected;
    for (const auto& each : nasty) {
        command += " " + command_word(each);
        expected += each + "\n";
    }
    BOOST_TEST(output_of("#!/bin/bash\nexec /bin/bash -c \"" + command + "\"\n") == expected);
}

BOOST_AUTO_TEST_CASE(values_pass_the_script_as_they_are) {
    for (const auto& each : nasty) {
        const std::string script =
            "#!/bin/bash\nexport VALUE=\"" + variable_value(each) + "\"\nprintenv VALUE\n";
        BOOST_TEST(output_of(script) == each + "\n");
        const std::string other = "#!/bin/bash\nunset VALUE\nexport VALUE=${VALUE:-\"" +
                                  variable_value(each) + "\"}\nprintenv VALUE\n";
        BOOST_TEST(output_of(other) == each + "\n");
    }
}

BOOST_AUTO_TEST_CASE(sparks_own_rule_is_kept) {
    BOOST_TEST(command_word("a b'$c\"d") == "'a b'\\''\\$c\\\"d'");
}

BOOST_AUTO_TEST_CASE(options_are_split_and_passed_word_by_word) {
    AmInput input = jar_input();
    input.spec.conf = {
        {"spark.driver.defaultJavaOptions", "-Da=1"},
        {"spark.driver.extraJavaOptions", "-Db='x y' -Dc=$d \"-Did={{APP_ID}}\" -XX:+UseSerialGC"}};
    const AmPlan plan = plan_of(home_options(), input);
    const std::string expected =
        " -Xmx512m -Djava.io.tmpdir={{PWD}}/tmp '-Da=1' '-Db=x y' '-Dc=\\$d' '-Did={{APP_ID}}' "
        "'-XX:+UseSerialGC' -Dspark.yarn.app.container.log.dir=<LOG_DIR> "
        "org.apache.spark.deploy.yarn.ApplicationMaster --class "
        "'io.sparkhost.guard.DriverGuard' --jar __app__.jar --arg '@granted' ";
    BOOST_TEST(plan.command.find(expected) != std::string::npos, plan.command);
}

BOOST_AUTO_TEST_CASE(nothing_of_the_application_is_in_the_command) {
    AmInput input = python_input();
    input.spec.args = {"argument-of-the-user"};
    AmInput jar = jar_input();
    jar.spec.class_name = "class.of.the.user";
    for (const auto& plan : {plan_of(home_options(), input), plan_of(home_options(), jar)}) {
        for (const char* word : {"user", "pypi", "pi.jar", "PythonRunner"}) {
            BOOST_TEST(plan.command.find(word) == std::string::npos, plan.command);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_library_path_comes_before_what_the_node_has) {
    AmInput input = jar_input();
    input.spec.conf["spark.driver.extraLibraryPath"] = "/opt/my libs:/opt/b";
    const std::string command = plan_of(home_options(), input).command;
    const std::string java = " {{JAVA_HOME}}/bin/java";
    BOOST_TEST_REQUIRE(command.find(java) != std::string::npos);
    const std::string start = command.substr(0, command.find(java));
    const std::string script = "exec /bin/bash -c \"" + start + " printenv LD_LIBRARY_PATH\"\n";
    BOOST_TEST(output_of("unset LD_LIBRARY_PATH\n" + script) == "/opt/my libs:/opt/b\n");
    BOOST_TEST(output_of("export LD_LIBRARY_PATH=/n\n" + script) == "/opt/my libs:/opt/b:/n\n");
}

BOOST_AUTO_TEST_CASE(the_guard_is_last_on_the_class_path) {
    YarnBackendOptions options = home_options();
    AmInput input = jar_input();
    input.spec.conf = {{"spark.driver.extraClassPath", "/opt/x.jar:/opt/y"},
                       {"spark.yarn.appMasterEnv.CLASSPATH", "/opt/z.jar"}};
    BOOST_TEST(plan_of(options, input).environment.at("CLASSPATH") ==
               "/opt/x.jar:/opt/y<CPS>{{PWD}}<CPS>{{PWD}}/__spark_conf__<CPS>/opt/spark/jars/*<CPS>"
               "{{PWD}}/__spark_conf__/__hadoop_conf__<CPS>/opt/z.jar<CPS>"
               "{{PWD}}/__sparkhost_guard__.jar");
}

BOOST_AUTO_TEST_CASE(variables_are_the_requests_then_the_operators_then_the_backends) {
    YarnBackendOptions options = home_options();
    options.java_home = "/opt/java";
    options.environment = {{"A", "of \"all\""}, {"B", "$x"}, {"PYTHONHASHSEED", "7"}};
    options.conf["spark.yarn.appMasterEnv.C"] = "of the conf";
    AmInput input = python_input();
    input.spec.conf = {{"spark.yarn.appMasterEnv.A", "own`"},
                       {"spark.yarn.appMasterEnv.JAVA_HOME", "/opt/java21"},
                       {"spark.yarn.appMasterEnv.PYTHONPATH", "/opt/lib"}};
    input.spec.py_files = {"/data/a.zip"};
    const auto variables = plan_of(options, input).environment;
    BOOST_TEST(variables.at("A") == "own\\`");
    BOOST_TEST(variables.at("B") == "\\$x");
    BOOST_TEST(variables.at("C") == "of the conf");
    BOOST_TEST(variables.at("JAVA_HOME") == "/opt/java21");
    BOOST_TEST(variables.at("PYTHONHASHSEED") == "7");
    BOOST_TEST(variables.at("SPARK_HOME") == "/opt/spark");
    BOOST_TEST(variables.at("PYSPARK_PYTHON") == "/opt/python/bin/python3");
    BOOST_TEST(variables.at("PYTHONPATH") == "/opt/lib<CPS>{{PWD}}/a.zip");
    BOOST_TEST(!variables.contains("SPARK_YARN_STAGING_DIR"));
}

BOOST_AUTO_TEST_CASE(executors_have_the_same_python_and_java) {
    YarnBackendOptions options = home_options();
    options.java_home = "/opt/java";
    AmInput input = python_input();
    input.spec.py_files = {"/data/a.zip"};
    input.spec.conf = {{"spark.executorEnv.PYTHONPATH", "/opt/lib"}};
    auto properties = plan_of(options, input).properties;
    BOOST_TEST(properties.at("spark.executorEnv.JAVA_HOME") == "/opt/java");
    BOOST_TEST(properties.at("spark.executorEnv.PYTHONPATH") == "/opt/lib<CPS>{{PWD}}/a.zip");
    input.spec.conf["spark.executorEnv.JAVA_HOME"] = "/opt/other";
    properties = plan_of(options, input).properties;
    BOOST_TEST(properties.at("spark.executorEnv.JAVA_HOME") == "/opt/other");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::yarn_test
