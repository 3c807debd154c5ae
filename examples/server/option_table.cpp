// SPDX-License-Identifier: Apache-2.0
#include "option_kinds.hpp"
#include "options.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace server {

namespace json = boost::json;

namespace {

std::optional<boost::asio::ip::tcp::endpoint> parse_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    std::string address(text.substr(0, colon));
    const auto port = whole_number(text.substr(colon + 1));
    const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (bracketed) {
        address = address.substr(1, address.size() - 2);
    }
    if (address == "localhost") {
        address = "127.0.0.1";
    }
    boost::system::error_code failure;
    const auto parsed = boost::asio::ip::make_address(address, failure);
    // without brackets it is anyone's guess where an IPv6 address ends
    if (failure || !port || *port < 0 || *port > 65535 || parsed.is_v6() != bracketed) {
        return std::nullopt;
    }
    return boost::asio::ip::tcp::endpoint(parsed, static_cast<std::uint16_t>(*port));
}

Option listen_option() {
    return {
        "listen",
        "Listening",
        "ADDR:PORT",
        "address and port; port 0 lets the system pick one, IPv6 goes in brackets: [::1]:8998",
        Kind::text,
        [](Config& config, const json::value& value) -> std::string {
            const auto endpoint = parse_endpoint(value.as_string());
            if (!endpoint) {
                return "expected ADDR:PORT with a numeric address, such as 127.0.0.1:8998 or "
                       "[::1]:0";
            }
            config.listen = *endpoint;
            return {};
        },
        [](const Config& config) { return json::value(json::string(to_string(config.listen))); }};
}

Option allowed_host_option() {
    return {"allowed-host",
            "Listening",
            "NAME",
            "a name under which clients reach the server, besides loopback and the address of "
            "--listen; may be given several times; requests with another Host header are refused",
            Kind::list,
            [](Config& config, const json::value& value) {
                config.allowed_hosts = json::value_to<std::vector<std::string>>(value);
                const auto& names = config.allowed_hosts;
                const bool ok = std::none_of(names.begin(), names.end(),
                                             [](const auto& name) { return name.empty(); });
                return std::string(ok ? "" : "expected names");
            },
            [](const Config& config) { return json::value_from(config.allowed_hosts); }};
}

Option archive_option() {
    return {"class-data-archive",
            "Spark",
            "auto|off",
            "keep Spark's classes in an archive for a faster start: made in the background after "
            "the first batch",
            Kind::text,
            [](Config& config, const json::value& value) {
                const auto& word = value.as_string();
                config.class_data_archive = word == "auto";
                return std::string(word == "auto" || word == "off" ? "" : "expected auto or off");
            },
            [](const Config& config) {
                return json::value(config.class_data_archive ? "auto" : "off");
            }};
}

Option log_level_option() {
    auto option = text_option("log-level", "Logging", "LEVEL",
                              "debug, info, warning, error or off; the log goes to stderr",
                              &Config::log_level);
    option.set = [](Config& config, const json::value& value) {
        const std::vector<std::string_view> levels{"debug", "info", "warning", "error", "off"};
        config.log_level = value.as_string();
        const bool known =
            std::find(levels.begin(), levels.end(), config.log_level) != levels.end();
        return std::string(known ? "" : "expected debug, info, warning, error or off");
    };
    return option;
}

std::string conf_rule(const std::string& item) {
    const auto end = item.find('=');
    const bool good = item.starts_with("spark.") && end != std::string::npos && end > 6;
    return good ? "" : "expected spark.KEY=VALUE";
}

std::string key_rule(const std::string& item) {
    return item.empty() ? "expected the name of a property" : "";
}

std::string path_rule(const std::string& item) {
    return item.starts_with('/') ? "" : "expected an absolute path";
}

std::string jar_rule(const std::string& item) {
    const bool good = item.starts_with('/') && item.find(':') == std::string::npos;
    return good ? "" : "expected an absolute path without a colon";
}

Option level_option() {
    auto option = text_option(
        "livy-compatibility", "Livy", "VERSION",
        "version of Livy whose objects clients are shown: 0.5, 0.6, 0.7, 0.8 or 0.9; for old Java "
        "clients, which break on fields that they do not know",
        &Config::livy_compatibility);
    option.set = [](Config& config, const json::value& value) {
        config.livy_compatibility = value.as_string();
        return std::string(config.livy_level() ? "" : "expected 0.5, 0.6, 0.7, 0.8 or 0.9");
    };
    return option;
}

Option insecure_option() {
    return flag_option("insecure-listen", "Listening",
                       "allow an address that is not loopback, although nobody is asked who they "
                       "are: whoever reaches the port can run code as this user",
                       &Config::insecure_listen);
}

std::vector<Option> listening_options() {
    return {
        listen_option(),
        allowed_host_option(),
        insecure_option(),
        count_option("max-header", "Listening",
                     "bytes that the head of a request may have; more is answered 431",
                     &Config::max_header, 1024),
        count_option("max-body", "Listening",
                     "bytes that the body of a request may have; more is answered 413",
                     &Config::max_body, 1024),
        count_option("max-upload", "Listening",
                     "bytes that a request may have that brings a file or a job to a session; more "
                     "is answered 413",
                     &Config::max_upload, 1024),
        flag_option("csrf-protection", "Listening",
                    "refuse requests that can change something and have no X-Requested-By header: "
                    "pages of other web sites cannot send it; many clients of Livy do not either",
                    &Config::csrf_protection),
    };
}

std::vector<Option> life_options() {
    return {
        duration_option("drain-timeout", "Beginning and ending",
                        "how long requests under way may take when the server is asked to end",
                        &Config::drain_timeout),
        flag_option("take-over", "Beginning and ending",
                    "take the listening socket over from the server that works on the data folder "
                    "now, and let it end: no client is refused meanwhile; without such a server, "
                    "open it as always",
                    &Config::take_over),
    };
}

std::vector<Option> policy_options() {
    return {
        list_option("default-conf", "What may be asked for", "KEY=VALUE",
                    "a Spark property of every batch and session whose request does not set it; "
                    "may be given several times",
                    &Config::default_conf, &conf_rule),
        list_option("refused-conf", "What may be asked for", "KEY",
                    "a property that requests must not set, spark.x.* for all that begin so; may "
                    "be given several times",
                    &Config::refused_conf, &key_rule),
        list_option("local-file-root", "What may be asked for", "DIR",
                    "a folder that local files of requests must lie in (jars, files, listed in "
                    "properties); may be given several times; without it they may lie anywhere",
                    &Config::local_file_roots, &path_rule),
        list_option("file-list-conf", "What may be asked for", "KEY",
                    "a property that is a list of files, besides Spark's own: its paths obey "
                    "--local-file-root; may be given several times",
                    &Config::file_list_conf, &key_rule),
    };
}

std::vector<Option> livy_options() {
    return {
        level_option(),
        count_option("max-page", "Livy", "objects in one list; a greater size is cut to it",
                     &Config::max_page, 1),
        count_option("max-log-bytes", "Livy",
                     "bytes of log lines in one answer; the log is kept "
                     "whole, and clients read on from where it was cut",
                     &Config::max_log_bytes, 1024),
    };
}

std::vector<Option> storage_and_spark_options() {
    return {
        text_option("data-dir", "Storage", "DIR",
                    "where everything is kept: the store, output, what sessions need; made if "
                    "missing, for its owner alone; one server per folder",
                    &Config::data_dir),
        text_option("cache-dir", "Storage", "DIR",
                    "where what can be made again is kept; servers of one user may share it",
                    &Config::cache_dir),
        text_option("spark-home", "Spark", "DIR",
                    "Spark installation; without it $SPARK_HOME, then the pyspark that --python "
                    "can import",
                    &Config::spark_home),
        text_option("java-home", "Spark", "DIR",
                    "Java installation; without it $JAVA_HOME, then java in PATH",
                    &Config::java_home),
        text_option("python", "Spark", "PROGRAM",
                    "interpreter of Python batches and sessions; without it python3 in PATH",
                    &Config::python),
        text_option("master", "Spark", "URL", "where batches run: local[N] or spark://HOST:PORT",
                    &Config::master),
        archive_option(),
    };
}

std::vector<Option> work_options() {
    return {
        count_option("max-running", "Batches", "batches that run at a time; more wait in the queue",
                     &Config::max_running, 1),
        count_option("max-queued", "Batches", "batches that may wait; more are refused",
                     &Config::max_queued, 0),
        duration_option("kill-grace", "Batches",
                        "between asking a killed batch to end and ending it by force, such as "
                        "10s, 500ms, 1m",
                        &Config::kill_grace),
        seconds_option("batch-retention", "Batches",
                       "a batch that has ended is deleted after so long; 0: it is kept",
                       &Config::batch_retention, 0),
        count_option("max-sessions", "Sessions", "sessions that are not over; more are refused",
                     &Config::max_sessions, 0),
        seconds_option("session-idle-timeout", "Sessions",
                       "a session without a statement for so long is ended, unless it has asked "
                       "for another time; 0: never",
                       &Config::session_idle_timeout, 0),
        duration_option("session-close-grace", "Sessions",
                        "how long a session that is deleted may take to stop Spark in order, "
                        "before it is killed",
                        &Config::session_close_grace),
        seconds_option("session-retention", "Sessions",
                       "a session that has ended is deleted, with its statements and its log, "
                       "after so long; 0: it is kept",
                       &Config::session_retention, 0),
        count_option("max-statements", "Sessions",
                     "statements of one session that may wait; more are refused",
                     &Config::max_statements, 1),
        count_option("sql-rows", "Sessions", "rows of the result of an sql statement",
                     &Config::sql_rows, 1),
        seconds_option("host-vanished-after", "Sessions",
                       "a session ends itself when no server has been there for so long",
                       &Config::host_vanished_after, 1),
        list_option("job-jars", "Sessions", "JAR",
                    "a jar with Livy's classes (livy-api, livy-rsc from Maven Central), which jobs "
                    "of Java and Scala clients need; may be given several times",
                    &Config::job_jars, &jar_rule),
    };
}

}  // namespace

const std::vector<Option>& options() {
    static const std::vector<Option> table = [] {
        std::vector<Option> all;
        for (const auto& part :
             {listening_options(), life_options(), storage_and_spark_options(), policy_options(),
              work_options(), retry_options(), backend_options(), livy_options(),
              std::vector{log_level_option()}}) {
            all.insert(all.end(), part.begin(), part.end());
        }
        return all;
    }();
    return table;
}

}  // namespace server
