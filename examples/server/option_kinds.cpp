// SPDX-License-Identifier: Apache-2.0
#include "option_kinds.hpp"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

namespace server {

namespace json = boost::json;

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

Option flag_option(std::string_view name, std::string_view group, std::string_view help,
                   bool Config::*member) {
    return {name,
            group,
            "",
            help,
            Kind::flag,
            [member](Config& config, const json::value& value) {
                config.*member = value.as_bool();
                return std::string();
            },
            [member](const Config& config) { return json::value(config.*member); }};
}

Option list_option(std::string_view name, std::string_view group, std::string_view argument,
                   std::string_view help, std::vector<std::string> Config::*member,
                   std::string (*rule)(const std::string& item)) {
    return {name,
            group,
            argument,
            help,
            Kind::list,
            [member, rule](Config& config, const json::value& value) {
                config.*member = json::value_to<std::vector<std::string>>(value);
                std::string refused;
                for (const auto& item : config.*member) {
                    refused = refused.empty() ? rule(item) : refused;
                }
                return refused;
            },
            [member](const Config& config) { return json::value_from(config.*member); }};
}

Option seconds_option(std::string_view name, std::string_view group, std::string_view help,
                      std::chrono::milliseconds Config::*member, std::int64_t least) {
    auto option = duration_option(name, group, help, member);
    option.set = [member, least](Config& config, const json::value& value) -> std::string {
        config.*member = std::chrono::milliseconds(value.as_int64());
        if (value.as_int64() % 1000 != 0) {
            return "expected whole seconds";
        }
        return value.as_int64() < least * 1000 ? "must be at least " + std::to_string(least) + "s"
                                               : "";
    };
    return option;
}

}  // namespace server
