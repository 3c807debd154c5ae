// SPDX-License-Identifier: Apache-2.0
#include "am_samples.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace sparkhost::yarn_test {

namespace {

using boost::json::object;

object recording(const std::string& name) {
    std::ifstream file(SPARKHOST_YARN_RECORDINGS "/" + name + ".json");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    BOOST_TEST_REQUIRE(!text.empty(), name);
    return boost::json::parse(text).as_object();
}

/// {"entry":[{"key":…,"value":…}]} of the AM's container, by key.
object entries(const object& context, const char* name) {
    object found;
    const object& container = context.at("am-container-spec").as_object();
    for (const auto& each : container.at(name).at("entry").as_array()) {
        found[each.at("key").as_string()] = each.at("value");
    }
    return found;
}

std::string command_of(const object& context) {
    return std::string(
        context.at("am-container-spec").at("commands").at("command").as_string().c_str());
}

std::vector<std::string> words_of(const std::string& command) {
    std::istringstream in(command);
    return {std::istream_iterator<std::string>(in), {}};
}

Placement placement_of(const AmPlan& plan) {
    Placement placement;
    placement.application_id = "application_1795204894999_0010";
    placement.staging_uri = plan.staging + "/" + placement.application_id;
    return placement;
}

PlacedResource placed(const PlannedResource& planned, const Placement& placement) {
    PlacedResource resource;
    resource.link = planned.link;
    resource.uri = planned.copied ? placement.staging_uri + "/" + planned.link : planned.source;
    resource.archive = planned.archive;
    resource.for_executors = planned.for_executors;
    resource.size = static_cast<std::int64_t>(1000 + planned.link.size());
    resource.modified_ms = static_cast<std::int64_t>(1795204928000 + planned.link.size());
    return resource;
}

Placement placed_all(const AmPlan& plan) {
    Placement placement = placement_of(plan);
    for (const auto& each : plan.resources) {
        placement.resources.push_back(placed(each, placement));
    }
    return placement;
}

std::vector<PlacedResource> own_of(const Placement& placement) {
    const std::string folder = placement.staging_uri + "/";
    return {{"__spark_conf__", folder + "__spark_conf__.zip", true, true, 1059, 1795206011667},
            {"__sparkhost_guard__.jar", folder + "__sparkhost_guard__.jar", false, false, 30000,
             1795206011668}};
}

GuardSettings guard_settings() {
    return {"tcp:10.0.0.1:8997", "spark-01234567-batch-7-1", "0123abcd", std::chrono::seconds(600)};
}

object context_of(const AmPlan& plan, const Placement& placement) {
    return submission_context(plan, placement, own_of(placement), guard_settings());
}

/// Of a resource's value all but what differs from submission to submission.
object shape(const object& resource) {
    object kept{{"type", resource.at("type")}};
    // spark-submit's cluster had told it that everybody could read them
    const bool own = resource.at("visibility").as_string() == "APPLICATION";
    kept["visibility"] = own ? "APPLICATION" : "PRIVATE";
    kept["resource"] = resource.at("resource");
    BOOST_TEST(resource.at("size").as_int64() > 0);
    BOOST_TEST(resource.at("timestamp").as_int64() > 1795000000000);
    return kept;
}

struct Row {
    const char* recorded;
    YarnBackendOptions options;
    AmInput input;
};

std::vector<Row> recorded_rows() {
    return {{"submit-jar-home", home_options(), jar_input()},
            {"submit-jar-archive", archive_options(), jar_input()},
            {"submit-py-home", home_options(), python_input()},
            {"submit-py-archive", archive_options(), python_input()}};
}

struct Both {
    object recorded;
    object made;
};

Both both_of(const Row& row) {
    const AmPlan plan = plan_of(row.options, row.input);
    Both both;
    both.recorded = recording(row.recorded);
    Placement placement = placement_of(plan);
    placement.application_id = both.recorded.at("application-id").as_string().c_str();
    placement.staging_uri = plan.staging + "/" + placement.application_id;
    for (const auto& each : plan.resources) {
        placement.resources.push_back(placed(each, placement));
    }
    both.made = context_of(plan, placement);
    return both;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(yarn_am_context)

BOOST_AUTO_TEST_CASE(an_application_is_described_as_a_real_cluster_took_it) {
    for (const auto& row : recorded_rows()) {
        BOOST_TEST_CONTEXT(row.recorded) {
            Both both = both_of(row);
            const object& tags = both.made.at("application-tags").as_object();
            BOOST_TEST(tags.at("tag").as_array().size() == 2U);
            for (auto* each : {&both.recorded, &both.made}) {
                each->erase("am-container-spec");
                each->erase("application-tags");
            }
            BOOST_TEST(both.made == both.recorded);
        }
    }
}

BOOST_AUTO_TEST_CASE(resources_are_those_of_a_real_submission_and_the_guard) {
    for (const auto& row : recorded_rows()) {
        BOOST_TEST_CONTEXT(row.recorded) {
            const Both both = both_of(row);
            object made = entries(both.made, "local-resources");
            const object recorded = entries(both.recorded, "local-resources");
            BOOST_TEST(made.erase("__sparkhost_guard__.jar") == 1U);
            BOOST_TEST(made.size() == recorded.size());
            for (const auto& each : recorded) {
                BOOST_TEST_REQUIRE(made.contains(each.key()), std::string(each.key()));
                BOOST_TEST(shape(made.at(each.key()).as_object()) ==
                           shape(each.value().as_object()));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_environment_is_that_of_a_real_submission_and_the_guards) {
    for (const auto& row : recorded_rows()) {
        BOOST_TEST_CONTEXT(row.recorded) {
            const Both both = both_of(row);
            object made = entries(both.made, "environment");
            object recorded = entries(both.recorded, "environment");
            recorded.erase("PYSPARK_DRIVER_PYTHON");  // the same as PYSPARK_PYTHON by default
            if (!row.options.spark_home.empty()) {
                recorded.erase("PYTHONPATH");  // Spark makes it of its home
            }
            std::string path(made.at("CLASSPATH").as_string().c_str());
            const std::string guard = "<CPS>{{PWD}}/__sparkhost_guard__.jar";
            BOOST_TEST_REQUIRE(path.ends_with(guard));
            made["CLASSPATH"] = path.substr(0, path.size() - guard.size());
            for (const auto& each : recorded) {
                BOOST_TEST_REQUIRE(made.contains(each.key()), std::string(each.key()));
                BOOST_TEST(made.at(each.key()) == each.value());
            }
            BOOST_TEST(made.at("SPARKHOST_GUARD_ADDRESS") == "tcp:10.0.0.1:8997");
            BOOST_TEST(made.at("SPARKHOST_GUARD_TICKET") == "spark-01234567-batch-7-1");
            BOOST_TEST(made.at("SPARKHOST_GUARD_SECRET") == "0123abcd");
            BOOST_TEST(made.at("SPARKHOST_GUARD_PATIENCE") == "600");
        }
    }
}

BOOST_AUTO_TEST_CASE(the_command_is_that_of_a_real_submission_but_for_the_application) {
    for (const auto& row : recorded_rows()) {
        BOOST_TEST_CONTEXT(row.recorded) {
            const Both both = both_of(row);
            const auto made = words_of(command_of(both.made));
            const auto recorded = words_of(command_of(both.recorded));
            auto at = made.begin();
            bool application = false;  // from --class to --properties-file
            for (const auto& word : recorded) {
                application = (application || word == "--class") && word != "--properties-file";
                if (!application) {
                    at = std::find(at, made.end(), word);
                    BOOST_TEST_REQUIRE((at != made.end()), word);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_applications_id_takes_its_place_in_options) {
    AmInput input = jar_input();
    input.spec.conf["spark.driver.extraJavaOptions"] = "-Da={{APP_ID}} -Db={{APP_ID}}";
    const AmPlan plan = plan_of(home_options(), input);
    const std::string command = command_of(context_of(plan, placed_all(plan)));
    BOOST_TEST(command.find("'-Da=application_1795204894999_0010' "
                            "'-Db=application_1795204894999_0010' ") != std::string::npos);
    BOOST_TEST(command.find("APP_ID") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(priority_and_label_are_there_where_they_were_asked_for) {
    AmInput input = jar_input();
    input.spec.conf = {{"spark.yarn.priority", "0"}, {"spark.yarn.am.nodeLabelExpression", "big"}};
    const AmPlan plan = plan_of(home_options(), input);
    const object context = context_of(plan, placed_all(plan));
    BOOST_TEST(context.at("priority") == 0);
    BOOST_TEST(context.at("am-container-node-label-expression") == "big");
}

BOOST_AUTO_TEST_CASE(the_archive_says_what_executors_need) {
    AmInput input = python_input();
    input.spec.py_files = {"/data/a.py"};
    input.spec.archives = {"hdfs://nn/env.zip#env"};
    const AmPlan plan = plan_of(home_options(), input);
    const Placement placement = placed_all(plan);
    const auto files = conf_archive_files(plan, placement, {{"yarn-site.xml", "<x/>"}});
    BOOST_TEST(files.size() == 3U);
    BOOST_TEST(files.at("__hadoop_conf__/yarn-site.xml") == "<x/>");
    const auto properties = detail::parse_properties(files.at("__spark_conf__.properties"));
    BOOST_TEST_REQUIRE(properties.has_value());
    BOOST_TEST((*properties == plan.properties));
    const auto cache = detail::parse_properties(files.at("__spark_dist_cache__.properties"));
    BOOST_TEST_REQUIRE(cache.has_value());
    const std::string folder = "file:///srv/staging/application_1795204894999_0010";
    BOOST_TEST(cache->at("spark.yarn.cache.confArchive") == folder + "/__spark_conf__.zip");
    BOOST_TEST(cache->at("spark.yarn.cache.filenames") ==
               "hdfs://nn/env.zip#env," + folder + "/__pyfiles__/a.py#__pyfiles__/a.py");
    BOOST_TEST(cache->at("spark.yarn.cache.sizes") == "1003,1016");
    BOOST_TEST(cache->at("spark.yarn.cache.timestamps") == "1795204928003,1795204928016");
    BOOST_TEST(cache->at("spark.yarn.cache.visibilities") == "PRIVATE,APPLICATION");
    BOOST_TEST(cache->at("spark.yarn.cache.types") == "ARCHIVE,FILE");
}

BOOST_AUTO_TEST_CASE(lists_that_are_empty_are_left_out) {
    const AmPlan plan = plan_of(home_options(), python_input());
    const auto files = conf_archive_files(plan, placed_all(plan), {});
    const auto cache = detail::parse_properties(files.at("__spark_dist_cache__.properties"));
    BOOST_TEST_REQUIRE(cache.has_value());
    BOOST_TEST(cache->size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::yarn_test
