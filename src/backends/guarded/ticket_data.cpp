// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/ticket_data.hpp"

#include "backends/common/ticket_names.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <exception>

namespace sparkhost::detail::guarded {

namespace {

constexpr int ticket_format = 1;

boost::json::array write_files(const std::vector<DriverFile>& files) {
    boost::json::array list;
    for (const auto& each : files) {
        list.push_back(boost::json::object{{"path", each.path}, {"secret", each.secret}});
    }
    return list;
}

}  // namespace

std::string granted_name(const DriverFile& file) {
    return file.path.substr(file.path.rfind('/') + 1);
}

std::string encode_ticket_data(const TicketData& data) {
    return boost::json::serialize(boost::json::object{{"format", ticket_format},
                                                      {"store", data.store},
                                                      {"nonce", data.nonce},
                                                      {"files", write_files(data.files)},
                                                      {"request", data.request}});
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
        data.request = object.at("request").as_object();
        return data;
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed,
                     std::string("the ticket's data cannot be read: ") + failure.what());
    }
}

}  // namespace sparkhost::detail::guarded
