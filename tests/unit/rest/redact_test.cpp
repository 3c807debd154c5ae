// SPDX-License-Identifier: Apache-2.0
#include "rest/redact.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace sparkhost;
using detail::rest::names_secret;
using detail::rest::redact;

namespace {

const std::string hidden(detail::rest::redacted);

std::string redacted_argument(const std::string& arg) {
    BatchRecord record;
    record.spec.args = {arg};
    redact(record);
    return record.spec.args[0];
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rest_redact)

BOOST_AUTO_TEST_CASE(names_of_secrets_are_known) {
    for (const char* name :
         {"spark.my.password", "spark.hadoop.fs.s3a.secret.key", "spark.hadoop.fs.s3a.access.key",
          "SPARK_API_KEY", "--db-password", "spark.authToken", "aws_session_token", "credentials",
          "ssl.keyPassword", "private-key", "PASSWD"}) {
        BOOST_TEST(names_secret(name), name);
    }
    for (const char* name :
         {"spark.executor.memory", "spark.app.name", "", "keys", "pass", "author"}) {
        BOOST_TEST(!names_secret(name), name);
    }
}

BOOST_AUTO_TEST_CASE(conf_values_go_by_their_key_and_wherever_else_they_occur) {
    BatchRecord record;
    record.spec.file = "/x.py";
    record.spec.conf = {{"spark.my.password", "hunter22"},
                        {"spark.my.token", "short"},
                        {"spark.url", "jdbc:x;user=a;password=b;other=c"},
                        {"spark.java", "-Dk=hunter22 -Dz=1"},
                        {"spark.plain", "short"}};
    record.spec.args = {"--use", "hunter22", "xhunter22x"};
    record.reason = "cannot log in with hunter22";
    record.timeline = {{"ended", {}, "hunter22"}};
    redact(record);
    BOOST_TEST(record.spec.conf.at("spark.my.password") == hidden);
    BOOST_TEST(record.spec.conf.at("spark.my.token") == hidden);
    BOOST_TEST(record.spec.conf.at("spark.url") == "jdbc:x;user=a;password=" + hidden + ";other=c");
    BOOST_TEST(record.spec.conf.at("spark.java") == "-Dk=" + hidden + " -Dz=1");
    BOOST_TEST(record.spec.conf.at("spark.plain") == "short");
    BOOST_TEST(record.spec.args == (std::vector<std::string>{"--use", hidden, "x" + hidden + "x"}),
               boost::test_tools::per_element());
    BOOST_TEST(record.reason == "cannot log in with " + hidden);
    BOOST_TEST(record.timeline[0].reason == hidden);
    BOOST_TEST(record.spec.file == "/x.py");
}

BOOST_AUTO_TEST_CASE(a_secret_inside_a_longer_secret_goes_with_it) {
    BatchRecord record;
    record.spec.conf = {{"spark.a.secret", "hunter22"}, {"spark.b.secret", "hunter22-and-more"}};
    record.spec.args = {"hunter22-and-more"};
    redact(record);
    BOOST_TEST(record.spec.args[0] == hidden);
}

BOOST_AUTO_TEST_CASE(arguments_after_options_that_name_secrets_go) {
    BatchRecord record;
    record.spec.args = {"--db-password", "x", "--token", "--verbose", "y", "--password=z", "end"};
    redact(record);
    const std::vector<std::string> expected{
        "--db-password", hidden, "--token", "--verbose", "y", "--password=" + hidden, "end"};
    BOOST_TEST(record.spec.args == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(texts_lose_their_assignments_and_user_infos) {
    const std::vector<std::pair<std::string, std::string>> rows{
        {"password=x", "password=" + hidden},
        {"a=1&token=x&b=2", "a=1&token=" + hidden + "&b=2"},
        {"https://me:pw@host/x", "https://me:" + hidden + "@host/x"},
        {"https://me@host/x", "https://me@host/x"},
        {"https://host:80/a@b:c", "https://host:80/a@b:c"},
        {"https://a:b@c https://d:e@f", "https://a:" + hidden + "@c https://d:" + hidden + "@f"},
        {"=", "="},
        {"==x", "==x"},
        {"://", "://"},
        {"a=b=c", "a=b=c"},
        {"", ""},
        {"plain", "plain"},
    };
    for (const auto& [from, to] : rows) {
        BOOST_TEST(redacted_argument(from) == to, from << " became " << redacted_argument(from));
    }
}

BOOST_AUTO_TEST_SUITE_END()
