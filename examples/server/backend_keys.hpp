// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_BACKEND_KEYS_HPP
#define SPARKHOST_EXAMPLES_SERVER_BACKEND_KEYS_HPP

#include "config.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What an option of a cluster is made of: "KEY=VALUE,KEY=VALUE…" for the members of a backend's
// options.

namespace server {

/// At single commas; two of them are one.
std::vector<std::string> split_at_commas(std::string_view text);

/// It is part of the name of a folder, and of what clients write.
bool is_backend_name(std::string_view name);

/// A whole number that is not negative; else nothing is taken, and false.
bool take_count(const std::string& value, std::size_t& member);

/// Such as 10s, 500ms, 1m; else false.
bool take_time(const std::string& value, std::chrono::milliseconds& member);

template <class Options>
struct BackendKey {
    std::string_view name;
    /// Takes a value; gives what would have been right when it refuses it, else nothing.
    std::function<std::string(Options&, const std::string&)> take;
    bool repeats{false};
};

template <class Options>
BackendKey<Options> text_key(std::string_view name, std::string Options::*member) {
    return {name, [member](Options& options, const std::string& value) {
                options.*member = value;
                return std::string();
            }};
}

template <class Options>
BackendKey<Options> path_key(std::string_view name, std::string Options::*member) {
    return {name, [member](Options& options, const std::string& value) {
                options.*member = value;
                return std::string(value.starts_with('/') ? "" : "expected an absolute path");
            }};
}

template <class Options>
BackendKey<Options> list_key(std::string_view name, std::vector<std::string> Options::*member) {
    return {name,
            [member](Options& options, const std::string& value) {
                (options.*member).push_back(value);
                return std::string();
            },
            true};
}

template <class Options>
BackendKey<Options> properties_key(std::string_view name,
                                   std::map<std::string, std::string> Options::*member) {
    return {name,
            [member](Options& options, const std::string& value) {
                const auto end = value.find('=');
                if (end == std::string::npos || end == 0) {
                    return std::string("expected KEY=VALUE behind it");
                }
                (options.*member)[value.substr(0, end)] = value.substr(end + 1);
                return std::string();
            },
            true};
}

template <class Options>
BackendKey<Options> flag_key(std::string_view name, bool Options::*member) {
    return {name, [member](Options& options, const std::string& value) {
                options.*member = value == "true";
                const bool known = value == "true" || value == "false";
                return std::string(known ? "" : "expected true or false");
            }};
}

template <class Options>
BackendKey<Options> count_key(std::string_view name, std::size_t Options::*member) {
    return {name, [member](Options& options, const std::string& value) {
                const bool good = take_count(value, options.*member);
                return std::string(good ? "" : "expected a whole number");
            }};
}

template <class Options, class Duration>
BackendKey<Options> time_key(std::string_view name, Duration Options::*member) {
    return {name, [member](Options& options, const std::string& value) {
                std::chrono::milliseconds parsed{};
                if (!take_time(value, parsed)) {
                    return std::string("expected a time such as 10s, 500ms or 1m");
                }
                options.*member = std::chrono::ceil<Duration>(parsed);
                return std::string();
            }};
}

/// The names, for --help and messages.
template <class Options>
std::string key_names(const std::vector<BackendKey<Options>>& keys) {
    std::string names;
    for (const auto& key : keys) {
        names += (names.empty() ? "" : ", ") + std::string(key.name);
    }
    return names;
}

/// `option` is how messages begin ("--kubernetes"). Throws ConfigError, which names the key.
template <class Options>
Options parse_backend(const std::string& option, const std::vector<BackendKey<Options>>& keys,
                      const std::string& text) {
    Options options;
    std::set<std::string, std::less<>> given;
    for (const auto& part : split_at_commas(text)) {
        const auto end = std::min(part.find('='), part.size());
        const auto name = part.substr(0, end);
        const auto key =
            std::ranges::find(keys, std::string_view(name), &BackendKey<Options>::name);
        if (key == keys.end() || end == part.size()) {
            throw ConfigError(option + ": \"" + part + "\": expected KEY=VALUE, KEY one of " +
                              key_names(keys));
        }
        if (!given.insert(name).second && !key->repeats) {
            throw ConfigError(option + ": " + name + " is given more than once");
        }
        const auto refused = end + 1 < part.size() ? key->take(options, part.substr(end + 1))
                                                   : std::string("expected a value");
        if (!refused.empty()) {
            throw ConfigError(option + ": " + name + ": " + refused);
        }
    }
    if (!is_backend_name(options.name)) {
        throw ConfigError(option + ": name: expected lower-case letters, digits and '-'");
    }
    return options;
}

/// What is wrong with a text, as a rule of an option says it; empty: nothing.
template <class Parse>
std::string backend_rule(const std::string& option, const Parse& parse, const std::string& text) {
    try {
        parse(text);
        return {};
    } catch (const ConfigError& mistake) {
        return std::string(mistake.what()).substr(option.size() + 2);
    }
}

}  // namespace server

#endif
