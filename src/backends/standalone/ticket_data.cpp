// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/ticket_data.hpp"

#include "backends/common/ticket_names.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <exception>

namespace sparkhost::detail::standalone {

namespace {

constexpr int ticket_format = 1;

boost::json::array write_files(const std::vector<DriverFile>& files) {
    boost::json::array list;
    for (const auto& each : files) {
        list.push_back(boost::json::object{{"path", each.path}, {"secret", each.secret}});
    }
    return list;
}

boost::json::object write_map(const Properties& properties) {
    boost::json::object object;
    for (const auto& [key, value] : properties) {
        object[key] = value;
    }
    return object;
}

}  // namespace

std::string encode_ticket_data(const TicketData& data) {
    return boost::json::serialize(
        boost::json::object{{"format", ticket_format},
                            {"store", data.store},
                            {"nonce", data.nonce},
                            {"files", write_files(data.files)},
                            {"properties", write_map(data.request.properties)},
                            {"submission", data.request.body}});
}

Result<TicketData> decode_ticket_data(const Ticket& ticket) {
    if (!is_ticket_id(ticket.id)) {
        return Error(Errc::backend_failed, "\"" + ticket.id + "\" is no ticket of this backend");
    }
    try {
        const auto value = boost::json::parse(ticket.data);
        const auto& object = value.as_object();
        if (object.at("format").as_int64() != ticket_format) {
            return Error(Errc::backend_failed, "the ticket was made by an unknown version");
        }
        TicketData data;
        data.store = std::string(object.at("store").as_string());
        data.nonce = std::string(object.at("nonce").as_string());
        for (const auto& each : object.at("files").as_array()) {
            DriverFile file;
            file.path = std::string(each.as_object().at("path").as_string());
            file.secret = each.as_object().at("secret").as_bool();
            data.files.push_back(std::move(file));
        }
        for (const auto& [key, each] : object.at("properties").as_object()) {
            data.request.properties[std::string(key)] = std::string(each.as_string());
        }
        data.request.body = object.at("submission").as_object();
        return data;
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed,
                     std::string("the ticket's data cannot be read: ") + failure.what());
    }
}

}  // namespace sparkhost::detail::standalone
