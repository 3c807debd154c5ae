// SPDX-License-Identifier: Apache-2.0
#include "am_samples.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <vector>

namespace sparkhost::yarn_test {

BOOST_AUTO_TEST_SUITE(yarn_am_plan)

BOOST_AUTO_TEST_CASE(a_jar_is_run_by_its_class) {
    const AmPlan plan = plan_of(home_options(), jar_input());
    BOOST_TEST(plan.arguments == (std::vector<std::string>{"JPi", "2", "a b'$c\"d"}),
               boost::test_tools::per_element());
    BOOST_TEST(plan.name == "pi");
    BOOST_TEST(plan.queue == "default");
    BOOST_TEST(plan.user == "alice");
    BOOST_TEST(plan.staging == "file:///srv/staging");
    BOOST_TEST(plan.memory_mib == 896);
    BOOST_TEST(plan.cores == 1);
    BOOST_TEST(!plan.priority.has_value());
    BOOST_TEST(plan.node_label.empty());
    const std::vector<std::string> tags{"sparkhost-01234567-89ab-cdef-0123-456789abcdef",
                                        "spark-01234567-batch-7-1"};
    BOOST_TEST(plan.tags == tags, boost::test_tools::per_element());
    BOOST_TEST(plan.properties.at("spark.master") == "yarn");
    BOOST_TEST(plan.properties.at("spark.submit.deployMode") == "cluster");
    BOOST_TEST(plan.properties.at("spark.yarn.maxAppAttempts") == "1");
    BOOST_TEST(plan.properties.at("spark.yarn.jars") == "local:/opt/spark/jars/*");
    BOOST_TEST(plan.properties.at("spark.executorEnv.SPARK_HOME") == "/opt/spark");
    BOOST_TEST(!plan.properties.contains("spark.yarn.isPython"));
}

BOOST_AUTO_TEST_CASE(a_python_application_is_run_by_sparks_runner) {
    const AmPlan plan = plan_of(archive_options(), python_input());
    const std::vector<std::string> words{"org.apache.spark.deploy.PythonRunner", "pypi.py", "", "2",
                                         "a b'$c\"d"};
    BOOST_TEST(plan.arguments == words, boost::test_tools::per_element());
    BOOST_TEST(plan.properties.at("spark.yarn.isPython") == "true");
    BOOST_TEST(plan.properties.at("spark.executorEnv.PYTHONPATH") ==
               "{{PWD}}/pyspark.zip<CPS>{{PWD}}/py4j-0.10.9.7-src.zip");
    BOOST_TEST(plan.properties.at("spark.yarn.archive") == "file:///srv/spark/spark-libs.zip");
    BOOST_TEST(!plan.properties.contains("spark.yarn.jars"));
}

BOOST_AUTO_TEST_CASE(files_of_the_driver_come_with_the_grant) {
    AmInput input = python_input();
    input.files = {{"/run/agent/agent.py", false}, {"/run/agent/secret", true}};
    input.spec.file = "/run/agent/agent.py";
    input.spec.args = {"/run/agent/secret", "/run/agent/other", "x/run/agent/secret"};
    const AmPlan plan = plan_of(home_options(), input);
    const std::vector<std::string> words{"org.apache.spark.deploy.PythonRunner",
                                         "{{sparkhost}}/agent.py",
                                         "",
                                         "{{sparkhost}}/secret",
                                         "/run/agent/other",
                                         "x/run/agent/secret"};
    BOOST_TEST(plan.arguments == words, boost::test_tools::per_element());
    BOOST_TEST(plan.resources.empty());
}

BOOST_AUTO_TEST_CASE(who_submits_is_the_requests_the_options_or_the_process_user) {
    YarnBackendOptions options = home_options();
    options.staging = "hdfs://namenode:8020/user/{user}/.sparkhost/";
    AmInput input = jar_input();
    BOOST_TEST(plan_of(options, input).staging == "hdfs://namenode:8020/user/alice/.sparkhost");
    input.spec.proxy_user = "bob";
    const AmPlan plan = plan_of(options, input);
    BOOST_TEST(plan.user == "bob");
    BOOST_TEST(plan.staging == "hdfs://namenode:8020/user/bob/.sparkhost");
    BOOST_TEST(plan.environment.at("SPARK_USER") == "bob");
    options.user.clear();
    input.spec.proxy_user.clear();
    BOOST_TEST(plan_of(options, input).user == "nobody");
}

BOOST_AUTO_TEST_CASE(the_queue_is_the_requests_then_the_options) {
    YarnBackendOptions options = home_options();
    options.queue = "general";
    AmInput input = jar_input();
    BOOST_TEST(plan_of(options, input).queue == "general");
    options.conf["spark.yarn.queue"] = "of-the-conf";
    BOOST_TEST(plan_of(options, input).queue == "of-the-conf");
    input.spec.conf["spark.yarn.queue"] = "asked";
    BOOST_TEST(plan_of(options, input).queue == "asked");
    input.spec.queue = "asked-by-field";
    const AmPlan plan = plan_of(options, input);
    BOOST_TEST(plan.queue == "asked-by-field");
    BOOST_TEST(plan.properties.at("spark.yarn.queue") == "asked-by-field");
}

BOOST_AUTO_TEST_CASE(resources_are_counted_as_spark_does) {
    struct Row {
        std::map<std::string, std::string> conf;
        int memory;
        int cores;
    };
    const Row rows[] = {
        {{}, 1408, 1},
        {{{"spark.driver.memory", "8g"}, {"spark.driver.cores", "4"}}, 9011, 4},
        {{{"spark.driver.memory", "1024"}, {"spark.driver.memoryOverhead", "1g"}}, 2048, 1},
        {{{"spark.driver.memory", "8g"}, {"spark.driver.memoryOverheadFactor", "0.5"}}, 12288, 1},
        {{{"spark.driver.minMemoryOverhead", "512m"}}, 1536, 1},
        {{{"spark.yarn.driver.memoryOverhead", "100"}}, 1124, 1},
        {{{"spark.yarn.driver.memoryOverhead", "100"}, {"spark.driver.memoryOverhead", "1m"}},
         1025,
         1},
    };
    for (const auto& row : rows) {
        AmInput input = jar_input();
        input.spec.driver_memory.clear();
        input.spec.conf = row.conf;
        const AmPlan plan = plan_of(home_options(), input);
        BOOST_TEST(plan.memory_mib == row.memory);
        BOOST_TEST(plan.cores == row.cores);
    }
}

BOOST_AUTO_TEST_CASE(tags_priority_and_labels_are_passed) {
    AmInput input = jar_input();
    input.spec.conf = {{"spark.yarn.tags", "Nightly, etl,nightly,,"},
                       {"spark.yarn.priority", "7"},
                       {"spark.yarn.am.nodeLabelExpression", "big"}};
    const AmPlan plan = plan_of(home_options(), input);
    BOOST_TEST_REQUIRE(plan.tags.size() == 4U);
    BOOST_TEST(plan.tags[2] == "nightly");
    BOOST_TEST(plan.tags[3] == "etl");
    BOOST_TEST(plan.priority.value_or(-1) == 7);
    BOOST_TEST(plan.node_label == "big");
}

BOOST_AUTO_TEST_CASE(an_am_waits_longer_than_its_guard) {
    YarnBackendOptions options = home_options();
    options.guard_patience = std::chrono::seconds(60);
    AmInput input = jar_input();
    BOOST_TEST(plan_of(options, input).properties.at("spark.yarn.am.waitTime") == "160000ms");
    struct Row {
        const char* asked;
        const char* told;
    };
    for (const Row& row : {Row{"5m", "360000ms"}, {"250", "60250ms"}, {"1h", "3660000ms"}}) {
        input.spec.conf["spark.yarn.am.waitTime"] = row.asked;
        BOOST_TEST(plan_of(options, input).properties.at("spark.yarn.am.waitTime") == row.told);
    }
}

BOOST_AUTO_TEST_CASE(what_only_counts_at_submission_is_not_handed_on) {
    AmInput input = python_input();
    input.spec.jars = {"/data/a.jar"};
    input.spec.files = {"/data/b.txt"};
    input.spec.archives = {"/data/c.zip"};
    input.spec.py_files = {"/data/d.py"};
    input.spec.conf = {{"spark.yarn.appMasterEnv.PASSWORD", "x"},
                       {"spark.yarn.submit.waitAppCompletion", "false"},
                       {"spark.master", "yarn"},
                       {"spark.submit.deployMode", "cluster"},
                       {"spark.yarn.maxAppAttempts", "1"},
                       {"spark.app.secret", "kept\nas it is"}};
    const AmPlan plan = plan_of(home_options(), input);
    for (const char* key : {"spark.jars", "spark.files", "spark.archives", "spark.submit.pyFiles",
                            "spark.yarn.appMasterEnv.PASSWORD"}) {
        BOOST_TEST(!plan.properties.contains(key), key);
    }
    BOOST_TEST(plan.properties.at("spark.yarn.secondary.jars") == "a.jar");
    BOOST_TEST(plan.properties.at("spark.app.secret") == "kept\nas it is");
    BOOST_TEST(plan.command.find("kept") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(executors_do_not_inherit_the_guards_secret) {
    const AmPlan plan = plan_of(home_options(), jar_input());
    BOOST_TEST(plan.properties.at("spark.executorEnv.SPARKHOST_GUARD_SECRET").empty());
}

BOOST_AUTO_TEST_CASE(a_plan_is_read_back_as_it_was) {
    AmInput input = python_input();
    input.spec.files = {"/data/b.txt", "hdfs://namenode/c.txt#d"};
    input.spec.archives = {"/data/env.tar.gz#env"};
    input.spec.conf = {{"spark.yarn.priority", "3"}, {"spark.x", "ü\n"}};
    for (const AmPlan& plan :
         {plan_of(archive_options(), input), plan_of(home_options(), jar_input())}) {
        const std::string text = boost::json::serialize(encode_am_plan(plan));
        const auto back = decode_am_plan(boost::json::parse(text).as_object());
        BOOST_TEST_REQUIRE(back.has_value());
        BOOST_TEST((*back == plan));
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_plan_is_not_taken_for_one) {
    const auto whole = encode_am_plan(plan_of(home_options(), jar_input()));
    for (const auto& member : whole) {
        auto json = whole;
        json.erase(member.key());
        BOOST_TEST(decode_am_plan(json).has_error(), std::string(member.key()));
        json[member.key()] = nullptr;
        const auto plan = decode_am_plan(json);
        BOOST_TEST_REQUIRE(plan.has_error(), std::string(member.key()));
        BOOST_TEST((plan.error().code == Errc::backend_failed));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::yarn_test
