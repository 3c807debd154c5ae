// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_batch.hpp"

#include <sparkhost/version.hpp>

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <span>
#include <string_view>

namespace sparkhost::detail::rest {

namespace livy_json {

namespace json = boost::json;

/// Memory of one document: a single object usually fits in without the heap.
class Scratch {
public:
    json::storage_ptr storage() { return &resource_; }

private:
    std::array<unsigned char, 4096> bytes_;
    json::monotonic_resource resource_{bytes_.data(), bytes_.size()};
};

void put_text(json::object& object, std::string_view key, std::string_view text) {
    if (text.empty()) {
        object.emplace(key, nullptr);
    } else {
        object.emplace(key, text);
    }
}

json::array lines(const std::vector<std::string>& from, const json::storage_ptr& storage) {
    json::array array(storage);
    array.reserve(from.size());
    for (const std::string& line : from) {
        array.emplace_back(line);
    }
    return array;
}

json::object batch(const LivyBatch& from, const json::storage_ptr& storage) {
    json::object object(storage);
    object.reserve(8);
    object.emplace("id", from.record.id.value);
    put_text(object, "name", from.record.spec.name);
    put_text(object, "owner", from.record.spec.owner);
    put_text(object, "proxyUser", from.record.spec.proxy_user);
    object.emplace("state", to_string(from.record.state()));
    put_text(object, "appId", from.record.application_id);
    json::object info(storage);
    info.reserve(3);
    info.emplace("driverLogUrl", nullptr);
    put_text(info, "sparkUiUrl", from.record.ui_url);
    info.emplace("executorLogUrls", nullptr);
    object.emplace("appInfo", std::move(info));
    object.emplace("log", lines(from.log, storage));
    return object;
}

}  // namespace livy_json

std::string livy_batch_json(const LivyBatch& batch) {
    livy_json::Scratch scratch;
    return boost::json::serialize(livy_json::batch(batch, scratch.storage()));
}

std::string livy_list_json(std::int64_t from, std::int64_t total,
                           const std::vector<LivyBatch>& batches) {
    livy_json::Scratch scratch;
    boost::json::object object(scratch.storage());
    object.emplace("from", from);
    object.emplace("total", total);
    boost::json::array array(scratch.storage());
    array.reserve(batches.size());
    for (const LivyBatch& batch : batches) {
        array.emplace_back(livy_json::batch(batch, scratch.storage()));
    }
    object.emplace("sessions", std::move(array));
    return boost::json::serialize(object);
}

std::string livy_state_json(const BatchRecord& record) {
    return "{\"id\":" + std::to_string(record.id.value) + ",\"state\":\"" +
           std::string(to_string(record.state())) + "\"}";
}

std::string livy_log_json(BatchId id, const LogView& view) {
    livy_json::Scratch scratch;
    boost::json::object object(scratch.storage());
    object.emplace("id", id.value);
    object.emplace("from", view.from);
    object.emplace("total", view.total);
    object.emplace("log", livy_json::lines(view.lines, scratch.storage()));
    return boost::json::serialize(object);
}

std::string livy_message_json(std::string_view message) {
    return "{\"msg\":" + boost::json::serialize(boost::json::string_view(message)) + "}";
}

std::string livy_version_json() {
    // Clients read the first three numbers as Livy's version and choose abilities by them.
    boost::json::object object;
    object.emplace("url", "");
    object.emplace("branch", "");
    object.emplace("revision", "");
    object.emplace("version", "0.9.0-sparkhost-" SPARKHOST_VERSION);
    object.emplace("date", "");
    object.emplace("user", "");
    return boost::json::serialize(object);
}

}  // namespace sparkhost::detail::rest
