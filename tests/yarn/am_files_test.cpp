// SPDX-License-Identifier: Apache-2.0
#include "am_samples.hpp"

#include <sstream>

namespace sparkhost::yarn_test {

namespace {

/// "link<-source copied archive executors".
std::string words(const PlannedResource& resource) {
    std::ostringstream out;
    out << resource.link << "<-" << resource.source << (resource.copied ? " copied" : "")
        << (resource.archive ? " archive" : "") << (resource.for_executors ? " executors" : "");
    return out.str();
}

std::vector<std::string> words(const AmPlan& plan) {
    std::vector<std::string> all;
    for (const auto& each : plan.resources) {
        all.push_back(words(each));
    }
    return all;
}

std::string secondary_jars(const AmPlan& plan) {
    const auto found = plan.properties.find("spark.yarn.secondary.jars");
    return found == plan.properties.end() ? "" : found->second;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(yarn_am_files)

BOOST_AUTO_TEST_CASE(the_applications_file_is_copied_referenced_or_on_every_node) {
    struct Row {
        const char* file;
        const char* resource;  ///< empty: none
        const char* word;      ///< of a Python application
    };
    const Row rows[] = {
        {"/data/x.jar", "__app__.jar<-/data/x.jar copied executors", ""},
        {"file:///data/a%20b.jar", "__app__.jar<-/data/a b.jar copied executors", ""},
        {"HDFS://nn:8020/data/x.jar", "__app__.jar<-hdfs://nn:8020/data/x.jar executors", ""},
        {"hdfs:///data/x.jar", "__app__.jar<-hdfs:///data/x.jar executors", ""},
        {"local:/opt/x.jar", "", ""},
        {"/data/x.py", "x.py<-/data/x.py copied", "x.py"},
        {"hdfs://nn/data/x.py", "x.py<-hdfs://nn/data/x.py", "x.py"},
        {"local:/opt/x.py", "", "/opt/x.py"},
        {"local:///opt/a%20b.py", "", "/opt/a b.py"},
    };
    for (const auto& row : rows) {
        AmInput input = jar_input();
        input.spec.file = row.file;
        const AmPlan plan = plan_of(home_options(), input);
        BOOST_TEST_CONTEXT(row.file) {
            BOOST_TEST(plan.resources.size() == (*row.resource == '\0' ? 0U : 1U));
            BOOST_TEST((plan.resources.empty() ? "" : words(plan.resources.front())) ==
                       row.resource);
            if (*row.word != '\0') {
                BOOST_TEST(plan.arguments.at(1) == row.word);
            }
            const bool has_jar = std::string(row.resource).starts_with("__app__");
            BOOST_TEST((plan.command.find(" --jar __app__.jar ") != std::string::npos) == has_jar);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_jar_that_is_on_every_node_is_named_to_the_am) {
    AmInput input = jar_input();
    input.spec.file = "local:/opt/x.jar";
    const AmPlan plan = plan_of(home_options(), input);
    BOOST_TEST(plan.properties.at("spark.yarn.user.jar") == "local:/opt/x.jar");
}

BOOST_AUTO_TEST_CASE(lists_of_properties_and_fields_come_together) {
    AmInput input = jar_input();
    input.spec.jars = {"/data/c.jar#d.jar", "local:/opt/e.jar", "/data/b.jar"};
    input.spec.conf = {{"spark.jars", "hdfs://nn/a.jar , /data/b.jar,"},
                       {"spark.yarn.dist.jars", "/data/z.jar"}};
    const AmPlan plan = plan_of(home_options(), input);
    const std::vector<std::string> expected{
        "__app__.jar<-/data/pi.jar copied executors", "z.jar<-/data/z.jar copied executors",
        "a.jar<-hdfs://nn/a.jar executors", "b.jar<-/data/b.jar copied executors",
        "d.jar<-/data/c.jar copied executors"};
    BOOST_TEST(words(plan) == expected, boost::test_tools::per_element());
    BOOST_TEST(secondary_jars(plan) == "z.jar,a.jar,b.jar,d.jar,local:/opt/e.jar");
}

BOOST_AUTO_TEST_CASE(a_requests_list_takes_the_place_of_the_operators) {
    YarnBackendOptions options = home_options();
    options.conf["spark.files"] = "hdfs://nn/general.txt";
    AmInput input = jar_input();
    BOOST_TEST(words(plan_of(options, input)).back() ==
               "general.txt<-hdfs://nn/general.txt executors");
    input.spec.conf["spark.files"] = "/data/own.txt";
    const AmPlan plan = plan_of(options, input);
    BOOST_TEST(plan.resources.size() == 2U);
    BOOST_TEST(words(plan).back() == "own.txt<-/data/own.txt copied executors");
}

BOOST_AUTO_TEST_CASE(files_and_archives_have_their_alias) {
    AmInput input = jar_input();
    input.spec.files = {"/data/a b.csv#a.csv", "local:/etc/there.txt", "/data/plain=1.csv"};
    input.spec.archives = {"hdfs://nn/env.tar.gz#env", "/data/models.zip"};
    const std::vector<std::string> expected{
        "__app__.jar<-/data/pi.jar copied executors", "a.csv<-/data/a b.csv copied executors",
        "plain=1.csv<-/data/plain=1.csv copied executors",
        "env<-hdfs://nn/env.tar.gz archive executors",
        "models.zip<-/data/models.zip copied archive executors"};
    BOOST_TEST(words(plan_of(home_options(), input)) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(python_files_are_on_the_path_of_driver_and_executors) {
    AmInput input = python_input();
    input.spec.py_files = {"/data/a.py", "hdfs://nn/b.zip", "/data/c.egg#d.egg",
                           "local:/opt/e f.zip", "/data/g.py"};
    const AmPlan plan = plan_of(home_options(), input);
    const std::vector<std::string> expected{
        "pypi.py<-/data/pypi.py copied", "__pyfiles__/a.py<-/data/a.py copied executors",
        "b.zip<-hdfs://nn/b.zip executors", "d.egg<-/data/c.egg copied executors",
        "__pyfiles__/g.py<-/data/g.py copied executors"};
    BOOST_TEST(words(plan) == expected, boost::test_tools::per_element());
    const std::string path =
        "{{PWD}}/__pyfiles__<CPS>{{PWD}}/b.zip<CPS>{{PWD}}/d.egg<CPS>/opt/e f.zip";
    BOOST_TEST(plan.environment.at("PYTHONPATH") == path);
    BOOST_TEST(plan.properties.at("spark.executorEnv.PYTHONPATH") == path);
}

BOOST_AUTO_TEST_CASE(a_python_file_may_have_the_name_of_another_file) {
    AmInput input = python_input();
    input.spec.file = "/data/a.py";
    input.spec.py_files = {"/lib/a.py"};
    BOOST_TEST(plan_of(home_options(), input).resources.size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_same_file_again_is_no_other) {
    AmInput input = python_input();
    input.spec.files = {"/data/pypi.py", "/data/x", "file:/data/x"};
    const std::vector<std::string> expected{"pypi.py<-/data/pypi.py copied executors",
                                            "x<-/data/x copied executors"};
    BOOST_TEST(words(plan_of(home_options(), input)) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(sparks_archive_and_pyspark_come_first) {
    const std::vector<std::string> expected{
        "__spark_libs__<-file:///srv/spark/spark-libs.zip archive executors",
        "pyspark.zip<-file:///srv/spark/pyspark.zip executors",
        "py4j-0.10.9.7-src.zip<-file:///srv/spark/py4j-0.10.9.7-src.zip executors",
        "pypi.py<-/data/pypi.py copied"};
    BOOST_TEST(words(plan_of(archive_options(), python_input())) == expected,
               boost::test_tools::per_element());
    BOOST_TEST(plan_of(archive_options(), jar_input()).resources.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_file_cannot_take_pysparks_name) {
    AmInput input = python_input();
    input.spec.py_files = {"/data/pyspark.zip"};
    BOOST_TEST(refused_field(archive_options(), input) == "py_files[0]");
    BOOST_TEST(refused_field(home_options(), input) == "none");
}

BOOST_AUTO_TEST_CASE(a_jar_of_the_hosts_own_files_is_copied) {
    AmInput input = jar_input();
    input.files = {{"/data/pi.jar", false}};
    const AmPlan plan = plan_of(home_options(), input);
    BOOST_TEST(words(plan).front() == "__app__.jar<-/data/pi.jar copied executors");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::yarn_test
