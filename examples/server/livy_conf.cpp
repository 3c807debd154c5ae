// SPDX-License-Identifier: Apache-2.0
#include "livy_conf.hpp"

#include "java_properties.hpp"
#include "livy_values.hpp"
#include "options.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace server {

namespace json = boost::json;

namespace {

/// Of equal keys the last one counts, as in Java; the order is that of the file.
std::vector<Property> settled(std::vector<Property> properties) {
    std::vector<Property> last;
    for (auto& property : properties) {
        std::erase_if(last, [&](const Property& other) { return other.key == property.key; });
        const auto end = property.value.find_last_not_of(" \t");
        property.value.resize(end == std::string::npos ? 0 : end + 1);
        last.push_back(std::move(property));
    }
    return last;
}

bool is_secret(std::string_view key) {
    for (const std::string_view word : {"password", "secret", "token", "key-password"}) {
        if (key.find(word) != std::string_view::npos || key.ends_with("TokenValue")) {
            return true;
        }
    }
    return false;
}

std::string entry_of(const Property& property) {
    return property.key + " = " + (is_secret(property.key) ? "***" : property.value);
}

std::vector<std::string> words_of(std::string_view text) {
    std::istringstream stream{std::string(text)};
    return {std::istream_iterator<std::string>(stream), {}};
}

/// Collects what the entries of one file come to.
class Reading {
public:
    Reading(std::string name, const std::vector<Property>& properties)
        : name_(std::move(name)), properties_(properties) {
        conf_.file = name_;
    }

    LivyConf take() {
        for (const Property& property : properties_) {
            add(property);
        }
        add_listen();
        add_idle_timeout();
        if (!refused_.empty()) {
            throw ConfigError(name_ +
                              " asks for what this server does not do; take these lines out if you "
                              "can do without:" +
                              refused_);
        }
        return std::move(conf_);
    }

private:
    const Property* find(std::string_view key) const {
        const auto found = std::ranges::find(properties_, key, &Property::key);
        return found == properties_.end() ? nullptr : &*found;
    }

    void add(const Property& property) {
        const auto current = current_spelling(property.key);
        const bool superseded = current != property.key && find(current) != nullptr;
        if (superseded) {
            return note(property, "", "ignored: " + std::string(current) + " is there, too");
        }
        const LivyKey* row = find_livy_key(current);
        if (row == nullptr) {
            const bool livys = property.key.starts_with("livy.");
            return note(property, "",
                        livys ? "ignored: Livy 0.9 has no such key"
                              : "ignored: Livy, too, reads keys that begin with livy. only");
        }
        const std::string why(row->why);
        switch (row->fate) {
            case LivyFate::ignored:
                return note(property, "", "ignored: " + why);
            case LivyFate::refused:
                if (property.value.empty()) {
                    return note(property, "", "ignored: it is empty");
                }
                if (property.value == row->harmless) {
                    return note(property, "", "honoured: so it is here");
                }
                refused_ += "\n  " + entry_of(property) + " (line " +
                            std::to_string(property.line) + "): " + why;
                return;
            case LivyFate::mapped:
                break;
        }
        note(property, std::string(row->options), "");
        if (row->convert != nullptr) {
            for (const auto& option : words_of(row->options)) {
                set(option, property, row->convert);
            }
        }
    }

    void set(const std::string& option, const Property& property,
             json::value (*convert)(const std::string&)) {
        try {
            conf_.settings.push_back(
                {option, convert(property.value), name_ + ", " + property.key});
        } catch (const ConfigError& mistake) {
            throw ConfigError(name_ + ", line " + std::to_string(property.line) + ": " +
                              property.key + ": " + mistake.what() + ", not \"" + property.value +
                              "\"");
        }
    }

    /// livy.server.host and livy.server.port are one option here. What the file does not say is as
    /// it is without it, not Livy's 0.0.0.0.
    void add_listen() {
        const Property* host = find("livy.server.host");
        const Property* port = find("livy.server.port");
        if (host == nullptr && port == nullptr) {
            return;
        }
        std::string address = host == nullptr ? "127.0.0.1" : host->value;
        if (address.find(':') != std::string::npos && !address.starts_with('[')) {
            address = "[" + address + "]";
        }
        address += ":" + (port == nullptr ? "8998" : port->value);
        const Property& first = host == nullptr ? *port : *host;
        conf_.settings.push_back({"listen", livy_text(address), name_ + ", " + first.key});
    }

    void add_idle_timeout() {
        const std::string check = "livy.server.session.timeout-check";
        const Property* timeout = find("livy.server.session.timeout");
        const Property* checked = find(check);
        if (timeout != nullptr) {
            set("session-idle-timeout", *timeout, &livy_seconds);
        }
        if (checked != nullptr) {
            set("session-idle-timeout", *checked, &livy_flag);
            const bool on = conf_.settings.back().value.as_bool();
            conf_.settings.pop_back();
            if (!on) {
                conf_.settings.push_back({"session-idle-timeout", 0, name_ + ", " + check});
            }
        }
    }

    void note(const Property& property, std::string options, std::string text) {
        conf_.lines.push_back({entry_of(property), std::move(options), std::move(text)});
    }

    std::string name_;
    const std::vector<Property>& properties_;
    LivyConf conf_{};
    std::string refused_{};
};

/// One key a line; "#" begins a comment.
json::array blacklist_keys(std::string_view text) {
    json::array keys;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        line.resize(std::min(line.find('#'), line.size()));
        for (const auto& word : words_of(line)) {
            keys.emplace_back(word);
        }
    }
    return keys;
}

std::string read_text(const std::string& name) {
    std::ifstream stream(name, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream.good()) {
        throw ConfigError("--livy-conf: cannot read " + name);
    }
    return text;
}

/// Who has the last word about an option, where it is not this file.
std::string overridden(const LivyConf& conf, const Config& config, const std::string& option) {
    const auto source = config.source.find(option);
    const auto ours = [&](const LivyConf::Setting& setting) {
        return setting.option == option && setting.source == source->second;
    };
    const bool wins = source == config.source.end() || std::ranges::any_of(conf.settings, ours);
    return wins ? "" : " (" + source->second + ")";
}

std::string cell(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        escaped += c == '|' ? "\\|" : std::string(1, c);
    }
    return escaped;
}

}  // namespace

LivyConf parse_livy_conf(const std::string& name, std::string_view text,
                         const std::string& blacklist_name, std::string_view blacklist) {
    std::vector<Property> properties;
    try {
        properties = settled(read_properties(text));
    } catch (const std::invalid_argument& mistake) {
        throw ConfigError(name + ", " + mistake.what());
    }
    LivyConf conf = Reading(name, properties).take();
    if (!blacklist_name.empty()) {
        json::array keys = blacklist_keys(blacklist);
        conf.lines.push_back(
            {blacklist_name + ": " + std::to_string(keys.size()) + " keys", "refused-conf", ""});
        conf.settings.push_back({"refused-conf", std::move(keys), blacklist_name});
    }
    return conf;
}

LivyConf read_livy_conf(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const fs::path file =
        fs::is_directory(path, ignored) ? fs::path(path) / "livy.conf" : fs::path(path);
    const fs::path blacklist = file.parent_path() / "spark-blacklist.conf";
    const std::string text = read_text(file);
    if (!fs::exists(blacklist, ignored)) {
        return parse_livy_conf(file, text);
    }
    return parse_livy_conf(file, text, blacklist, read_text(blacklist));
}

std::string report(const LivyConf& conf, const Config& config) {
    std::size_t width = 0;
    for (const auto& line : conf.lines) {
        width = std::max(width, std::min<std::size_t>(line.entry.size(), 60));
    }
    std::ostringstream out;
    out << conf.file << ": " << conf.lines.size() << " settings\n";
    for (const auto& line : conf.lines) {
        out << "  " << line.entry
            << std::string(width - std::min(width, line.entry.size()) + 2, ' ') << line.note;
        for (const auto& name : words_of(line.options)) {
            const auto value = find_option(name)->get(config);
            out << "-> --" << name << ' '
                << (value.is_string() ? std::string(value.as_string()) : json::serialize(value))
                << overridden(conf, config, name);
        }
        out << '\n';
    }
    return out.str();
}

std::string livy_conf_markdown() {
    std::ostringstream out;
    out << "| Livy's key | Here |\n|---|---|\n";
    for (const LivyKey& row : livy_keys()) {
        std::string text(row.why);
        if (row.fate == LivyFate::mapped) {
            std::string names;
            for (const auto& name : words_of(row.options)) {
                names += (names.empty() ? "`--" : ", `--") + name + "`";
            }
            text = names + (text.empty() ? "" : "; " + text);
        } else if (row.fate == LivyFate::ignored) {
            text = "ignored: " + text;
        } else {
            const std::string unless =
                row.harmless.empty() ? "" : ", unless it is `" + std::string(row.harmless) + "`";
            text = "**refused**" + unless + ": " + text;
        }
        out << "| `" << row.key << "` | " << cell(text) << " |\n";
    }
    return out.str();
}

}  // namespace server
