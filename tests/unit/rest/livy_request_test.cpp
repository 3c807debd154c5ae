// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_request.hpp"

#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace sparkhost;
using detail::rest::read_create_batch;

namespace {

/// The words of the refusal of a body.
std::string refusal(const std::string& body) {
    const auto create = read_create_batch(body);
    return create ? "accepted" : create.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_livy_request)

BOOST_AUTO_TEST_CASE(every_field_finds_its_place) {
    const auto create = read_create_batch(R"({
        "file": "/a.py", "proxyUser": "bob", "args": ["x", "y"], "className": "Main",
        "jars": ["/j1", "/j2"], "pyFiles": ["/p"], "files": ["/f"], "archives": ["/z"],
        "driverMemory": "1g", "driverCores": 2, "executorMemory": "2g", "executorCores": 3,
        "numExecutors": 4, "queue": "q", "name": "n", "conf": {"spark.a": "b", "spark.c": ""}})");
    BOOST_TEST_REQUIRE(create.has_value());
    BatchSpec expected;
    expected.file = "/a.py";
    expected.proxy_user = "bob";
    expected.args = {"x", "y"};
    expected.class_name = "Main";
    expected.jars = {"/j1", "/j2"};
    expected.py_files = {"/p"};
    expected.files = {"/f"};
    expected.archives = {"/z"};
    expected.driver_memory = "1g";
    expected.driver_cores = 2;
    expected.executor_memory = "2g";
    expected.executor_cores = 3;
    expected.num_executors = 4;
    expected.queue = "q";
    expected.name = "n";
    expected.conf = {{"spark.a", "b"}, {"spark.c", ""}};
    BOOST_TEST((create->spec == expected));
    BOOST_TEST(!create->has_empty_name);
}

BOOST_AUTO_TEST_CASE(null_means_absent) {
    const auto create = read_create_batch(R"({
        "file": "/a.py", "proxyUser": null, "args": null, "className": null, "jars": null,
        "pyFiles": null, "files": null, "archives": null, "driverMemory": null,
        "driverCores": null, "executorMemory": null, "executorCores": null, "numExecutors": null,
        "queue": null, "name": null, "conf": null})");
    BOOST_TEST_REQUIRE(create.has_value());
    BatchSpec expected;
    expected.file = "/a.py";
    BOOST_TEST((create->spec == expected));
    BOOST_TEST(!create->has_empty_name);
}

BOOST_AUTO_TEST_CASE(scalars_become_strings_as_they_were_written) {
    const auto create = read_create_batch(R"({
        "file": 1, "driverMemory": 512, "name": true, "args": [1, 2.50, false, "x", 1e3],
        "conf": {"spark.a": 0.60, "spark.b": true, "spark.c": 12345678901234567890}})");
    BOOST_TEST_REQUIRE(create.has_value());
    BOOST_TEST(create->spec.file == "1");
    BOOST_TEST(create->spec.driver_memory == "512");
    BOOST_TEST(create->spec.name == "true");
    BOOST_TEST(create->spec.args == (std::vector<std::string>{"1", "2.50", "false", "x", "1e3"}),
               boost::test_tools::per_element());
    BOOST_TEST(create->spec.conf.at("spark.a") == "0.60");
    BOOST_TEST(create->spec.conf.at("spark.b") == "true");
    BOOST_TEST(create->spec.conf.at("spark.c") == "12345678901234567890");
}

BOOST_AUTO_TEST_CASE(what_is_no_property_of_spark_is_left_out) {
    const auto create = read_create_batch(
        R"({"conf": {"my.conf": "1", "spark.a": "2", "livy.uri": "3", "hive.b": "4"}})");
    BOOST_TEST_REQUIRE(create.has_value());
    BOOST_TEST((create->spec.conf ==
                std::map<std::string, std::string>{{"spark.a", "2"}, {"livy.uri", "3"}}));
    BOOST_TEST(read_create_batch(R"({"conf": {"my.conf": [1]}})").error().detail.find("conf.my") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(of_the_same_key_twice_the_last_counts) {
    const auto create = read_create_batch(
        R"({"args": ["a"], "file": "/a", "name": "", "file": "/b", "args": ["b"], "name": "n"})");
    BOOST_TEST_REQUIRE(create.has_value());
    BOOST_TEST(create->spec.file == "/b");
    BOOST_TEST(create->spec.args == std::vector<std::string>{"b"},
               boost::test_tools::per_element());
    BOOST_TEST(!create->has_empty_name);
}

BOOST_AUTO_TEST_CASE(an_empty_name_is_not_no_name) {
    BOOST_TEST(read_create_batch(R"({"name": ""})")->has_empty_name);
    BOOST_TEST(!read_create_batch(R"({})")->has_empty_name);
}

BOOST_AUTO_TEST_CASE(wrong_shapes_are_refused_with_field_and_advice) {
    struct Row {
        std::string body;
        std::string words;
    };
    const std::vector<Row> rows{
        {R"({"file": {}})", "Cannot read field \"file\": expected a string, found an object."},
        {R"({"args": "x"})",
         "Cannot read field \"args\": expected an array of strings, found a string."},
        {R"({"args": ["a", []]})",
         "Cannot read field \"args[1]\": expected a string, found an array."},
        {R"({"jars": [null]})", "Cannot read field \"jars[0]\": expected a string, found null."},
        {R"({"conf": []})",
         "Cannot read field \"conf\": expected an object of strings, found an array."},
        {R"({"conf": {"spark.a": null}})",
         "Cannot read field \"conf.spark.a\": expected a string, found null."},
        {R"({"driverCores": "2"})",
         "Cannot read field \"driverCores\": expected an integer, found a string; write the number "
         "without quotes."},
        {R"({"driverCores": "two"})",
         "Cannot read field \"driverCores\": expected an integer, found a string."},
        {R"({"driverCores": 2.5})",
         "Cannot read field \"driverCores\": expected an integer, found the number 2.5."},
        {R"({"numExecutors": true})",
         "Cannot read field \"numExecutors\": expected an integer, found the boolean true."},
        {R"({"numExecutors": 3000000000})",
         "Cannot read field \"numExecutors\": expected an integer of 32 bits, found the number "
         "3000000000."},
        {"null", "The request body must be a JSON object, found null."},
        {"[]", "The request body must be a JSON object, found an array."},
        {"\"x\"", "The request body must be a JSON object, found a string."},
    };
    for (const Row& row : rows) {
        BOOST_TEST(refusal(row.body) == row.words);
    }
}

BOOST_AUTO_TEST_CASE(unknown_fields_are_refused_in_jacksons_words) {
    const auto words = refusal(R"({"file": "/a", "x": 1})");
    BOOST_TEST(words.starts_with(
        "Unrecognized field \"x\" (class org.apache.livy.server.batch.CreateBatchRequest), not "
        "marked as ignorable (16 known properties: \"file\", \"args\", "));
    BOOST_TEST(
        words.ends_with("\"conf\"]) (through reference chain: "
                        "org.apache.livy.server.batch.CreateBatchRequest[\"x\"])"));
    BOOST_TEST(refusal(R"({"kind": "pyspark"})").starts_with("Unrecognized field \"kind\""));
    BOOST_TEST(refusal(R"({"File": "/a"})").starts_with("Unrecognized field \"File\""));
    BOOST_TEST(refusal(R"({"": 1})").starts_with("Unrecognized field \"\""));
}

BOOST_AUTO_TEST_SUITE_END()
