// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace server {

namespace json = boost::json;

namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

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

/// "10s", "1500ms", "2m", "10" (seconds) → milliseconds.
std::optional<std::int64_t> parse_duration(std::string_view text) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = whole_number(text.substr(0, digits));
    const auto unit = text.substr(digits);
    const std::int64_t factor = unit == "ms"                ? 1
                                : unit == "s" || unit == "" ? 1000
                                : unit == "m"               ? 60'000
                                : unit == "h"               ? 3'600'000
                                                            : 0;
    constexpr std::int64_t longest = 1'000'000'000;  // far from overflow in either unit
    if (!number || factor == 0 || *number > longest) {
        return std::nullopt;
    }
    return *number * factor;
}

Option text_option(std::string_view name, std::string_view group, std::string_view argument,
                   std::string_view help, std::string Config::*member) {
    return {name,
            group,
            argument,
            help,
            Kind::text,
            [member](Config& config, const json::value& value) {
                config.*member = value.as_string();
                return std::string(value.as_string().empty() ? "expected a value" : "");
            },
            [member](const Config& config) { return json::value(json::string(config.*member)); }};
}

Option count_option(std::string_view name, std::string_view group, std::string_view help,
                    std::int64_t Config::*member, std::int64_t least) {
    return {name,
            group,
            "N",
            help,
            Kind::count,
            [member, least](Config& config, const json::value& value) {
                config.*member = value.as_int64();
                return value.as_int64() >= least ? std::string()
                                                 : "must be at least " + std::to_string(least);
            },
            [member](const Config& config) { return json::value(config.*member); }};
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

Option insecure_option() {
    return {"insecure-listen",
            "Listening",
            "",
            "allow an address that is not loopback, although nobody is asked who they are: "
            "whoever reaches the port can run code as this user",
            Kind::flag,
            [](Config& config, const json::value& value) {
                config.insecure_listen = value.as_bool();
                return std::string();
            },
            [](const Config& config) { return json::value(config.insecure_listen); }};
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

Option duration_option(std::string_view name, std::string_view group, std::string_view help,
                       std::chrono::milliseconds Config::*member) {
    return {name,
            group,
            "TIME",
            help,
            Kind::duration,
            [member](Config& config, const json::value& value) {
                config.*member = std::chrono::milliseconds(value.as_int64());
                return std::string();
            },
            [member](const Config& config) {
                const auto count = (config.*member).count();
                const bool seconds = count % 1000 == 0;
                return json::value(json::string(seconds ? std::to_string(count / 1000) + "s"
                                                        : std::to_string(count) + "ms"));
            }};
}

Option session_idle_option() {
    auto option = duration_option(
        "session-idle-timeout", "Sessions",
        "a session without a statement for so long is ended, unless it has asked for another "
        "time; 0: never",
        &Config::session_idle_timeout);
    option.set = [](Config& config, const json::value& value) {
        config.session_idle_timeout = std::chrono::milliseconds(value.as_int64());
        return std::string(value.as_int64() % 1000 == 0 ? "" : "expected whole seconds");
    };
    return option;
}

Option agent_address_option() {
    auto option = text_option(
        "agent-address", "Sessions", "ADDRESS",
        "where the agents of sessions dial: unix:/PATH or tcp:ADDR:PORT, the same after a "
        "restart; without it a socket in the data folder",
        &Config::agent_address);
    option.set = [](Config& config, const json::value& value) {
        config.agent_address = value.as_string();
        return std::string();
    };
    return option;
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

/// Levenshtein's distance.
std::size_t distance(std::string_view left, std::string_view right) {
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t j = 0; j <= right.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= left.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const auto substituted = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
        }
    }
    return row[right.size()];
}

}  // namespace

const std::vector<Option>& options() {
    static const std::vector<Option> table{
        listen_option(),
        allowed_host_option(),
        insecure_option(),
        text_option("data-dir", "Storage", "DIR",
                    "where everything is kept: the store (sparkhost.db) output (local/) "
                    "and what sessions need (sessions/); made if missing, for its owner alone; one "
                    "server per folder",
                    &Config::data_dir),
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
        count_option("max-running", "Batches", "batches that run at a time; more wait in the queue",
                     &Config::max_running, 1),
        count_option("max-queued", "Batches", "batches that may wait; more are refused",
                     &Config::max_queued, 0),
        duration_option("kill-grace", "Batches",
                        "between asking a killed batch to end and ending it by force, such as "
                        "10s, 500ms, 1m",
                        &Config::kill_grace),
        count_option("max-sessions", "Sessions", "sessions that are not over; more are refused",
                     &Config::max_sessions, 0),
        session_idle_option(),
        duration_option("session-close-grace", "Sessions",
                        "how long a session that is deleted may take to stop Spark in order, "
                        "before it is killed",
                        &Config::session_close_grace),
        agent_address_option(),
        log_level_option(),
    };
    return table;
}

const Option* find_option(std::string_view name) {
    const auto& table = options();
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const Option& option) { return option.name == name; });
    return found == table.end() ? nullptr : &*found;
}

std::string suggestion(std::string_view unknown, std::string_view prefix) {
    std::vector<std::string_view> names;
    for (const auto& option : options()) {
        names.push_back(option.name);
    }
    if (!prefix.empty()) {  // these have no place in a config file
        names.insert(names.end(), {"config", "print-config", "help", "version"});
    }
    const auto nearest = *std::min_element(names.begin(), names.end(), [&](auto left, auto right) {
        return distance(unknown, left) < distance(unknown, right);
    });
    if (distance(unknown, nearest) > std::max<std::size_t>(2, nearest.size() / 3)) {
        return {};
    }
    return "; did you mean " + std::string(prefix) + std::string(nearest) + "?";
}

json::value value_from_text(const Option& option, const std::string& text) {
    const auto fail = [&](const std::string& expected) {
        throw ConfigError("--" + std::string(option.name) + ": " + expected + ", not \"" + text +
                          "\"");
    };
    if (option.kind == Kind::count) {
        const auto number = whole_number(text);
        if (!number) {
            fail("expected a whole number");
        }
        return *number;
    }
    if (option.kind == Kind::duration) {
        const auto milliseconds = parse_duration(text);
        if (!milliseconds) {
            fail("expected a time such as 10s, 500ms or 1m");
        }
        return *milliseconds;
    }
    return json::string(text);
}

json::value value_from_json(const Option& option, const json::value& value,
                            const std::string& where) {
    const auto fail = [&](const char* expected) {
        throw ConfigError(where + ": \"" + std::string(option.name) + "\": expected " + expected +
                          ", not " + json::serialize(value));
    };
    const bool small = !value.is_uint64();  // larger than any int64
    switch (option.kind) {
        case Kind::text:
            if (!value.is_string()) {
                fail("a string");
            }
            return value;
        case Kind::count:
            if (!value.is_int64() || !small) {
                fail("a whole number");
            }
            return value;
        case Kind::flag:
            if (!value.is_bool()) {
                fail("true or false");
            }
            return value;
        case Kind::duration: {
            const auto text = value.is_int64() && value.as_int64() >= 0
                                  ? std::to_string(value.as_int64()) + "s"
                              : value.is_string() ? std::string(value.as_string())
                                                  : std::string("?");
            const auto milliseconds = parse_duration(text);
            if (!milliseconds) {
                fail("seconds, or a string such as \"10s\", \"500ms\" or \"1m\"");
            }
            return *milliseconds;
        }
        case Kind::list:
            break;
    }
    const bool strings =
        value.is_array() && std::all_of(value.as_array().begin(), value.as_array().end(),
                                        [](const json::value& item) { return item.is_string(); });
    if (!strings) {
        fail("a list of strings");
    }
    return value;
}

}  // namespace server
