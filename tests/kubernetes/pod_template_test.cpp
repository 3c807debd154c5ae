// SPDX-License-Identifier: Apache-2.0
#include "driver_case.hpp"

#include "backends/kubernetes/driver_pod.hpp"
#include "backends/kubernetes/yaml_json.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace sparkhost::detail::kubernetes {

BOOST_AUTO_TEST_SUITE(kubernetes_pod_template)

BOOST_AUTO_TEST_CASE(yaml_becomes_json) {
    const std::pair<const char*, const char*> rows[] = {
        {"", "null"},
        {"a: 1", R"({"a":1})"},
        {"a: '1'", R"({"a":"1"})"},
        {"a: \"true\"", R"({"a":"true"})"},
        {"a: !!str 5", R"({"a":"5"})"},
        {"[true, False, null, ~, yes, -3, +4, 1.5, 1e3, 1.2.3, .]",
         R"([true,false,null,null,"yes",-3,4,1.5E0,1E3,"1.2.3","."])"},
        {"a: &x {b: [c]}\nd: *x", R"({"a":{"b":["c"]},"d":{"b":["c"]}})"},
        {"a: |\n  one\n  two\n", R"({"a":"one\ntwo\n"})"},
        {R"({"a": [1, "x"]})", R"({"a":[1,"x"]})"},
        {"a: 1\n---\nb: 2", R"({"a":1})"}};
    for (const auto& [text, json] : rows) {
        auto value = parse_yaml(text);
        BOOST_TEST_REQUIRE(value.has_value(), text);
        BOOST_TEST(boost::json::serialize(*value) == json);
    }
}

BOOST_AUTO_TEST_CASE(hostile_yaml_is_refused_soon) {
    std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int k = 0; k < 10; ++k) {
            laughs += (k > 0 ? ", " : "") + before;
        }
        laughs += "]\n";
    }
    const std::string rows[] = {laughs,
                                std::string(100'000, '['),
                                std::string(100, '[') + std::string(100, ']'),
                                "? {a: b}\n: c\n",
                                "a: &x [*x]",
                                std::string((4u << 20) + 1, ' '),
                                "a: *missing",
                                "a: \xFF\n\tb"};
    for (const auto& text : rows) {
        auto value = parse_yaml(text);
        BOOST_TEST_REQUIRE(value.has_error(), text.substr(0, 60));
        BOOST_TEST(value.error().is(Errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_pod_is_refused) {
    const std::pair<const char*, const char*> rows[] = {
        {"", "must be a mapping"},
        {"- a", "must be a mapping"},
        {"a: [", "no valid YAML"},
        {"kind: Deployment", "must be a Pod"},
        {"spec: x", "spec must be a mapping"},
        {"metadata: []", "metadata must be a mapping"},
        {"metadata: {labels: [a]}", "labels must be a mapping"},
        {"metadata: {finalizers: a}", "finalizers must be a list"},
        {"spec: {containers: {}}", "containers must be a list"},
        {"spec: {containers: [a]}", "containers must be a list of mappings"},
        {"spec: {containers: [{env: {A: b}}]}", "env must be a list"},
        {"spec: {containers: [{args: [1]}]}", "args must be a list of texts"},
        {"spec: {containers: [{resources: 1}]}", "resources must be a mapping"},
        {"spec: {containers: [{resources: {limits: 1}}]}", "limits must be a mapping"},
        {"spec: {volumes: [x]}", "volumes must be a list of mappings"},
        {"spec: {nodeSelector: x}", "nodeSelector must be a mapping"}};
    for (const auto& [text, expected] : rows) {
        auto pod = parse_pod_template(text);
        BOOST_TEST_REQUIRE(pod.has_error(), text);
        BOOST_TEST(pod.error().is(Errc::invalid_argument));
        BOOST_TEST(pod.error().detail.find(expected) != std::string::npos, pod.error().detail);
    }
}

BOOST_AUTO_TEST_CASE(what_yaml_writers_leave_unquoted_becomes_text) {
    auto pod = parse_pod_template(
        "metadata: {labels: {build: 7, ok: true}, annotations:}\n"
        "spec:\n  nodeSelector: {zone: 1}\n  containers:\n"
        "  - {name: a, env: [{name: N, value: 5}], resources: {limits: {cpu: 2}}, args:}\n");
    BOOST_TEST_REQUIRE(pod.has_value(), pod.error().text());
    const std::string text = boost::json::serialize(*pod);
    for (const char* part :
         {R"("build":"7")", R"("ok":"true")", R"("zone":"1")", R"("value":"5")", R"("cpu":"2")"}) {
        BOOST_TEST(text.find(part) != std::string::npos, part);
    }
}

BOOST_AUTO_TEST_CASE(a_template_cannot_take_what_is_ours) {
    DriverInput input = plain_driver_input();
    auto pod_template = parse_pod_template(
        "metadata:\n  name: x\n  namespace: other\n  generateName: y\n  uid: z\n"
        "  labels: {spark-role: executor, sparkhost.io/store: other, keep: me}\n"
        "  finalizers: [their/own]\n"
        "spec: {restartPolicy: Always, containers: [{name: main}]}\n");
    BOOST_TEST_REQUIRE(pod_template.has_value());
    input.pod_template = *pod_template;
    auto objects = make_driver_objects(input);
    BOOST_TEST_REQUIRE(objects.has_value());
    const auto& metadata = objects->pod.at("metadata").as_object();
    BOOST_TEST(text_in(metadata, "name") == "spark-0f4c1a2b-batch-7-1-driver");
    BOOST_TEST(text_in(metadata, "namespace") == "jobs");
    BOOST_TEST(!metadata.contains("generateName"));
    BOOST_TEST(!metadata.contains("uid"));
    const auto& labels = metadata.at("labels").as_object();
    BOOST_TEST(text_in(labels, "spark-role") == "driver");
    BOOST_TEST(text_in(labels, store_label) == input.identity.store);
    BOOST_TEST(text_in(labels, "keep") == "me");
    BOOST_TEST(boost::json::serialize(metadata.at("finalizers")) ==
               R"(["their/own","sparkhost.io/end-recorded"])");
    BOOST_TEST(objects->pod.at("spec").at("restartPolicy").as_string() == "Never");
    BOOST_TEST(objects->pod.at("spec").at("containers").as_array().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
