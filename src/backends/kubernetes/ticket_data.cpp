// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/ticket_data.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <exception>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr int kubernetes_ticket_format = 1;

boost::json::array write_files(const std::vector<DriverFileName>& files) {
    boost::json::array list;
    for (const auto& each : files) {
        list.push_back(boost::json::object{{"path", each.path}, {"secret", each.secret}});
    }
    return list;
}

std::vector<DriverFileName> read_files(const boost::json::array& list) {
    std::vector<DriverFileName> files;
    for (const auto& each : list) {
        DriverFileName file;
        file.path = std::string(each.as_object().at("path").as_string());
        file.secret = each.as_object().at("secret").as_bool();
        files.push_back(std::move(file));
    }
    return files;
}

/// Namespaces become part of a request's target.
bool is_namespace_name(std::string_view name) {
    return !name.empty() && name.size() <= 63 &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
               std::string_view::npos;
}

}  // namespace

ObjectList TicketData::list() const {
    ObjectList list;
    list.has_secret = !objects.secret.empty();
    list.has_service = !objects.service.empty();
    list.claims = objects.claims.size();
    return list;
}

std::string encode_ticket_data(const TicketData& data) {
    boost::json::object object{
        {"format", kubernetes_ticket_format},
        {"store", data.identity.store},
        {"nonce", data.identity.nonce},
        {"files", write_files(data.files)},
        {"objects", write_driver_objects(data.objects)},
    };
    return boost::json::serialize(object);
}

Result<TicketData> decode_ticket_data(const Ticket& ticket) {
    if (!is_ticket_id(ticket.id)) {
        return Error(Errc::backend_failed, "\"" + ticket.id + "\" is no ticket of this backend");
    }
    try {
        const auto value = boost::json::parse(ticket.data);
        const auto& object = value.as_object();
        if (object.at("format").as_int64() != kubernetes_ticket_format) {
            return Error(Errc::backend_failed, "the ticket was made by an unknown version");
        }
        TicketData data;
        data.identity.store = std::string(object.at("store").as_string());
        data.identity.ticket = ticket.id;
        data.identity.nonce = std::string(object.at("nonce").as_string());
        data.files = read_files(object.at("files").as_array());
        auto objects = read_driver_objects(object.at("objects").as_object());
        if (!objects) {
            return objects.error();
        }
        data.objects = std::move(*objects);
        if (!is_namespace_name(data.objects.in_namespace)) {
            return Error(Errc::backend_failed, "the ticket's data name no namespace");
        }
        return data;
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed,
                     std::string("the ticket's data cannot be read: ") + failure.what());
    }
}

}  // namespace sparkhost::detail::kubernetes
