// SPDX-License-Identifier: Apache-2.0
#include "driver_case.hpp"

#include "backends/common/base64.hpp"
#include "backends/common/properties_file.hpp"
#include "backends/kubernetes/driver_conf.hpp"
#include "backends/kubernetes/driver_pod.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <stdexcept>
#include <string>

namespace sparkhost::detail::kubernetes {

namespace {

namespace json = boost::json;

DriverObjects made(const DriverInput& input) {
    auto objects = make_driver_objects(input);
    BOOST_TEST_REQUIRE(objects.has_value(), objects.error().text());
    return std::move(*objects);
}

json::object spark_container(const DriverObjects& objects) {
    for (const auto& each : objects.pod.at("spec").at("containers").as_array()) {
        if (text_in(each.as_object(), "name") == "spark-kubernetes-driver") {
            return each.as_object();
        }
    }
    return {};
}

json::object volume_named(const DriverObjects& objects, std::string_view name) {
    json::array volumes = objects.pod.at("spec").at("volumes").as_array();
    const auto* found = entry_named(volumes, name);
    return found == nullptr ? json::object() : *found;
}

std::string all_but_secret(const DriverObjects& objects) {
    return json::serialize(objects.config_map) + json::serialize(objects.pod) +
           json::serialize(objects.service);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_driver_objects)

BOOST_AUTO_TEST_CASE(every_object_says_whose_it_is_and_the_pod_is_held) {
    const DriverInput input = plain_driver_input();
    const DriverObjects objects = made(input);
    for (const auto* object : {&objects.config_map, &objects.pod, &objects.service}) {
        const auto& labels = object->at("metadata").at("labels").as_object();
        BOOST_TEST(text_in(labels, store_label) == input.identity.store);
        BOOST_TEST(text_in(labels, ticket_label) == input.identity.ticket);
        BOOST_TEST(text_in(labels, nonce_label) == input.identity.nonce);
        BOOST_TEST(object->at("metadata").at("namespace").as_string() == "jobs");
    }
    BOOST_TEST(objects.pod.at("metadata").at("finalizers").as_array().front().as_string() ==
               end_recorded_finalizer);
    BOOST_TEST(objects.secret.empty());
    BOOST_TEST(objects.application_id == input.application_id);
}

BOOST_AUTO_TEST_CASE(the_same_input_gives_the_same_objects_and_they_survive_the_ticket) {
    DriverInput input = plain_driver_input();
    input.spec.conf["spark.my.password"] = "x";
    const DriverObjects objects = made(input);
    const auto text = json::serialize(write_driver_objects(objects));
    BOOST_TEST(text == json::serialize(write_driver_objects(made(input))));
    auto read = read_driver_objects(json::parse(text).as_object());
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST(json::serialize(write_driver_objects(*read)) == text);
    for (const char* broken : {"{}", R"({"namespace":1})", R"({"namespace":"a"})"}) {
        auto result = read_driver_objects(json::parse(broken).as_object());
        BOOST_TEST_REQUIRE(result.has_error());
        BOOST_TEST(result.error().is(Errc::backend_failed));
    }
}

BOOST_AUTO_TEST_CASE(secret_properties_are_in_the_secret_and_nowhere_else) {
    DriverInput input = plain_driver_input();
    input.spec.conf = {{"spark.hadoop.fs.s3a.secret.key", "hush-1"},
                       {"spark.some.option", "jdbc://u?password=hush-2"},
                       {"spark.kubernetes.driverEnv.API_TOKEN", "hush-3"},
                       {"spark.kubernetes.driverEnv.MODE", "open"}};
    const DriverObjects objects = made(input);
    BOOST_TEST(all_but_secret(objects).find("hush") == std::string::npos);
    const auto& data = objects.secret.at("data").as_object();
    auto text = from_base64(data.at("spark.properties").as_string());
    BOOST_TEST_REQUIRE(text.has_value());
    auto properties = parse_properties(*text);
    BOOST_TEST_REQUIRE(properties.has_value());
    BOOST_TEST(properties->at("spark.hadoop.fs.s3a.secret.key") == "hush-1");
    BOOST_TEST(properties->at("spark.some.option") == "jdbc://u?password=hush-2");
    BOOST_TEST(*from_base64(data.at("env.API_TOKEN").as_string()) == "hush-3");
    json::array env = spark_container(objects).at("env").as_array();
    const auto* variable = entry_named(env, "API_TOKEN");
    BOOST_TEST_REQUIRE(variable != nullptr);
    const auto& reference = variable->at("valueFrom").at("secretKeyRef").as_object();
    BOOST_TEST(text_in(reference, "name") == "spark-0f4c1a2b-batch-7-1-secret");
    BOOST_TEST(text_in(*entry_named(env, "MODE"), "value") == "open");
}

BOOST_AUTO_TEST_CASE(no_container_starts_without_the_config_map_also_when_properties_are_secret) {
    DriverInput input = plain_driver_input();
    for (const char* key : {"spark.plain", "spark.my.token"}) {
        input.spec.conf = {{key, "x"}};
        const DriverObjects objects = made(input);
        const std::string text = json::serialize(volume_named(objects, "spark-conf-volume-driver"));
        BOOST_TEST(text.find(R"("name":"spark-0f4c1a2b-batch-7-1-conf","items":[{"key":)") !=
                   std::string::npos);
        BOOST_TEST(text.find("optional") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(names_of_secrets_are_no_secrets_and_a_pattern_of_ones_own_hides_all) {
    DriverInput input = plain_driver_input();
    input.options.conf = {{"spark.kubernetes.driver.secrets.certs", "/etc/certs"},
                          {"spark.kubernetes.driver.secretKeyRef.PASS", "db:pass"}};
    BOOST_TEST(made(input).secret.empty());
    input.options.conf["spark.redaction.regex"] = "salary";
    BOOST_TEST(!made(input).secret.empty());
}

BOOST_AUTO_TEST_CASE(driver_files_are_mounted_together_and_meant_by_their_path) {
    DriverInput input = plain_driver_input();
    input.files = {{"/host/work/agent.py", false}, {"/host/work/claim", true}};
    input.spec.file = "/host/work/agent.py";
    input.spec.args = {"/host/work/claim", "/host/work/other", "claim"};
    DriverObjects objects = made(input);
    const auto args = json::serialize(spark_container(objects).at("args"));
    BOOST_TEST(args.find(R"("local:///opt/sparkhost/agent.py","/opt/sparkhost/claim",)"
                         R"("/host/work/other","claim"])") != std::string::npos);
    const auto volume = json::serialize(volume_named(objects, "sparkhost-files"));
    BOOST_TEST(volume == R"({"name":"sparkhost-files","projected":{"sources":[)"
                         R"({"configMap":{"name":"spark-0f4c1a2b-batch-7-1-conf","items":[)"
                         R"({"key":"file.agent.py","mode":420,"path":"agent.py"}]}},)"
                         R"({"secret":{"name":"spark-0f4c1a2b-batch-7-1-secret","items":[)"
                         R"({"key":"file.claim","mode":420,"path":"claim"}]}}]}})");
    auto added =
        add_driver_files(objects, {{input.files[0], "print(1)"}, {input.files[1], "hush"}});
    BOOST_TEST(added.has_value());
    BOOST_TEST(objects.config_map.at("data").at("file.agent.py").as_string() == "print(1)");
    BOOST_TEST(objects.secret.at("data").at("file.claim").as_string() == to_base64("hush"));
    BOOST_TEST(all_but_secret(objects).find("hush") == std::string::npos);
    BOOST_TEST(add_driver_files(objects, {{input.files[0], "\xFF\xFE"}}).has_value());
    BOOST_TEST(objects.config_map.at("binaryData").at("file.agent.py").as_string() ==
               to_base64("\xFF\xFE"));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    DriverInput input = plain_driver_input();
    input.files = {{"/host/a", false}};
    DriverObjects objects = made(input);
    auto added = add_driver_files(objects, {{input.files[0], std::string(1 << 20, 'x')}});
    BOOST_TEST_REQUIRE(added.has_error());
    BOOST_TEST(added.error().is(Errc::invalid_argument));
    input = plain_driver_input();
    input.spec.conf["spark.big"] = std::string(1 << 20, 'x');
    auto refused = make_driver_objects(input);
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().field == "conf");
    for (const char* path : {"relative", "/a/..", "/a b", "/a/", "/x/a\n"}) {
        input = plain_driver_input();
        input.files = {{path, false}};
        BOOST_TEST(make_driver_objects(input).has_error(), path);
    }
    input.files = {{"/a/x", false}, {"/b/x", true}};
    BOOST_TEST(make_driver_objects(input).has_error());
}

BOOST_AUTO_TEST_CASE(arguments_arrive_as_they_were_given) {
    DriverInput input = plain_driver_input();
    input.spec.args = {"$(SPARK_USER)", "$$", "a $b", "", "--class", "\n"};
    const auto container = spark_container(made(input));
    const auto& args = container.at("args").as_array();
    BOOST_TEST_REQUIRE(args.size() == 12U);
    // Kubernetes makes $ of $$
    BOOST_TEST(args[6].as_string() == "$$(SPARK_USER)");
    BOOST_TEST(args[7].as_string() == "$$$$");
    BOOST_TEST(args[8].as_string() == "a $$b");
    BOOST_TEST(args[9].as_string() == "");
    BOOST_TEST(args[10].as_string() == "--class");
    BOOST_TEST(args[11].as_string() == "\n");
}

BOOST_AUTO_TEST_CASE(executors_carry_our_labels_too) {
    const DriverObjects objects = made(plain_driver_input());
    auto properties =
        parse_properties(objects.config_map.at("data").at("spark.properties").as_string());
    BOOST_TEST_REQUIRE(properties.has_value());
    BOOST_TEST(properties->at("spark.kubernetes.executor.label.sparkhost.io/ticket") ==
               "spark-0f4c1a2b-batch-7-1");
    BOOST_TEST(properties->at("spark.master") == "k8s://https://api.example:6443");
}

BOOST_AUTO_TEST_CASE(with_pod_addresses_there_is_no_service) {
    DriverInput input = plain_driver_input();
    input.options.driver_address = DriverAddress::pod_ip;
    const DriverObjects objects = made(input);
    BOOST_TEST(objects.service.empty());
    const auto text = std::string(objects.config_map.at("data").at("spark.properties").as_string());
    BOOST_TEST(text.find("spark.driver.host") == std::string::npos);
    json::array env = spark_container(objects).at("env").as_array();
    const auto* name = entry_named(env, "SPARK_LOCAL_HOSTNAME");
    BOOST_TEST_REQUIRE(name != nullptr);
    BOOST_TEST(json::serialize(*name).find("status.podIP") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_owner_is_set_when_the_config_map_is_known) {
    DriverObjects objects = made(plain_driver_input());
    set_owner(objects.service, "p-conf", "uid-1");
    BOOST_TEST(json::serialize(objects.service.at("metadata").at("ownerReferences")) ==
               R"([{"apiVersion":"v1","kind":"ConfigMap","name":"p-conf","uid":"uid-1"}])");
}

BOOST_AUTO_TEST_CASE(wrong_operator_options_throw_and_name_themselves) {
    const auto options = [](const std::function<void(KubernetesBackendOptions&)>& change) {
        KubernetesBackendOptions changed = plain_driver_input().options;
        change(changed);
        return changed;
    };
    BOOST_CHECK_NO_THROW(check_driver_options(options([](auto&) {})));
    const std::pair<std::function<void(KubernetesBackendOptions&)>, const char*> rows[] = {
        {[](auto& o) { o.conf["spark.master"] = "local"; },
         "KubernetesBackendOptions::conf: spark.master"},
        {[](auto& o) { o.conf["spark.driver.host"] = "h"; }, "KubernetesBackendOptions::conf: "},
        {[](auto& o) { o.conf["java.x"] = "h"; }, "KubernetesBackendOptions::conf: java.x"},
        {[](auto& o) { o.conf["spark.kerberos.keytab"] = "/k"; },
         "KubernetesBackendOptions::conf: "},
        {[](auto& o) { o.conf["spark.kubernetes.authenticate.driver.oauthToken"] = "t"; },
         "KubernetesBackendOptions::conf: "},
        {[](auto& o) { o.labels["spark-role"] = "x"; }, "KubernetesBackendOptions::labels: "},
        {[](auto& o) { o.labels["sparkhost.io/store"] = "x"; },
         "KubernetesBackendOptions::labels: "},
        {[](auto& o) { o.image_pull_policy = "Sometimes"; },
         "KubernetesBackendOptions::image_pull_policy: "}};
    for (const auto& [change, beginning] : rows) {
        const std::string expected = beginning;
        BOOST_CHECK_EXCEPTION(
            check_driver_options(options(change)), std::invalid_argument,
            [&](const auto& thrown) { return std::string(thrown.what()).starts_with(expected); });
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
