// SPDX-License-Identifier: Apache-2.0
#include "am_samples.hpp"

#include <functional>

namespace sparkhost::yarn_test {

BOOST_AUTO_TEST_SUITE(yarn_am_refusal)

BOOST_AUTO_TEST_CASE(a_request_that_can_never_run_is_refused_by_its_field) {
    struct Row {
        const char* field;
        std::function<void(AmInput&)> change;
    };
    const std::string long_tag(101, 'x');
    const Row rows[] = {
        {"file", [](AmInput& i) { i.spec.file.clear(); }},
        {"file", [](AmInput& i) { i.spec.file = "/data/x.R"; }},
        {"file", [](AmInput& i) { i.spec.file = "s3a://bucket/x.jar"; }},
        {"file", [](AmInput& i) { i.spec.file = "http://host/x.jar"; }},
        {"file", [](AmInput& i) { i.spec.file = "hdfs://host"; }},
        {"file", [](AmInput& i) { i.spec.file = "hdfs://host/a b.jar"; }},
        {"file", [](AmInput& i) { i.spec.file = "/data/"; }},
        {"file", [](AmInput& i) { i.spec.file = "/data/x.jar#y.jar"; }},
        {"file", [](AmInput& i) { i.spec.file = "/data/a b.py"; }},
        {"file", [](AmInput& i) { i.spec.file = "/data/-x.py"; }},
        {"file", [](AmInput& i) { i.spec.file = "/data/__x.py"; }},
        {"file",
         [](AmInput& i) {
             i.files = {{"/run/arguments.json", false}};
         }},
        {"class_name", [](AmInput& i) { i.spec.class_name.clear(); }},
        {"class_name", [](AmInput& i) { i.spec.class_name = "-x"; }},
        {"class_name", [](AmInput& i) { i.spec.class_name = "\xff"; }},
        {"args[1]",
         [](AmInput& i) {
             i.spec.args = {"a", "{{sparkhost}}/b"};
         }},
        {"args[0]", [](AmInput& i) { i.spec.args = {"\xff"}; }},
        {"args[0]", [](AmInput& i) { i.spec.args = {std::string(1, '\0')}; }},
        {"proxy_user", [](AmInput& i) { i.spec.proxy_user = "bob&doAs=root"; }},
        {"proxy_user", [](AmInput& i) { i.spec.proxy_user = "../bob"; }},
        {"queue", [](AmInput& i) { i.spec.queue = "a\nb"; }},
        {"driver_memory", [](AmInput& i) { i.spec.driver_memory = "much"; }},
        {"driver_cores", [](AmInput& i) { i.spec.driver_cores = 0; }},
        {"jars[0]", [](AmInput& i) { i.spec.jars = {"http://host/x.jar"}; }},
        {"jars[1]",
         [](AmInput& i) {
             i.spec.jars = {"/a/x.jar", "/b/x.jar"};
         }},
        {"files[0]", [](AmInput& i) { i.spec.files = {"relative"}; }},
        {"files[0]", [](AmInput& i) { i.spec.files = {"/a/$(id)"}; }},
        {"files[0]", [](AmInput& i) { i.spec.files = {"/a/b#../c"}; }},
        {"files[0]", [](AmInput& i) { i.spec.files = {"/a/b#.."}; }},
        {"files[0]", [](AmInput& i) { i.spec.files = {"/a/b#"}; }},
        {"files[0]", [](AmInput& i) { i.spec.files = {"/a/b#c#d"}; }},
        {"files[0]", [](AmInput& i) { i.spec.files = {"/a/b#__spark_conf__"}; }},
        {"files[0]", [](AmInput& i) { i.spec.files = {"/a/launch_container.sh"}; }},
        {"files[0]", [](AmInput& i) { i.spec.files = {"viewfs://host/a"}; }},
        {"files[1]",
         [](AmInput& i) {
             i.spec.files = {"/a/x", "/b/y#x"};
         }},
        {"archives[0]",
         [](AmInput& i) {
             i.spec.files = {"/a/x.zip"};
             i.spec.archives = {"/a/x.zip"};
         }},
        {"archives[0]", [](AmInput& i) { i.spec.archives = {"/a/x#x.zip"}; }},
        {"py_files[0]", [](AmInput& i) { i.spec.py_files = {"local:/a/x.py"}; }},
        {"conf.spark.files", [](AmInput& i) { i.spec.conf["spark.files"] = "/a/x, ftp://h/y"; }},
        {"conf.spark.yarn.dist.jars",
         [](AmInput& i) { i.spec.conf["spark.yarn.dist.jars"] = "ftp://h/y"; }},
    };
    for (const auto& row : rows) {
        AmInput input = jar_input();
        row.change(input);
        BOOST_TEST_CONTEXT(row.field << " of " << input.spec.file) {
            BOOST_TEST(refused_field(home_options(), input) == row.field);
        }
    }
}

BOOST_AUTO_TEST_CASE(properties_that_cannot_be_followed_are_refused) {
    struct Row {
        const char* key;
        const char* value;
    };
    const Row rows[] = {
        {"spark.master", "local"},
        {"spark.submit.deployMode", "client"},
        {"spark.yarn.maxAppAttempts", "2"},
        {"spark.app.id", "x"},
        {"spark.driver.host", "x"},
        {"spark.yarn.archive", "x"},
        {"spark.yarn.jars", "x"},
        {"spark.yarn.stagingDir", "x"},
        {"spark.yarn.secondary.jars", "x"},
        {"spark.yarn.user.jar", "x"},
        {"spark.yarn.user.classpath.first", "true"},
        {"spark.yarn.cache.filenames", "x"},
        {"spark.yarn.isPython", "true"},
        {"spark.jars.packages", "a:b:c"},
        {"spark.kerberos.keytab", "/x"},
        {"spark.driver.resource.gpu.amount", "1"},
        {"spark.yarn.rolledLog.includePattern", ".*"},
        {"spark.yarn.populateHadoopClasspath", "true"},
        {"spark.launcher.port", "1"},
        {"spark.driver.memory", "much"},
        {"spark.driver.memory", "0"},
        {"spark.driver.memory", "2147483647m"},
        {"spark.driver.memoryOverhead", "-1"},
        {"spark.driver.memoryOverheadFactor", "a lot"},
        {"spark.driver.cores", "0"},
        {"spark.driver.cores", "99999999999"},
        {"spark.yarn.priority", "-1"},
        {"spark.yarn.priority", "high"},
        {"spark.yarn.tags", "sparkhost-other"},
        {"spark.yarn.tags", "ü"},
        {"spark.yarn.tags", "a,b,c,d,e,f,g,h,i"},
        {"spark.yarn.queue", "a\tb"},
        {"spark.yarn.am.nodeLabelExpression", "a\nb"},
        {"spark.yarn.am.waitTime", "soon"},
        {"spark.driver.extraJavaOptions", "-Da='open"},
        {"spark.driver.extraJavaOptions", "-Xmx2g"},
        {"spark.driver.extraJavaOptions", "-Da={{PWD}}"},
        {"spark.driver.extraJavaOptions", "-Da={{{APP_ID}}{b"},
        {"spark.driver.extraJavaOptions", "-Da=<LOG_DIR>"},
        {"spark.driver.extraJavaOptions", "-Da\n-Db"},
        {"spark.driver.extraJavaOptions", "-Dmy.password=x"},
        {"spark.driver.defaultJavaOptions", "-Da=<CPS>"},
        {"spark.driver.extraLibraryPath", "/a}}"},
        {"spark.driver.extraClassPath", "/a<CPS>/b"},
        {"spark.driver.extraClassPath", "$HOME/a.jar"},
        {"spark.yarn.appMasterEnv.A", "{{B}}"},
        {"spark.yarn.appMasterEnv.A", "$B"},
        {"spark.yarn.appMasterEnv.A", "x\ny"},
        {"spark.yarn.appMasterEnv.A-B", "x"},
        {"spark.yarn.appMasterEnv.1", "x"},
        {"spark.yarn.appMasterEnv.", "x"},
        {"spark.yarn.appMasterEnv.SPARKHOST_GUARD_TICKET", "x"},
        {"spark.yarn.appMasterEnv.SPARK_YARN_STAGING_DIR", "x"},
        {"spark.executorEnv.SPARKHOST_GUARD_SECRET", "x"},
    };
    for (const auto& row : rows) {
        AmInput input = jar_input();
        input.spec.driver_memory.clear();
        input.spec.conf[row.key] = row.value;
        BOOST_TEST_CONTEXT(row.key << "=" << row.value) {
            BOOST_TEST(refused_field(home_options(), input) == "conf." + std::string(row.key));
        }
    }
}

BOOST_AUTO_TEST_CASE(tags_that_are_too_long_are_refused) {
    AmInput input = jar_input();
    input.spec.conf["spark.yarn.tags"] = std::string(100, 'x');
    BOOST_TEST(refused_field(home_options(), input) == "none");
    input.spec.conf["spark.yarn.tags"] = std::string(101, 'x');
    BOOST_TEST(refused_field(home_options(), input) == "conf.spark.yarn.tags");
}

BOOST_AUTO_TEST_CASE(what_this_server_is_not_set_up_for_is_refused) {
    YarnBackendOptions options = archive_options();
    options.pyspark_archives.clear();
    BOOST_TEST(refused_field(options, python_input()) == "file");
    BOOST_TEST(refused_field(options, jar_input()) == "none");
    options.webhdfs.clear();
    AmInput input = jar_input();
    input.spec.files = {"hdfs://namenode/a"};
    BOOST_TEST(refused_field(options, input) == "files[0]");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::yarn_test
