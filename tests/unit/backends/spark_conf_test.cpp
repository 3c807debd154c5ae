// SPDX-License-Identifier: Apache-2.0
#include "backends/common/spark_conf.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <stdexcept>

namespace sparkhost::detail {

namespace {

ConfLayers plain_layers() {
    ConfLayers layers;
    layers.refused = {"spark.launcher.*", "spark.submit.deployMode", "spark.remote"};
    return layers;
}

BatchSpec plain_spec() {
    BatchSpec spec;
    spec.file = "/app.py";
    return spec;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(spark_conf)

BOOST_AUTO_TEST_CASE(what_is_nearer_to_the_request_wins) {
    ConfLayers layers = plain_layers();
    layers.defaults = {{"spark.a", "default"},
                       {"spark.b", "default"},
                       {"spark.c", "default"},
                       {"spark.master", "yarn"},
                       {"not.spark", "dropped"}};
    layers.conf = {{"spark.b", "backend"}, {"spark.c", "backend"}};
    BatchSpec spec = plain_spec();
    spec.conf = {{"spark.c", "request"}, {"spark.master", "spark://evil:7077"}};
    auto properties = merged_properties(layers, spec);
    BOOST_TEST_REQUIRE(properties.has_value());
    const Properties expected{{"spark.a", "default"},
                              {"spark.b", "backend"},
                              {"spark.c", "request"},
                              {"spark.master", "spark://evil:7077"}};
    BOOST_TEST((*properties == expected));
}

BOOST_AUTO_TEST_CASE(fields_become_properties) {
    BatchSpec spec = plain_spec();
    spec.conf = {{"spark.driver.memory", "1g"},
                 {"spark.jars", "/c.jar"},
                 {"spark.ui.showConsoleProgress", "true"}};
    spec.driver_memory = "2g";
    spec.driver_cores = 2;
    spec.executor_memory = "512m";
    spec.executor_cores = 3;
    spec.num_executors = 4;
    spec.queue = "fast";
    spec.name = "nightly report";
    spec.jars = {"/a.jar", "/b.jar"};
    spec.py_files = {"/m.zip"};
    spec.files = {"/f#g"};
    spec.archives = {"/z.zip#z"};
    auto properties = merged_properties(plain_layers(), spec);
    BOOST_TEST_REQUIRE(properties.has_value());
    const Properties expected{
        {"spark.driver.memory", "2g"},        {"spark.driver.cores", "2"},
        {"spark.executor.memory", "512m"},    {"spark.executor.cores", "3"},
        {"spark.executor.instances", "4"},    {"spark.yarn.queue", "fast"},
        {"spark.app.name", "nightly report"}, {"spark.jars", "/c.jar,/a.jar,/b.jar"},
        {"spark.submit.pyFiles", "/m.zip"},   {"spark.files", "/f#g"},
        {"spark.archives", "/z.zip#z"},       {"spark.ui.showConsoleProgress", "true"}};
    BOOST_TEST((*properties == expected));
}

BOOST_AUTO_TEST_CASE(a_refusal_names_the_field) {
    struct Row {
        std::function<void(BatchSpec&)> change;
        std::string field;
    };
    const Row rows[] = {
        {[](BatchSpec& s) { s.conf["spark.launcher.port"] = "1"; }, "conf.spark.launcher.port"},
        {[](BatchSpec& s) { s.conf["spark.submit.deployMode"] = "cluster"; },
         "conf.spark.submit.deployMode"},
        {[](BatchSpec& s) { s.conf["spark.remote"] = "x"; }, "conf.spark.remote"},
        {[](BatchSpec& s) { s.conf["java.home"] = "x"; }, "conf.java.home"},
        {[](BatchSpec& s) { s.conf["spark."] = "x"; }, "conf.spark."},
        {[](BatchSpec& s) { s.conf[""] = "x"; }, "conf."},
        {[](BatchSpec& s) { s.conf["spark.a b"] = "x"; }, "conf.spark.a b"},
        {[](BatchSpec& s) { s.conf["spark.a=b"] = "x"; }, "conf.spark.a=b"},
        {[](BatchSpec& s) { s.conf["spark.a\nspark.b"] = "x"; }, "conf"},
        {[](BatchSpec& s) { s.conf["spark.\xC3\xA9"] = "x"; }, "conf.spark.\xC3\xA9"},
        {[](BatchSpec& s) { s.conf["spark.a"] = std::string("a\0b", 3); }, "conf.spark.a"},
        {[](BatchSpec& s) { s.conf["spark.a"] = "\x1b[0m"; }, "conf.spark.a"},
        {[](BatchSpec& s) { s.driver_memory = "lots"; }, "driver_memory"},
        {[](BatchSpec& s) { s.driver_memory = "1g -XX:OnError=x"; }, "driver_memory"},
        {[](BatchSpec& s) { s.driver_memory = "-1g"; }, "driver_memory"},
        {[](BatchSpec& s) { s.executor_memory = "1gb"; }, "executor_memory"},
        {[](BatchSpec& s) { s.driver_cores = 0; }, "driver_cores"},
        {[](BatchSpec& s) { s.executor_cores = -1; }, "executor_cores"},
        {[](BatchSpec& s) { s.num_executors = 0; }, "num_executors"},
        {[](BatchSpec& s) { s.name = "a\nb"; }, "name"},
        {[](BatchSpec& s) { s.queue = "a\tb"; }, "queue"},
        {[](BatchSpec& s) {
             s.jars = {"/a.jar", "/b.jar,/etc/passwd"};
         },
         "jars[1]"},
        {[](BatchSpec& s) { s.files = {""}; }, "files[0]"},
        {[](BatchSpec& s) { s.py_files = {"a\nb"}; }, "py_files[0]"},
        {[](BatchSpec& s) { s.archives = {"a,b"}; }, "archives[0]"},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.field) {
            BatchSpec spec = plain_spec();
            row.change(spec);
            auto properties = merged_properties(plain_layers(), spec);
            BOOST_TEST_REQUIRE(properties.has_error());
            BOOST_TEST(properties.error().is(Errc::invalid_argument));
            BOOST_TEST(properties.error().field == row.field);
            BOOST_TEST(!properties.error().detail.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(values_may_hold_line_breaks_and_any_language) {
    BatchSpec spec = plain_spec();
    spec.conf = {{"spark.a", "one\n\ttwo\r\n"}, {"spark.b", "\xC3\xA9"}, {"spark.c", ""}};
    BOOST_TEST(merged_properties(plain_layers(), spec).has_value());
}

BOOST_AUTO_TEST_CASE(patterns_match_exactly_or_by_their_beginning) {
    const std::vector<std::string> patterns{"spark.a", "spark.b.*"};
    BOOST_TEST(matches_any(patterns, "spark.a"));
    BOOST_TEST(!matches_any(patterns, "spark.ab"));
    BOOST_TEST(!matches_any(patterns, "spark.A"));
    BOOST_TEST(matches_any(patterns, "spark.b.c"));
    BOOST_TEST(!matches_any(patterns, "spark.bc"));
    BOOST_TEST(matches_any({"*"}, "anything"));
    BOOST_TEST(!matches_any({}, "spark.a"));
}

BOOST_AUTO_TEST_CASE(command_fields_that_could_be_options_are_refused) {
    struct Row {
        std::function<void(BatchSpec&)> change;
        std::string field;
    };
    const Row rows[] = {
        {[](BatchSpec& s) { s.file = ""; }, "file"},
        {[](BatchSpec& s) { s.file = "--conf"; }, "file"},
        {[](BatchSpec& s) { s.file = "pyspark-shell"; }, "file"},
        {[](BatchSpec& s) { s.file = "relative.py"; }, "file"},
        {[](BatchSpec& s) { s.file = "/a\nb.py"; }, "file"},
        {[](BatchSpec& s) { s.class_name = "--jars"; }, "class_name"},
        {[](BatchSpec& s) { s.class_name = "a\tb"; }, "class_name"},
        {[](BatchSpec& s) { s.proxy_user = "-x"; }, "proxy_user"},
        {[](BatchSpec& s) {
             s.args = {"a", std::string("\0", 1)};
         },
         "args[1]"},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.field) {
            BatchSpec spec = plain_spec();
            row.change(spec);
            auto checked = check_command_fields(spec);
            BOOST_TEST_REQUIRE(checked.has_error());
            BOOST_TEST(checked.error().is(Errc::invalid_argument));
            BOOST_TEST(checked.error().field == row.field);
        }
    }
    BatchSpec spec = plain_spec();
    spec.args = {"-x", "--master", "", "\n"};
    spec.class_name = "org.example.Main";
    BOOST_TEST(check_command_fields(spec).has_value());
    spec.file = "s3a://bucket/app.jar";
    BOOST_TEST(check_command_fields(spec).has_value());
}

BOOST_AUTO_TEST_CASE(local_paths_are_found_in_uris) {
    struct Row {
        const char* file;
        const char* path;
    };
    const Row rows[] = {
        {"/a b%20.py", "/a b%20.py"},
        {"file:/a.py", "/a.py"},
        {"file:///a%20b.py", "/a b.py"},
        {"FILE:///a.py", "/a.py"},
        {"file://localhost/a.py", "/a.py"},
        {"local:///a.jar", "/a.jar"},
        {"file:///a.zip#alias", "/a.zip"},
        {"file:///a%2", "/a%2"},
        {"file:///a%zz", "/a%zz"},
        {"hdfs:///a.py", ""},
        {"s3a://b/a.py", ""},
        {"http://h/a.py", ""},
    };
    for (const auto& row : rows) {
        BOOST_TEST(local_path(row.file) == row.path, row.file);
    }
}

BOOST_AUTO_TEST_CASE(schemes_are_found) {
    BOOST_TEST(uri_scheme("S3A://b/x") == "s3a");
    BOOST_TEST(uri_scheme("/a:b") == "");
    BOOST_TEST(uri_scheme("a b:c") == "");
    BOOST_TEST(uri_scheme("") == "");
}

BOOST_AUTO_TEST_CASE(wrong_operator_properties_throw_and_name_the_option) {
    BOOST_CHECK_NO_THROW(check_operator_conf({{"spark.a", "b"}}, "X::conf"));
    BOOST_CHECK_THROW(check_operator_conf({{"spark.a", "\x01"}}, "X::conf"), std::invalid_argument);
    BOOST_CHECK_EXCEPTION(
        check_operator_conf({{"a", "b"}}, "X::conf"), std::invalid_argument,
        [](const auto& thrown) { return std::string(thrown.what()).starts_with("X::conf: a: "); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
