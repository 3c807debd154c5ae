// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_batch.hpp"

#include "rest/livy_json.hpp"

#include <sparkhost/version.hpp>

#include <string_view>

namespace sparkhost::detail::rest {

namespace livy_batches {

namespace json = boost::json;
using livy_json::put_text;

json::object batch(const LivyBatch& from, LivyLevel level, const json::storage_ptr& storage) {
    json::object object(storage);
    object.reserve(8);
    object.emplace("id", from.record.id.value);
    if (level > LivyLevel::v0_5) {
        put_text(object, "name", from.record.spec.name);
        put_text(object, "owner", from.record.spec.owner);
        put_text(object, "proxyUser", from.record.spec.proxy_user);
    }
    object.emplace("state", to_string(from.record.state()));
    put_text(object, "appId", from.record.application_id);
    object.emplace("appInfo", livy_json::app_info(from.record.ui_url, level, storage));
    object.emplace("log", livy_json::lines(from.log, storage));
    return object;
}

}  // namespace livy_batches

std::string livy_batch_json(const LivyBatch& batch, LivyLevel level) {
    livy_json::Scratch scratch;
    return boost::json::serialize(livy_batches::batch(batch, level, scratch.storage()));
}

std::string livy_state_json(std::int64_t id, std::string_view state) {
    return "{\"id\":" + std::to_string(id) + ",\"state\":\"" + std::string(state) + "\"}";
}

std::string livy_log_json(std::int64_t id, const LogView& view) {
    livy_json::Scratch scratch;
    boost::json::object object(scratch.storage());
    object.emplace("id", id);
    object.emplace("from", view.from);
    object.emplace("total", view.total);
    object.emplace("log", livy_json::lines(view.lines, scratch.storage()));
    return boost::json::serialize(object);
}

std::string livy_message_json(std::string_view message) {
    return "{\"msg\":" + boost::json::serialize(boost::json::string_view(message)) + "}";
}

std::string livy_version_json(LivyLevel level) {
    // Clients read the first three numbers as Livy's version and choose abilities by them.
    const auto minor = 5 + static_cast<int>(level);
    boost::json::object object;
    object.emplace("url", "");
    object.emplace("branch", "");
    object.emplace("revision", "");
    object.emplace("version", "0." + std::to_string(minor) + ".0-sparkhost-" SPARKHOST_VERSION);
    object.emplace("date", "");
    object.emplace("user", "");
    return boost::json::serialize(object);
}

}  // namespace sparkhost::detail::rest
