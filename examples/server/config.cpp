// SPDX-License-Identifier: Apache-2.0
#include "config.hpp"

#include "livy_conf.hpp"
#include "options.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace server {

namespace json = boost::json;
namespace po = boost::program_options;

namespace {

constexpr std::string_view command_line = "command line";

/// Values by option name, ready for Option::set.
using Values = std::map<std::string, json::value, std::less<>>;

struct ParsedLine {
    Values values{};
    std::string config_file{};
    std::string livy_conf{};
    std::set<std::string, std::less<>> actions{};
};

struct General {
    const char* name;
    const char* argument;
    const char* help;
};

/// What has its place on the command line alone.
constexpr General general_options[] = {
    {"livy-conf", "FILE",
     "read an existing livy.conf, or the one in this folder, with the spark-blacklist.conf beside "
     "it; say which of its keys are honoured, mapped to options or ignored, and refuse what would "
     "be less safe here; --config and the command line win over it"},
    {"config", "FILE", "read options from a JSON file; the command line wins over it"},
    {"print-config", "", "print the effective options and where each came from, then exit"},
    {"version", "", "print the version, then exit"},
    {"help", "", "print this text, then exit"},
};

const po::value_semantic* semantic(bool takes_argument) {
    return takes_argument ? static_cast<const po::value_semantic*>(po::value<std::string>())
                          : new po::untyped_value(true);
}

po::options_description description() {
    po::options_description all;
    for (const auto& option : options()) {
        all.add_options()(option.name.data(), semantic(option.kind != Kind::flag), "");
    }
    for (const auto& option : general_options) {
        all.add_options()(option.name, semantic(*option.argument != '\0'), "");
    }
    return all;
}

std::string without_dashes(std::string_view token) {
    token.remove_prefix(std::min(token.find_first_not_of('-'), token.size()));
    return std::string(token.substr(0, token.find('=')));
}

void take(ParsedLine& line, const po::basic_option<char>& given) {
    if (given.unregistered) {
        const auto& token = given.original_tokens.at(0);
        throw ConfigError("unknown option " + token.substr(0, token.find('=')) +
                          suggestion(without_dashes(token), "--"));
    }
    if (given.string_key.empty()) {
        throw ConfigError("unexpected argument \"" + given.value.at(0) + "\"");
    }
    const auto& name = given.string_key;
    const auto text = given.value.empty() ? std::string() : given.value.front();
    const auto* option = find_option(name);
    if (option != nullptr && option->kind == Kind::list) {
        auto& list = line.values.try_emplace(name, json::array()).first->second;
        list.as_array().push_back(value_from_text(*option, text));
        return;
    }
    bool first = true;
    if (option != nullptr) {
        auto value =
            option->kind == Kind::flag ? json::value(true) : value_from_text(*option, text);
        first = line.values.try_emplace(name, std::move(value)).second;
    } else if (name == "config" || name == "livy-conf") {
        auto& file = name == "config" ? line.config_file : line.livy_conf;
        first = file.empty();
        file = text;
    } else {
        line.actions.insert(name);
    }
    if (!first) {
        throw ConfigError("--" + name + " is given more than once");
    }
}

ParsedLine parse_line(const std::vector<std::string>& arguments) {
    namespace style = po::command_line_style;
    ParsedLine line;
    const auto known = description();
    try {
        auto parser = po::command_line_parser(arguments);
        // no guessing: an abbreviation would change its meaning when an option is added
        parser.options(known).allow_unregistered().style(
            style::allow_long | style::long_allow_adjacent | style::long_allow_next);
        for (const auto& given : parser.run().options) {
            take(line, given);
        }
    } catch (const po::error& failure) {
        throw ConfigError(failure.what());
    }
    return line;
}

json::object read_file(const std::string& name) {
    std::ifstream stream(name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream.good()) {
        throw ConfigError("--config: cannot read " + name);
    }
    json::parse_options allow;
    allow.allow_comments = true;
    allow.allow_trailing_commas = true;
    json::stream_parser parser({}, allow);
    boost::system::error_code failure;
    const auto read = parser.write_some(text, failure);
    if (!failure && read == text.size()) {
        parser.finish(failure);
    }
    if (failure || read != text.size()) {
        const auto line =
            1 + std::count(text.begin(), text.begin() + static_cast<long>(read), '\n');
        throw ConfigError(name + ", line " + std::to_string(line) + ": not JSON" +
                          (failure ? " (" + failure.message() + ")" : std::string()));
    }
    const auto value = parser.release();
    if (!value.is_object()) {
        throw ConfigError(name + ": expected an object of options, such as {\"max-running\": 8}");
    }
    return value.as_object();
}

Values parse_file(const std::string& name) {
    Values values;
    for (const auto& [key, value] : read_file(name)) {
        const auto* option = find_option(key);
        if (option == nullptr) {
            throw ConfigError(name + ": unknown key \"" + std::string(key) + "\"" +
                              suggestion(key, ""));
        }
        values.emplace(key, value_from_json(*option, value, name));
    }
    return values;
}

void apply_one(Config& config, const std::string& name, const json::value& value,
               const std::string& source) {
    const auto refused = find_option(name)->set(config, value);
    if (!refused.empty()) {
        throw ConfigError((source == command_line ? "--" + name : source + ": \"" + name + "\"") +
                          ": " + refused + ", not " + json::serialize(value));
    }
    config.source[name] = source;
}

void apply(Config& config, const Values& values, const std::string& source) {
    for (const auto& [name, value] : values) {
        apply_one(config, name, value, source);
    }
}

/// $XDG_DATA_HOME/sparkhost, ~/.local/share/sparkhost.
std::string default_data_dir() {
    const char* data = std::getenv("XDG_DATA_HOME");
    if (data != nullptr && *data == '/') {
        return std::string(data) + "/sparkhost";
    }
    const char* home = std::getenv("HOME");
    return home != nullptr && *home == '/' ? std::string(home) + "/.local/share/sparkhost" : "";
}

void check_backends(const Config& config) {
#ifndef SPARKHOST_WITH_KUBERNETES
    if (!config.kubernetes.empty()) {
        throw ConfigError("--kubernetes: this server has been built without it");
    }
#endif
#ifndef SPARKHOST_WITH_STANDALONE
    if (!config.standalone.empty()) {
        throw ConfigError("--standalone: this server has been built without it");
    }
#endif
#ifndef SPARKHOST_WITH_YARN
    if (!config.yarn.empty()) {
        throw ConfigError("--yarn: this server has been built without it");
    }
#endif
    const bool guarded = !config.standalone.empty() || !config.yarn.empty();
    if (guarded && !config.agent_address.starts_with("tcp:")) {
        throw ConfigError(std::string(config.yarn.empty() ? "--standalone" : "--yarn") +
                          " needs --agent-address tcp:ADDR:PORT, which its drivers dial before "
                          "they run anything");
    }
    const auto names = backend_names(config);
    if (names.empty()) {
        throw ConfigError(
            "--no-local-backend needs another backend: --kubernetes, --standalone or --yarn");
    }
    const auto& wanted = config.default_backend;
    if (!wanted.empty() && std::find(names.begin(), names.end(), wanted) == names.end()) {
        std::string there;
        for (const auto& name : names) {
            there += (there.empty() ? "" : ", ") + name;
        }
        throw ConfigError("--default-backend: there is no \"" + wanted + "\"; there is " + there);
    }
}

void check(Config& config) {
    if (config.data_dir.empty()) {
        throw ConfigError("--data-dir is needed: without HOME there is no default for it");
    }
    auto data_dir = std::filesystem::absolute(config.data_dir).lexically_normal();
    config.data_dir = data_dir.has_filename() ? data_dir : data_dir.parent_path();
    if (!config.cache_dir.empty()) {
        config.cache_dir = std::filesystem::absolute(config.cache_dir).lexically_normal();
    }
    if (config.max_upload < config.max_body) {
        throw ConfigError("--max-upload must not be less than --max-body");
    }
    if (!config.agent_advertised.empty() && !config.agent_address.starts_with("tcp:")) {
        throw ConfigError(
            "--agent-advertised needs --agent-address tcp:ADDR:PORT, which it leads to");
    }
    check_backends(config);
    check_listen(config);
}

}  // namespace

void check_listen(Config& config) {
    const auto address = config.listen.address();
    if (!address.is_loopback() && !config.insecure_listen) {
        throw ConfigError("--listen " + to_string(config.listen) +
                          ": this address is not loopback, and the server does not ask clients who "
                          "they are: whoever reaches it can run code as this user; add "
                          "--insecure-listen if that is what you want");
    }
    if (!address.is_unspecified() && !address.is_loopback()) {
        config.allowed_hosts.push_back(address.to_string());
        config.source.try_emplace("allowed-host", "--listen");
    }
}

Command read_command(const std::vector<std::string>& arguments) {
    const auto line = parse_line(arguments);
    Command command;
    if (line.actions.contains("help")) {
        command.action = Action::help;
        return command;
    }
    if (line.actions.contains("version")) {
        command.action = Action::version;
        return command;
    }
    command.action = line.actions.contains("print-config") ? Action::print_config : Action::serve;
    command.config.data_dir = default_data_dir();
    LivyConf livy;
    if (!line.livy_conf.empty()) {
        livy = read_livy_conf(line.livy_conf);
        for (const auto& setting : livy.settings) {
            apply_one(command.config, setting.option, setting.value, setting.source);
        }
    }
    if (!line.config_file.empty()) {
        apply(command.config, parse_file(line.config_file), line.config_file);
    }
    apply(command.config, line.values, std::string(command_line));
    check(command.config);
    if (!line.livy_conf.empty()) {
        command.config.livy_report = report(livy, command.config);
    }
    return command;
}

std::string help_text() {
    std::ostringstream out;
    out << "sparkhost-server: a durable, push-based job server for Apache Spark\n\n"
           "Usage: sparkhost-server [OPTION]...\n";
    const auto entry = [&](std::string_view name, std::string_view argument, std::string text) {
        out << "  --" << name << (argument.empty() ? "" : " ") << argument << '\n';
        for (std::size_t width = 72; !text.empty();) {
            auto cut = text.size() <= width ? text.size() : text.rfind(' ', width);
            if (cut == std::string::npos) {  // a word longer than the line
                cut = std::min(text.find(' '), text.size());
            }
            out << "        " << text.substr(0, cut) << '\n';
            text.erase(0, std::min(cut + 1, text.size()));
        }
    };
    Config defaults;
    defaults.data_dir = default_data_dir();
    std::string_view group;
    for (const auto& option : options()) {
        if (option.group != group) {
            group = option.group;
            out << '\n' << group << ":\n";
        }
        const auto value = option.get(defaults);
        const auto text = value.is_string()  ? std::string(value.as_string())
                          : value.is_int64() ? std::to_string(value.as_int64())
                                             : std::string();
        entry(option.name, option.argument,
              std::string(option.help) + (text.empty() ? "" : " (default: " + text + ")"));
    }
    out << "\nGeneral:\n";
    for (const auto& option : general_options) {
        entry(option.name, option.argument, option.help);
    }
    out << R"(
A config file holds the same names: {"listen": "127.0.0.1:9000", "max-running": 8}

Examples:
  sparkhost-server --spark-home /opt/spark
  sparkhost-server --listen 127.0.0.1:0 --data-dir /tmp/try --max-running 2
  sparkhost-server --config /etc/sparkhost.json --print-config

  curl -d '{"file": "/opt/spark/examples/src/main/python/pi.py"}' 127.0.0.1:8998/batches

SIGTERM and SIGINT end the server; batches under way run on, and the next server on the same
folder takes them up. Exit status: 0 ended as asked, 1 could not start or failed, 2 wrong options.
)";
    return out.str();
}

std::string describe(const Config& config) {
    std::ostringstream out;
    out << "{";
    const char* separator = "\n";
    for (const auto& option : options()) {
        const auto source = config.source.find(option.name);
        const json::string from(source == config.source.end() ? "default" : source->second);
        out << separator << "  \"" << option.name
            << "\": {\"value\": " << json::serialize(option.get(config))
            << ", \"from\": " << json::serialize(from) << "}";
        separator = ",\n";
    }
    out << "\n}\n";
    return out.str();
}

std::optional<sparkhost::rest::LivyLevel> Config::livy_level() const {
    using sparkhost::rest::LivyLevel;
    using Row = std::pair<std::string_view, LivyLevel>;
    for (const auto& [version, level] :
         {Row{"0.5", LivyLevel::v0_5}, Row{"0.6", LivyLevel::v0_6}, Row{"0.7", LivyLevel::v0_7},
          Row{"0.8", LivyLevel::v0_8}, Row{"0.9", LivyLevel::v0_9}}) {
        if (livy_compatibility == version) {
            return level;
        }
    }
    return std::nullopt;
}

std::map<std::string, std::string> Config::default_properties() const {
    std::map<std::string, std::string> properties;
    for (const auto& entry : default_conf) {
        const auto end = entry.find('=');
        properties[entry.substr(0, end)] = entry.substr(end + 1);
    }
    return properties;
}

std::string to_string(const boost::asio::ip::tcp::endpoint& endpoint) {
    const auto address = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
           std::to_string(endpoint.port());
}

}  // namespace server
