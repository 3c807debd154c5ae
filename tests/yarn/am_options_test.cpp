// SPDX-License-Identifier: Apache-2.0
#include "am_samples.hpp"

#include <functional>
#include <stdexcept>

namespace sparkhost::yarn_test {

namespace {

/// The option that is refused: "staging"; "none".
std::string refused_option(const YarnBackendOptions& options) {
    try {
        check_am_options(options);
    } catch (const std::invalid_argument& refusal) {
        const std::string text = refusal.what();
        const std::string start = "YarnBackendOptions::";
        BOOST_TEST(text.starts_with(start), text);
        return text.substr(start.size(), text.find(':', start.size()) - start.size());
    }
    return "none";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(yarn_am_options)

BOOST_AUTO_TEST_CASE(usual_options_are_taken) {
    YarnBackendOptions options = home_options();
    options.java_home = "/usr/lib/jvm/java-17";
    options.python = "python3.11";
    options.environment = {{"A", "anything $ \" goes"}};
    options.conf = {{"spark.hadoop.yarn.resourcemanager.hostname", "rm"},
                    {"spark.driver.extraJavaOptions", "-Da=b"},
                    {"spark.master", "yarn"}};
    BOOST_TEST(refused_option(options) == "none");
    BOOST_TEST(refused_option(archive_options()) == "none");
    for (const char* staging : {"hdfs://nn:8020/user/{user}/.sparkhost", "hdfs:///tmp/s/",
                                "hdfs:/tmp/s", "file:/srv/staging", "file:///srv/staging"}) {
        options.staging = staging;
        BOOST_TEST(refused_option(options) == "none", staging);
    }
}

BOOST_AUTO_TEST_CASE(options_that_cannot_work_are_refused_by_name) {
    struct Row {
        const char* option;
        std::function<void(YarnBackendOptions&)> change;
    };
    const Row rows[] = {
        {"staging", [](auto& o) { o.staging.clear(); }},
        {"staging", [](auto& o) { o.staging = "/srv/staging"; }},
        {"staging", [](auto& o) { o.staging = "s3a://bucket/x"; }},
        {"staging", [](auto& o) { o.staging = "file://host/x"; }},
        {"staging", [](auto& o) { o.staging = "hdfs://nn"; }},
        {"staging", [](auto& o) { o.staging = "file:///"; }},
        {"staging", [](auto& o) { o.staging = "file:///a b"; }},
        {"staging", [](auto& o) { o.staging = "file:///a#b"; }},
        {"staging", [](auto& o) { o.staging = "file:///{other}"; }},
        {"webhdfs",
         [](auto& o) {
             o.staging = "hdfs://nn/x";
             o.webhdfs.clear();
         }},
        {"spark_home", [](auto& o) { o.spark_home.clear(); }},
        {"spark_home", [](auto& o) { o.spark_archive = "hdfs://nn/x.zip"; }},
        {"spark_home", [](auto& o) { o.spark_home = "opt/spark"; }},
        {"spark_home", [](auto& o) { o.spark_home = "/opt/$x"; }},
        {"spark_home", [](auto& o) { o.spark_home = "/opt/{{x}}"; }},
        {"spark_archive",
         [](auto& o) {
             o.spark_home.clear();
             o.spark_archive = "local:/x.zip";
         }},
        {"spark_archive",
         [](auto& o) {
             o.spark_home.clear();
             o.spark_archive = "hdfs://nn/x.jars";
         }},
        {"pyspark_archives", [](auto& o) { o.pyspark_archives = {"hdfs://nn/x.zip"}; }},
        {"pyspark_archives",
         [](auto& o) {
             o = archive_options();
             o.pyspark_archives = {"hdfs://nn/a/x.zip", "hdfs://nn/b/x.zip"};
         }},
        {"pyspark_archives",
         [](auto& o) {
             o = archive_options();
             o.pyspark_archives = {"/x.zip"};
         }},
        {"java_home", [](auto& o) { o.java_home = "java"; }},
        {"python", [](auto& o) { o.python = "bin/python"; }},
        {"python", [](auto& o) { o.python = "/bin/\"python"; }},
        {"environment",
         [](auto& o) {
             o.environment = {{"SPARKHOST_X", "x"}};
         }},
        {"environment",
         [](auto& o) {
             o.environment = {{"A B", "x"}};
         }},
        {"environment",
         [](auto& o) {
             o.environment = {{"A", "{{PWD}}"}};
         }},
        {"environment",
         [](auto& o) {
             o.environment = {{"A", "x\n"}};
         }},
        {"conf",
         [](auto& o) {
             o.conf = {{"spark.master", "local"}};
         }},
        {"conf",
         [](auto& o) {
             o.conf = {{"spark.yarn.jars", "x"}};
         }},
        {"conf",
         [](auto& o) {
             o.conf = {{"no.spark", "x"}};
         }},
        {"conf",
         [](auto& o) {
             o.conf = {{"spark.driver.extraJavaOptions", "-Dpassword=x"}};
         }},
        {"user", [](auto& o) { o.user = "a&b"; }},
        {"queue", [](auto& o) { o.queue = "a\nb"; }},
    };
    for (const auto& row : rows) {
        YarnBackendOptions options = home_options();
        row.change(options);
        BOOST_TEST(refused_option(options) == row.option);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::yarn_test
