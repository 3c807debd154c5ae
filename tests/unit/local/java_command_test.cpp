// SPDX-License-Identifier: Apache-2.0
#include "backends/local/java_command.hpp"
#include "backends/common/shell_words.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace sparkhost::detail::local {

namespace {

JavaCommandRequest command_request(const char* version) {
    JavaCommandRequest request;
    request.java = "/java/bin/java";
    request.spark_home = "/spark";
    request.version = *parse_spark_version(version);
    request.logging_jars = {"/spark/jars/slf4j-api-2.0.17.jar"};
    request.conf_folder = "/conf";
    request.is_folder = [](const std::string& path) { return path == "/conf" || path == "/etc/h"; };
    return request;
}

bool holds(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(java_command)

BOOST_AUTO_TEST_CASE(options_are_split_as_spark_splits_them) {
    struct Row {
        std::string text;
        std::vector<std::string> words;
    };
    const Row rows[] = {
        {"", {}},
        {"  \t\n ", {}},
        {"-a -b", {"-a", "-b"}},
        {"  -a\t-b\n", {"-a", "-b"}},
        {"\"ab cd\" efgh 'i \" j'", {"ab cd", "efgh", "i \" j"}},
        {"-Dx=\"a b\"c", {"-Dx=a bc"}},
        {"\"\" ''", {"", ""}},
        {"a\\ b", {"a b"}},
        {"\\\"a", {"\"a"}},
        {"'a\\b'", {"a\\b"}},
        {"\"a\\\"b\"", {"a\"b"}},
        {"$HOME `x`", {"$HOME", "`x`"}},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.text) {
            auto words = split_options(row.text);
            BOOST_TEST_REQUIRE(words.has_value());
            BOOST_TEST(*words == row.words, boost::test_tools::per_element());
        }
    }
    for (const char* broken : {"'a", "\"a", "a\\", "'a\\'b'"}) {
        BOOST_TEST(split_options(broken).has_error(), broken);
    }
}

BOOST_AUTO_TEST_CASE(the_class_path_has_the_launchers_order) {
    auto request = command_request("3.5.9");
    BOOST_TEST(java_class_path(request) == "/conf/:/spark/jars/*");

    request.properties["spark.driver.extraClassPath"] = "/x.jar::/y.jar";
    request.environment = {{"HADOOP_CONF_DIR", "/etc/h"},
                           {"YARN_CONF_DIR", "/etc/h/"},
                           {"SPARK_DIST_CLASSPATH", "/z/*:/x.jar"}};
    BOOST_TEST(java_class_path(request) == "/x.jar:/y.jar:/conf/:/spark/jars/*:/etc/h/:/z/*");
}

BOOST_AUTO_TEST_CASE(spark_4_puts_its_logging_api_first_and_knows_a_default_class_path) {
    BOOST_TEST(java_class_path(command_request("4.3.0")) ==
               "/conf/:/spark/jars/slf4j-api-2.0.17.jar:/spark/jars/*");
    BOOST_TEST(java_class_path(command_request("4.0.1")) ==
               "hive-jackson/*:/conf/:/spark/jars/slf4j-api-2.0.17.jar:/spark/jars/*");
    auto request = command_request("4.3.0");
    request.properties = {{"spark.driver.extraClassPath", "/x.jar"},
                          {"spark.driver.defaultExtraClassPath", "/d/*"}};
    BOOST_TEST(java_class_path(request) ==
               "/x.jar:/d/*:/conf/:/spark/jars/slf4j-api-2.0.17.jar:/spark/jars/*");
    request.version = *parse_spark_version("3.5.9");
    BOOST_TEST(java_class_path(request) == "/x.jar:/conf/:/spark/jars/*");
}

BOOST_AUTO_TEST_CASE(the_heap_comes_from_properties_then_environment_then_one_gigabyte) {
    auto request = command_request("3.5.9");
    BOOST_TEST(holds(*java_options(request), "-Xmx1g"));
    request.environment["SPARK_MEM"] = "2g";
    BOOST_TEST(holds(*java_options(request), "-Xmx2g"));
    request.environment["SPARK_DRIVER_MEMORY"] = "3g";
    BOOST_TEST(holds(*java_options(request), "-Xmx3g"));
    request.properties["spark.driver.memory"] = "4g";
    BOOST_TEST(holds(*java_options(request), "-Xmx4g"));
}

BOOST_AUTO_TEST_CASE(every_word_of_a_full_command_is_in_its_place) {
    auto request = command_request("4.3.0");
    request.conf_options = {"-Done=1", "", "-Dtwo='2 3'"};
    request.archive = "/a.jsa";
    request.environment["SPARK_SUBMIT_OPTS"] = "-Dsubmit";
    request.properties = {{"spark.driver.defaultJavaOptions", "-Ddefault"},
                          {"spark.driver.extraJavaOptions", "-Dextra -Dlast"}};
    auto words = java_options(request);
    BOOST_TEST_REQUIRE(words.has_value());
    const std::vector<std::string> first{"/java/bin/java",
                                         "-Done=1",
                                         "-Dtwo=2 3",
                                         "-XX:SharedArchiveFile=/a.jsa",
                                         "-Xshare:auto",
                                         "-cp",
                                         java_class_path(request),
                                         "-Dsubmit",
                                         "-Xmx1g",
                                         "-Ddefault",
                                         "-Dextra",
                                         "-Dlast",
                                         "-XX:+IgnoreUnrecognizedVMOptions",
                                         "--add-modules=jdk.incubator.vector"};
    BOOST_TEST_REQUIRE(words->size() > first.size());
    BOOST_TEST(std::vector<std::string>(words->begin(), words->begin() + first.size()) == first,
               boost::test_tools::per_element());
    BOOST_TEST(words->back() == "-Dderby.connection.requireAuthentication=false");
}

BOOST_AUTO_TEST_CASE(module_options_differ_between_versions) {
    const std::string direct = "-Djdk.reflect.useDirectMethodHandle=false";
    auto of = [](const char* version) {
        return java_module_options(*parse_spark_version(version));
    };
    BOOST_TEST(of("3.5.9").size() == 17u);
    BOOST_TEST(of("3.4.0").size() == 16u);
    BOOST_TEST(holds(of("3.5.9"), direct));
    BOOST_TEST(holds(of("4.0.0"), direct));
    BOOST_TEST(!holds(of("4.3.0"), direct));
    BOOST_TEST(of("4.3.0").size() == 22u);
    BOOST_TEST(!holds(of("3.5.9"), "--add-modules=jdk.incubator.vector"));
    BOOST_TEST(holds(of("4.1.0"), "--enable-native-access=ALL-UNNAMED"));
    BOOST_TEST(!holds(of("4.0.0"), "--enable-native-access=ALL-UNNAMED"));
}

BOOST_AUTO_TEST_CASE(a_heap_size_inside_java_options_is_refused_as_spark_does) {
    for (const char* name : {"spark.driver.extraJavaOptions", "spark.driver.defaultJavaOptions"}) {
        auto request = command_request("3.5.9");
        request.properties[name] = "-Da=b '-Xmx2g'";
        auto words = java_options(request);
        BOOST_TEST_REQUIRE(words.has_error());
        BOOST_TEST(words.error().is(Errc::invalid_argument));
        BOOST_TEST(words.error().field == std::string("conf.") + name);
        request.properties[name] = "-Da='";
        BOOST_TEST(java_options(request).has_error());
        request.properties[name] = "-Da=-Xmx2g";
        BOOST_TEST(java_options(request).has_value());
    }
}

BOOST_AUTO_TEST_CASE(the_applications_arguments_come_after_its_file) {
    SubmitArguments arguments;
    arguments.properties_file = "/p";
    arguments.file = "/a.py";
    arguments.args = {"--master", "x", "--", "-"};
    const std::vector<std::string> plain{"org.apache.spark.deploy.SparkSubmit",
                                         "--properties-file",
                                         "/p",
                                         "/a.py",
                                         "--master",
                                         "x",
                                         "--",
                                         "-"};
    BOOST_TEST(submit_arguments(arguments) == plain, boost::test_tools::per_element());
    arguments.class_name = "C";
    arguments.proxy_user = "bob";
    arguments.args.clear();
    const std::vector<std::string> full{"org.apache.spark.deploy.SparkSubmit",
                                        "--properties-file",
                                        "/p",
                                        "--class",
                                        "C",
                                        "--proxy-user",
                                        "bob",
                                        "/a.py"};
    BOOST_TEST(submit_arguments(arguments) == full, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(spark_version)

BOOST_AUTO_TEST_CASE(versions_are_read_from_names_and_texts) {
    auto version = version_of_core_jar("spark-core_2.12-3.5.9.jar");
    BOOST_TEST_REQUIRE(version.has_value());
    BOOST_TEST(version->major == 3);
    BOOST_TEST(version->minor == 5);
    BOOST_TEST(version->text == "3.5.9");
    BOOST_TEST(version_of_core_jar("spark-core_2.13-4.0.0-preview2.jar")->text == "4.0.0-preview2");
    for (const char* other : {"spark-core_2.12-3.5.9-tests.txt", "spark-sql_2.12-3.5.9.jar",
                              "spark-core_2.12.jar", "spark-core_2.12-x.jar"}) {
        BOOST_TEST(!version_of_core_jar(other).has_value(), other);
    }
    BOOST_TEST(!parse_spark_version("3").has_value());
    BOOST_TEST(!parse_spark_version("").has_value());
    BOOST_TEST(parse_spark_version("3.10.1")->at_least(3, 5));
    BOOST_TEST(!parse_spark_version("3.4.9")->at_least(3, 5));
    BOOST_TEST(parse_spark_version("4.0")->at_least(3, 5));
}

BOOST_AUTO_TEST_CASE(java_versions_of_all_schemes_are_understood) {
    BOOST_TEST(java_major_version("17.0.21.1") == 17);
    BOOST_TEST(java_major_version("21") == 21);
    BOOST_TEST(java_major_version("1.8.0_392") == 8);
    BOOST_TEST(java_major_version("") == 0);
    BOOST_TEST(java_major_version("unknown") == 0);
    BOOST_TEST(java_version_of_release("A=\"b\"\nJAVA_VERSION=\"17.0.9\"\nC=d\n") == "17.0.9");
    BOOST_TEST(java_version_of_release("JAVA_VERSION=11.0.2") == "11.0.2");
    BOOST_TEST(java_version_of_release("IMPLEMENTOR=\"x\"\n") == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::local
