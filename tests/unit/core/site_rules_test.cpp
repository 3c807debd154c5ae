// SPDX-License-Identifier: Apache-2.0
#include "core/site_rules.hpp"

#include "host_fixture.hpp"
#include "support/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <vector>

namespace sparkhost::detail {

namespace site_rules_test {

/// A backend whose drivers see this host's files.
const Backend::Traits here{};

}  // namespace site_rules_test

using site_rules_test::here;

using SiteConf = std::map<std::string, std::string>;

BOOST_AUTO_TEST_SUITE(site_rules_suite)

BOOST_AUTO_TEST_CASE(paths_in_the_roots_are_allowed_by_whatever_name) {
    const std::vector<std::string> roots{"/data/jobs", "/opt/spark/"};
    for (const std::string path :
         {"/data/jobs/a.py", "/data/jobs", "/data//jobs/./x/../a.py", "file:/data/jobs/a.py",
          "file:///data/jobs/a.py", "FILE:///opt/spark/x.jar", "local:/opt/spark/x.jar",
          "file://host/data/jobs/a.py", "/data/jobs/a.zip#name", "/data/jobs/part-?.txt",
          "/data/jobs/100%.txt", "hdfs:///etc/passwd", "s3a://bucket/x", "http://host/x.py"}) {
        BOOST_TEST(is_in_roots(roots, path), path);
    }
}

BOOST_AUTO_TEST_CASE(paths_outside_of_the_roots_are_found_out) {
    const std::vector<std::string> roots{"/data/jobs"};
    for (const std::string path : {"/etc/passwd",
                                   "/data/jobsx/a.py",
                                   "/data",
                                   "/",
                                   "file:/etc/passwd",
                                   "file:///etc/passwd",
                                   "file:etc/passwd",
                                   "file:",
                                   "file://host",
                                   "local:/etc/passwd",
                                   "FILE:/etc/passwd",
                                   "/data/jobs/../x",
                                   "/data/jobs/%2e%2e/x",
                                   "file:/data/jobs/%2E%2E/x",
                                   "/data/jobs/%252e%252e/x",
                                   "//data/jobs/etc/passwd",
                                   "/data/jobs/{../x,b}/c",
                                   "/data/jobs/\\.\\./x",
                                   "/etc/passwd#/../../data/jobs/x",
                                   "file:/etc/passwd?/../../data/jobs/x",
                                   "/data/jobs/../../etc/passwd#x"}) {
        BOOST_TEST(!is_in_roots(roots, path), path);
    }
    BOOST_TEST(is_in_roots({"/"}, "/etc/passwd"));
}

BOOST_AUTO_TEST_CASE(a_path_outside_is_refused_in_livys_words_wherever_it_stands) {
    HostOptions options;
    options.local_file_roots = {"/data"};
    options.file_list_conf = {"spark.my.files"};
    struct Row {
        std::string field;
        std::function<void(BatchSpec&)> change;
    };
    const std::vector<Row> rows{
        {"file", [](auto& s) { s.file = "file:/x"; }},
        {"jars[1]",
         [](auto& s) {
             s.jars = {"/data/y", "/x"};
         }},
        {"pyFiles[0]", [](auto& s) { s.py_files = {"/x"}; }},
        {"files[0]", [](auto& s) { s.files = {"file:///x"}; }},
        {"archives[0]", [](auto& s) { s.archives = {"/x"}; }},
        {"conf.spark.jars",
         [](auto& s) {
             s.conf = {{"spark.jars", "/data/y, /x"}};
         }},
        {"conf.spark.submit.pyFiles",
         [](auto& s) {
             s.conf = {{"spark.submit.pyFiles", "/x"}};
         }},
        {"conf.spark.my.files",
         [](auto& s) {
             s.conf = {{"spark.my.files", "hdfs:/y,/x"}};
         }},
    };
    for (const Row& row : rows) {
        BatchSpec spec;
        spec.file = "/data/job.py";
        row.change(spec);
        const auto checked = apply_site_rules(options, here, spec);
        BOOST_TEST_REQUIRE(!checked.has_value(), row.field);
        BOOST_TEST(checked.error().field == row.field);
        BOOST_TEST(checked.error().detail == "Local path /x cannot be added to user sessions.");
    }
    BatchSpec other;
    other.file = "/data/job.py";
    other.conf = {{"spark.other.files", "/x"}};
    BOOST_TEST(apply_site_rules(options, here, other).has_value());
    other.conf = {{"spark.jars", "x.jar"}};
    BOOST_TEST(apply_site_rules({}, here, other).error().detail == "Path 'x.jar' is not absolute.");
}

BOOST_AUTO_TEST_CASE(files_of_running_sessions_obey_the_same_rules) {
    const std::string own = "/var/lib/sparkhost/files/7";
    HostOptions options;
    BOOST_TEST(check_session_file(options, here, "/x", own).has_value());
    BOOST_TEST(check_session_file(options, here, "x.jar", own).error().detail ==
               "Path 'x.jar' is not absolute.");
    options.local_file_roots = {"/data"};
    for (const auto& uri : std::vector<std::string>{"/data/x", "hdfs:///x", own + "/room/x.jar",
                                                    "file:" + own + "/x"}) {
        BOOST_TEST(check_session_file(options, here, uri, own).has_value(), uri);
    }
    for (const auto& uri :
         std::vector<std::string>{"file:/x", "/x", own + "8/x", own + "/../8/x"}) {
        const auto checked = check_session_file(options, here, uri, own);
        BOOST_TEST_REQUIRE(!checked.has_value(), uri);
        BOOST_TEST(checked.error().field == "uri");
        BOOST_TEST(checked.error().detail.starts_with("Local path /"));
    }
}

BOOST_AUTO_TEST_CASE(a_driver_elsewhere_has_files_of_its_own) {
    HostOptions options;
    options.local_file_roots = {"/data"};
    Backend::Traits elsewhere;
    elsewhere.shares_files = false;
    BatchSpec spec;
    for (const char* file : {"local:///opt/spark/job.jar", "LOCAL:/x", "hdfs:///x", "/data/x"}) {
        spec.file = file;
        BOOST_TEST(apply_site_rules(options, elsewhere, spec).has_value(), file);
    }
    for (const char* file : {"/opt/spark/job.jar", "file:///x"}) {  // of this host, if of any
        spec.file = file;
        BOOST_TEST(!apply_site_rules(options, elsewhere, spec).has_value(), file);
    }
    spec.file = "local:///opt/spark/job.jar";
    BOOST_TEST(!apply_site_rules(options, here, spec).has_value());
    BOOST_TEST(check_session_file(options, elsewhere, "/opt/x", "/own").has_value());
}

BOOST_AUTO_TEST_CASE(refused_properties_are_told_together) {
    HostOptions options;
    options.refused_conf = {"spark.master", "spark.yarn.*", "livy.rsc.server.idle-timeout"};
    BatchSpec spec;
    spec.conf = {{"spark.master", "x"},
                 {"spark.yarn.jar", "/x"},
                 {"spark.masters", "x"},
                 {"livy.rsc.server.idle-timeout", "1d"}};
    const auto checked = apply_site_rules(options, here, spec);
    BOOST_TEST_REQUIRE(!checked.has_value());
    BOOST_TEST(checked.error().field == "conf");
    BOOST_TEST(checked.error().detail ==
               "Blacklisted configuration values in session config: "
               "livy.rsc.server.idle-timeout, spark.master, spark.yarn.jar");
}

BOOST_AUTO_TEST_CASE(properties_of_a_livy_server_are_left_out) {
    BatchSpec spec;
    spec.conf = {{"livy.uri", "http://x"}, {"spark.a", "1"}, {"livy.rsc.x", "y"}};
    BOOST_TEST(apply_site_rules({}, here, spec).has_value());
    BOOST_TEST((spec.conf == SiteConf{{"spark.a", "1"}}));
}

BOOST_AUTO_TEST_CASE(properties_of_the_request_win_over_the_sites) {
    HostOptions options;
    options.default_conf = {{"spark.a", "site"}, {"spark.b", "site"}};
    BatchSpec spec;
    spec.conf = {{"spark.b", "request"}, {"spark.c", "request"}};
    add_default_conf(options, spec);
    BOOST_TEST((spec.conf ==
                SiteConf{{"spark.a", "site"}, {"spark.b", "request"}, {"spark.c", "request"}}));
}

BOOST_FIXTURE_TEST_CASE(a_refused_request_leaves_nothing_behind, host_test::HostFixture) {
    options.refused_conf = {"spark.secret"};
    start();
    auto refused = spec("name");
    refused.conf = {{"spark.secret", "x"}};
    const auto answer = ask(host().submit(refused));
    BOOST_TEST_REQUIRE(!answer.has_value());
    BOOST_TEST((answer.error().code == Errc::invalid_argument));
    BOOST_TEST(host().status().last_sequence == 0);
    BOOST_TEST(submit(spec("name")).id.value == 0);
}

BOOST_FIXTURE_TEST_CASE(a_repeated_request_is_the_same_under_other_defaults,
                        host_test::HostFixture) {
    options.default_conf = {{"spark.a", "1"}};
    start();
    auto wanted = spec();
    wanted.idempotency_key = "k";
    BOOST_TEST((submit(wanted).spec.conf == SiteConf{{"spark.a", "1"}}));
    options.default_conf = {{"spark.a", "2"}};
    restart();
    const auto again = submit(wanted);
    BOOST_TEST(again.id.value == 0);
    BOOST_TEST((again.spec.conf == SiteConf{{"spark.a", "1"}}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
