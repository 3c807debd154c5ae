// SPDX-License-Identifier: Apache-2.0
#include "driver_case.hpp"

#include "backends/kubernetes/driver_conf.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>

namespace sparkhost::detail::kubernetes {

namespace {

using Change = std::function<void(DriverInput&)>;

struct Refusal {
    Change change;
    std::string field;
};

void expect_refusals(const std::vector<Refusal>& rows) {
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.field) {
            DriverInput input = plain_driver_input();
            row.change(input);
            auto objects = make_driver_objects(input);
            BOOST_TEST_REQUIRE(objects.has_error());
            BOOST_TEST(objects.error().is(Errc::invalid_argument));
            BOOST_TEST(objects.error().field == row.field);
            BOOST_TEST(!objects.error().detail.empty());
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kubernetes_driver_conf)

BOOST_AUTO_TEST_CASE(what_isolates_tenants_is_refused_whatever_the_operator_allows) {
    const char* keys[] = {"spark.master",
                          "spark.submit.deployMode",
                          "spark.app.id",
                          "spark.driver.host",
                          "spark.driver.bindAddress",
                          "spark.kerberos.keytab",
                          "spark.security.credentials.hadoopfs.enabled",
                          "spark.hadoop.hadoop.security.credential.provider.path",
                          "spark.kubernetes.authenticate.driver.serviceAccountName",
                          "spark.kubernetes.authenticate.serviceAccountName",
                          "spark.kubernetes.authenticate.executor.serviceAccountName",
                          "spark.kubernetes.authenticate.submission.caCertFile",
                          "spark.kubernetes.driver.podTemplateFile",
                          "spark.kubernetes.driver.podTemplateContainerName",
                          "spark.kubernetes.executor.podTemplateFile",
                          "spark.kubernetes.driver.pod.name",
                          "spark.kubernetes.driver.pod.featureSteps",
                          "spark.kubernetes.executor.pod.featureSteps",
                          "spark.kubernetes.driver.master",
                          "spark.kubernetes.context",
                          "spark.kubernetes.file.upload.path",
                          "spark.kubernetes.kerberos.krb5.path",
                          "spark.kubernetes.kerberos.tokenSecret.name",
                          "spark.kubernetes.trust.certificates",
                          "spark.kubernetes.submitInDriver",
                          "spark.kubernetes.driver.label.spark-role",
                          "spark.kubernetes.driver.label.spark-app-selector",
                          "spark.kubernetes.driver.label.sparkhost.io/store",
                          "spark.kubernetes.executor.label.sparkhost.io/ticket"};
    for (const char* key : keys) {
        expect_refusals({{[key](DriverInput& input) {
                              input.options.allowed_kubernetes_conf = {"spark.kubernetes.*", "*"};
                              input.options.refused_conf = {};
                              input.spec.conf[key] = "x";
                          },
                          std::string("conf.") + key}});
    }
}

BOOST_AUTO_TEST_CASE(other_kubernetes_properties_are_closed_until_the_operator_opens_them) {
    const std::pair<const char*, const char*> rows[] = {
        {"spark.kubernetes.driver.volumes.hostPath.root.mount.path", "/host"},
        {"spark.kubernetes.driver.secrets.others", "/etc/others"},
        {"spark.kubernetes.driver.secretKeyRef.X", "others:key"},
        {"spark.kubernetes.executor.secrets.others", "/etc/others"},
        {"spark.kubernetes.node.selector.pool", "admins"},
        {"spark.kubernetes.driver.annotation.sidecar.istio.io/inject", "false"},
        {"spark.kubernetes.driver.scheduler.name", "other"},
        {"spark.kubernetes.container.image.pullSecrets", "others"},
        {"spark.kubernetes.container.image.pullPolicy", "Always"},
        {"spark.kubernetes.some.future.key", "x"}};
    for (const auto& [key, value] : rows) {
        DriverInput input = plain_driver_input();
        input.spec.conf[key] = value;
        auto refused = make_driver_objects(input);
        BOOST_TEST_REQUIRE(refused.has_error(), key);
        BOOST_TEST(refused.error().field == std::string("conf.") + key);
        input.options.allowed_kubernetes_conf = {key};
        BOOST_TEST(conf_refusal(input.options, key).empty(), key);
    }
}

BOOST_AUTO_TEST_CASE(what_sizes_and_names_things_is_open) {
    DriverInput input = plain_driver_input();
    input.spec.conf = {{"spark.kubernetes.driver.request.cores", "500m"},
                       {"spark.kubernetes.executor.limit.cores", "2"},
                       {"spark.kubernetes.container.image", "mine:1"},
                       {"spark.kubernetes.driver.label.team", "blue"},
                       {"spark.kubernetes.driverEnv.MODE", "fast"},
                       {"spark.kubernetes.allocation.batch.size", "10"},
                       {"spark.kubernetes.namespace", "team-blue"},
                       {"spark.submit.pyFiles", "local:///lib.zip"},
                       {"spark.sql.shuffle.partitions", "8"}};
    auto conf = make_driver_conf(input);
    BOOST_TEST_REQUIRE(conf.has_value(), conf.error().text());
    BOOST_TEST(conf->in_namespace == "team-blue");
    BOOST_TEST(conf->properties.at("spark.kubernetes.namespace") == "team-blue");
    BOOST_TEST(conf->properties.at("spark.submit.pyFiles") == "local:///lib.zip");
}

BOOST_AUTO_TEST_CASE(requests_that_cannot_run_name_the_field) {
    const auto conf = [](std::string key, std::string value) {
        return Change([=](DriverInput& input) {
            input.options.allowed_kubernetes_conf = {"spark.kubernetes.*"};
            input.spec.conf[key] = value;
        });
    };
    const std::string volumes = "spark.kubernetes.driver.volumes.";
    expect_refusals({
        {conf("spark.kubernetes.namespace", "kube-system"), "conf.spark.kubernetes.namespace"},
        {conf("spark.kubernetes.namespace", ""), "conf.spark.kubernetes.namespace"},
        {conf("spark.launcher.port", "1"), "conf.spark.launcher.port"},
        {conf("spark.driver.port", "http"), "conf.spark.driver.port"},
        {conf("spark.ui.port", "70000"), "conf.spark.ui.port"},
        {conf("spark.local.dir", "relative"), "conf.spark.local.dir"},
        {conf("spark.kubernetes.driverEnv.A=B", "x"), "conf.spark.kubernetes.driverEnv.A=B"},
        {conf("spark.kubernetes.driverEnv.1A", "x"), "conf.spark.kubernetes.driverEnv.1A"},
        {conf("spark.kubernetes.driver.secrets.s", "relative"),
         "conf.spark.kubernetes.driver.secrets.s"},
        {conf("spark.kubernetes.driver.secretKeyRef.S", "name"),
         "conf.spark.kubernetes.driver.secretKeyRef.S"},
        {conf(volumes + "csi.x.mount.path", "/x"), "conf." + volumes + "csi.x.mount.path"},
        {conf(volumes + "emptyDir", "/x"), "conf." + volumes + "emptyDir"},
        {conf(volumes + "emptyDir.x.options.medium", "Memory"),
         "conf." + volumes + "emptyDir.x.mount.path"},
        {conf(volumes + "nfs.x.mount.path", "/x"), "conf." + volumes + "nfs.x.options.path"},
        {[&](DriverInput& input) {
             conf(volumes + "emptyDir.x.mount.path", "/x")(input);
             conf(volumes + "emptyDir.x.mount.readOnly", "yes")(input);
         },
         "conf." + volumes + "emptyDir.x.mount.readOnly"},
        {[&](DriverInput& input) {
             conf(volumes + "emptyDir.x.mount.path", "/x")(input);
             conf(volumes + "emptyDir.x.options.sizeLimit", "10")(input);
         },
         "conf." + volumes + "emptyDir.x.options.sizeLimit"},
        {[&](DriverInput& input) {
             conf(volumes + "emptyDir.x.mount.path", "/x")(input);
             conf(volumes + "emptyDir.y.mount.path", "/x")(input);
         },
         "conf." + volumes + "emptyDir.y.mount.path"},
        {[](DriverInput& input) { input.spec.file = ""; }, "file"},
        {[](DriverInput& input) { input.spec.file = "/home/me/app.py"; }, "file"},
        {[](DriverInput& input) { input.spec.file = "file:///home/me/app.py"; }, "file"},
        {[](DriverInput& input) { input.spec.file = "FILE:/app.py"; }, "file"},
        {[](DriverInput& input) { input.spec.file = "local:///app.jar"; }, "class_name"},
        {[](DriverInput& input) {
             input.spec.jars = {"local:///a.jar", "/b.jar"};
         },
         "jars[1]"},
        {[](DriverInput& input) { input.spec.py_files = {"file:///b.py"}; }, "py_files[0]"},
        {[](DriverInput& input) { input.spec.files = {"b.txt"}; }, "files[0]"},
        {[](DriverInput& input) { input.spec.archives = {"/b.zip#x"}; }, "archives[0]"},
        {[](DriverInput& input) { input.spec.conf["spark.jars"] = "/b.jar"; }, "conf.spark.jars"},
        {[](DriverInput& input) { input.options.image = ""; },
         "conf.spark.kubernetes.container.image"},
        {[](DriverInput& input) {
             input.options.labels["team"] = "red";
             input.spec.conf["spark.kubernetes.driver.label.team"] = "blue";
         },
         "conf.spark.kubernetes.driver.label.team"},
    });
}

BOOST_AUTO_TEST_CASE(the_operators_lists_and_the_requests_are_joined) {
    DriverInput input = plain_driver_input();
    input.options.conf["spark.jars"] = "local:///platform.jar";
    input.spec.conf["spark.kubernetes.driver.label.team"] = "blue";
    input.spec.jars = {"https://repo.example/a.jar"};
    input.spec.file = "local:///app.jar";
    input.spec.class_name = "A";
    auto conf = make_driver_conf(input);
    BOOST_TEST_REQUIRE(conf.has_value());
    BOOST_TEST(conf->properties.at("spark.jars") ==
               "local:///platform.jar,https://repo.example/a.jar,local:///app.jar");
    BOOST_TEST(conf->properties.at("spark.app.name") == "A");
}

BOOST_AUTO_TEST_CASE(secrets_are_known_by_key_or_value) {
    BOOST_TEST(looks_secret("spark.hadoop.fs.s3a.Secret.key", "x"));
    BOOST_TEST(looks_secret("spark.x.PASSWORD", "x"));
    BOOST_TEST(looks_secret("spark.x.access.key", "x"));
    BOOST_TEST(looks_secret("spark.x.accessKey", "x"));
    BOOST_TEST(looks_secret("spark.x", "-Dtoken=1"));
    BOOST_TEST(!looks_secret("spark.x.key", "x"));
    BOOST_TEST(!looks_secret("spark.kubernetes.driver.secrets.certs", "/etc/certs"));
}

BOOST_AUTO_TEST_CASE(versions_are_compared_by_number) {
    BOOST_TEST(spark_at_least("4.3.0", 4, 3));
    BOOST_TEST(spark_at_least("4.10.1", 4, 3));
    BOOST_TEST(spark_at_least("5.0", 4, 3));
    BOOST_TEST(!spark_at_least("4.2.9", 4, 3));
    BOOST_TEST(!spark_at_least("3.5.9", 4, 0));
    BOOST_TEST(!spark_at_least("", 3, 0));
    BOOST_TEST(!spark_at_least("four", 3, 0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
