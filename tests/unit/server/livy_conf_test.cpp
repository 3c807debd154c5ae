// SPDX-License-Identifier: Apache-2.0
#include "livy_conf.hpp"
#include "livy_values.hpp"
#include "options.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

using namespace server;

namespace {

LivyConf parsed_conf(const std::string& text) {
    return parse_livy_conf("livy.conf", text);
}

/// The options that the text sets, as JSON; the last setting of an option counts.
std::map<std::string, std::string> conf_options_of(const std::string& text) {
    std::map<std::string, std::string> options;
    for (const auto& setting : parsed_conf(text).settings) {
        options[setting.option] = boost::json::serialize(setting.value);
    }
    return options;
}

std::string conf_mistake_of(const std::function<void()>& act) {
    try {
        act();
    } catch (const ConfigError& mistake) {
        return mistake.what();
    }
    return "no mistake";
}

std::string conf_note_of(const std::string& text) {
    const auto conf = parsed_conf(text);
    return conf.lines.empty() ? "no line" : conf.lines.front().note;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server_livy_conf)

BOOST_AUTO_TEST_CASE(keys_are_mapped_to_options_with_their_values) {
    struct Row {
        std::string text;
        std::string option;
        std::string value;
    };
    const std::vector<Row> rows{
        {"livy.server.port = 8999", "listen", "\"127.0.0.1:8999\""},
        {"livy.server.host = 192.0.2.7", "listen", "\"192.0.2.7:8998\""},
        {"livy.server.host = ::1\nlivy.server.port=1", "listen", "\"[::1]:1\""},
        {"livy.server.host = [::1]\nlivy.server.port=1", "listen", "\"[::1]:1\""},
        {"livy.server.spark-home = /opt/spark", "spark-home", "\"/opt/spark\""},
        {"livy.spark.master = local[2]  ", "master", "\"local[2]\""},
        {"livy.spark.master spark://h:7077", "master", "\"spark://h:7077\""},
        {"livy.file.local-dir-whitelist = /a, /b/c ,", "local-file-root", "[\"/a\",\"/b/c\"]"},
        {"livy.spark.file-list-configs: spark.x", "file-list-conf", "[\"spark.x\"]"},
        {"livy.server.request-header.size = 131072", "max-header", "131072"},
        {"livy.server.csrf-protection.enabled = true", "csrf-protection", "true"},
        {"livy.server.csrf_protection.enabled = true", "csrf-protection", "true"},
        {"livy.server.session.max-creation = 7", "max-sessions", "7"},
        {"livy.server.session.timeout = 2h", "session-idle-timeout", "7200000"},
        {"livy.server.session.timeout = 90000", "session-idle-timeout", "90000"},
        {"livy.server.session.timeout = 600", "session-idle-timeout", "1000"},  // ms
        {"livy.server.session.timeout = 2h\nlivy.server.session.timeout-check = false",
         "session-idle-timeout", "0"},
        {"livy.server.session.timeout-check = true\nlivy.server.session.timeout = 2h",
         "session-idle-timeout", "7200000"},
        {"livy.file.upload.max.size = 104857600", "max-upload", "105906176"},
        {"livy.rsc.sql.num-rows = 5000", "sql-rows", "5000"},
        {"livy.rsc.server.idle-timeout = 10m", "host-vanished-after", "600000"},
    };
    for (const Row& row : rows) {
        const auto options = conf_options_of(row.text);
        BOOST_TEST_REQUIRE(options.size() == 1u, row.text);
        BOOST_TEST(options.begin()->first == row.option, row.text);
        BOOST_TEST(options.begin()->second == row.value, row.text);
    }
}

BOOST_AUTO_TEST_CASE(what_has_ended_is_kept_for_milliseconds_unless_there_is_a_unit) {
    struct Row {
        std::string value;
        std::string milliseconds;
    };
    for (const Row& row : {Row{"600s", "600000"}, Row{"600", "1000"}, Row{"600000", "600000"}}) {
        const auto options = conf_options_of("livy.server.session.state-retain.sec = " + row.value);
        BOOST_TEST(options.size() == 2u);
        BOOST_TEST(options.at("session-retention") == row.milliseconds);
        BOOST_TEST(options.at("batch-retention") == row.milliseconds);
    }
}

BOOST_AUTO_TEST_CASE(times_are_read_in_livys_syntax) {
    struct Row {
        std::string text;
        std::int64_t milliseconds;
    };
    for (const Row& row :
         {Row{"600s", 600'000}, Row{"600", 1'000}, Row{"600000", 600'000}, Row{"1M", 60'000},
          Row{"2min", 120'000}, Row{"1h", 3'600'000}, Row{"7d", 604'800'000}, Row{"1500ms", 2'000},
          Row{"5us", 1'000}, Row{"0", 1'000}}) {
        BOOST_TEST(livy_seconds(row.text).as_int64() == row.milliseconds, row.text);
    }
    for (const std::string text :
         {"", "h", "-1s", "1.5h", "1 h", "1w", "9999999999999d", "99999999999999999999"}) {
        BOOST_CHECK_THROW(livy_seconds(text), ConfigError);
    }
}

BOOST_AUTO_TEST_CASE(what_would_be_less_safe_is_refused_with_all_its_lines) {
    const auto mistake = conf_mistake_of([] {
        parsed_conf(
            "livy.server.port = 1\n\nlivy.server.auth.type = kerberos\n"
            "livy.server.auth.kerberos.keytab = /k\nlivy.impersonation.enabled = true\n");
    });
    BOOST_TEST(mistake.starts_with("livy.conf asks for what this server does not do"));
    BOOST_TEST(mistake.find("livy.server.auth.type = kerberos (line 3): nobody is asked") !=
               std::string::npos);
    BOOST_TEST(mistake.find("livy.impersonation.enabled = true (line 5): ") != std::string::npos);
    BOOST_TEST(mistake.find("keytab") == std::string::npos);
    for (const std::string text :
         {"livy.keystore = /k", "livy.superusers = root", "livy.spark.deploy-mode = cluster",
          "livy.spark.deployMode = cluster", "livy.server.access-control.enabled = true",
          "livy.server.access_control.enabled = true", "livy.server.access_control.users = a",
          "livy.server.access-control.allowed-users = a",
          "livy.server.access-control.modify-users = a",
          "livy.server.access-control.view-users = a", "livy.rsc.proxy-user = a",
          "livy.rsc.rpc.sasl.qop = auth-conf", "livy.server.http.header.X-Frame-Options = DENY"}) {
        BOOST_CHECK_THROW(parsed_conf(text), ConfigError);
    }
}

BOOST_AUTO_TEST_CASE(what_is_so_here_anyway_is_honoured) {
    for (const std::string text :
         {"livy.impersonation.enabled = false", "livy.server.access-control.enabled = false",
          "livy.spark.deploy-mode = client", "livy.server.access-control.allowed-users = *",
          "livy.rsc.rpc.sasl.qop = auth", "livy.server.http.header.X-Frame-Options = SAMEORIGIN"}) {
        BOOST_TEST(conf_note_of(text) == "honoured: so it is here", text);
    }
}

BOOST_AUTO_TEST_CASE(what_changes_nothing_is_ignored_and_says_why) {
    struct Row {
        std::string text;
        std::string note;
    };
    const std::vector<Row> rows{
        {"livy.server.auth.type =", "ignored: it is empty"},
        {"livy.ui.enabled = false", "ignored: there is no UI yet"},
        {"livy.server.thrift.port = 1", "ignored: there is no Thrift server here"},
        {"livy.no.such.key = 1", "ignored: Livy 0.9 has no such key"},
        {"spark.master = yarn", "ignored: Livy, too, reads keys that begin with livy. only"},
        {"livy.server.csrf_protection.enabled = true\nlivy.server.csrf-protection.enabled = false",
         "ignored: livy.server.csrf-protection.enabled is there, too"},
    };
    for (const Row& row : rows) {
        BOOST_TEST(conf_note_of(row.text) == row.note, row.text);
    }
    BOOST_TEST(conf_options_of(rows.back().text).at("csrf-protection") == "false");
}

BOOST_AUTO_TEST_CASE(the_last_of_equal_keys_counts) {
    const auto conf = parsed_conf(
        "livy.server.port = 1\nlivy.impersonation.enabled = true\n"
        "livy.server.port = 2\nlivy.impersonation.enabled = false\n");
    BOOST_TEST(conf.lines.size() == 2u);
    BOOST_TEST(boost::json::serialize(conf.settings.at(0).value) == "\"127.0.0.1:2\"");
}

BOOST_AUTO_TEST_CASE(wrong_values_are_told_with_key_and_line) {
    struct Row {
        std::string text;
        std::string words;
    };
    const std::vector<Row> rows{
        {"\nlivy.server.session.timeout = soon",
         "livy.conf, line 2: livy.server.session.timeout: expected a time such as 600s, 10m, 1h or "
         "2d; a number alone is milliseconds, not \"soon\""},
        {"livy.server.session.max-creation = x",
         "livy.conf, line 1: livy.server.session.max-creation: expected a whole number, not \"x\""},
        {"livy.server.csrf-protection.enabled = yes",
         "livy.conf, line 1: livy.server.csrf-protection.enabled: expected true or false, not "
         "\"yes\""},
        {"livy.server.session.timeout-check = no",
         "livy.conf, line 1: livy.server.session.timeout-check: expected true or false, not "
         "\"no\""},
        {"livy.file.upload.max.size = -1",
         "livy.conf, line 1: livy.file.upload.max.size: expected a number of bytes, not \"-1\""},
        {"livy.spark.master = yarn",
         "livy.conf, line 1: livy.spark.master: refused: this server runs Spark on local[N] and "
         "spark://HOST:PORT, not \"yarn\""},
        {"a = \\u1", "livy.conf, line 1: malformed \\uXXXX, four hexadecimal digits are expected"},
    };
    for (const Row& row : rows) {
        BOOST_TEST(conf_mistake_of([&] { parsed_conf(row.text); }) == row.words);
    }
}

BOOST_AUTO_TEST_CASE(the_blacklist_becomes_refused_properties) {
    const auto conf =
        parse_livy_conf("livy.conf", "", "spark-blacklist.conf",
                        "# spark.comment\nspark.master\r\n\n  spark.yarn.jar # why\n");
    BOOST_TEST_REQUIRE(conf.settings.size() == 1u);
    BOOST_TEST(conf.settings[0].option == "refused-conf");
    BOOST_TEST(boost::json::serialize(conf.settings[0].value) ==
               R"(["spark.master","spark.yarn.jar"])");
}

BOOST_AUTO_TEST_CASE(secrets_are_not_told) {
    const auto conf = parsed_conf(
        "livy.keystore.password = hunter2\n"
        "livy.server.kubernetes.oauthTokenValue = hunter2\n");
    for (const auto& line : conf.lines) {
        BOOST_TEST(line.entry.find("hunter2") == std::string::npos, line.entry);
    }
}

BOOST_AUTO_TEST_SUITE_END()
