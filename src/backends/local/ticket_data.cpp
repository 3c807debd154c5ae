// SPDX-License-Identifier: Apache-2.0
#include "backends/local/ticket_data.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <cctype>

namespace sparkhost::detail::local {

namespace {

constexpr int ticket_data_format = 1;

std::string lower_case_name(std::string_view text) {
    std::string name;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        bool plain = byte < 0x80 && std::isalnum(byte);
        name += plain ? static_cast<char>(std::tolower(byte)) : '-';
    }
    return name;
}

}  // namespace

std::string encode_ticket_data(const TicketData& data) {
    boost::json::object properties;
    for (const auto& [key, value] : data.properties) {
        properties[key] = value;
    }
    boost::json::object object{
        {"format", ticket_data_format},
        {"spark_home", data.spark_home},
        {"spark_version", data.spark_version},
        {"logging_jars", boost::json::value_from(data.logging_jars)},
        {"java", data.java},
        {"conf_folder", data.conf_folder},
        {"conf_options", boost::json::value_from(data.conf_options)},
        {"properties", std::move(properties)},
    };
    return boost::json::serialize(object);
}

Result<TicketData> decode_ticket_data(std::string_view text) {
    try {
        const auto value = boost::json::parse(text);
        const auto& object = value.as_object();
        if (object.at("format").as_int64() != ticket_data_format) {
            return Error(Errc::backend_failed, "the ticket was made by an unknown version");
        }
        auto string_of = [&object](const char* name) {
            return std::string(object.at(name).as_string());
        };
        TicketData data;
        data.spark_home = string_of("spark_home");
        data.spark_version = string_of("spark_version");
        data.logging_jars =
            boost::json::value_to<std::vector<std::string>>(object.at("logging_jars"));
        data.java = string_of("java");
        data.conf_folder = string_of("conf_folder");
        data.conf_options =
            boost::json::value_to<std::vector<std::string>>(object.at("conf_options"));
        for (const auto& [key, entry] : object.at("properties").as_object()) {
            data.properties[std::string(key)] = std::string(entry.as_string());
        }
        return data;
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed,
                     std::string("the ticket's data cannot be read: ") + failure.what());
    }
}

std::string ticket_id(const SubmitRequest& request, int turn) {
    const std::string suffix =
        "-" + std::to_string(request.attempt) + (turn > 1 ? "-" + std::to_string(turn) : "");
    std::string id =
        lower_case_name(request.store_uuid.substr(0, 8)) + "-" + lower_case_name(request.subject);
    constexpr std::size_t max_length = 63;
    return id.substr(0, max_length - suffix.size()) + suffix;
}

bool is_ticket_id(std::string_view id) {
    return !id.empty() && id.size() <= 63 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

}  // namespace sparkhost::detail::local
