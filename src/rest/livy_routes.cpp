// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_batch.hpp"
#include "rest/livy_request.hpp"
#include "rest/lookup.hpp"
#include "rest/route.hpp"
#include "rest/router_state.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace sparkhost::detail::rest {

namespace livy {

Response failed(const Error& error, const std::string& id) {
    if (error.is(Errc::not_found)) {
        return message_response(http::status::not_found, "Session '" + id + "' not found.");
    }
    return error_response(Dialect::livy, error);
}

asio::awaitable<Response> get_version(Call) {
    co_return make_response(http::status::ok, json_type, livy_version_json());
}

asio::awaitable<Response> list_batches(Call call) {
    const auto from = int_param(call.target, "from", 0);
    const auto size = int_param(call.target, "size", 100);
    if (!from || !size) {
        co_return error_response(Dialect::livy, !from ? from.error() : size.error());
    }
    BatchQuery query;
    query.offset = std::max<std::int64_t>(0, *from);
    query.limit = static_cast<std::size_t>(std::max<std::int64_t>(0, *size));
    query.limit = std::min(query.limit, call.state->options.max_page);
    auto page = co_await call.state->host->list(std::move(query));
    if (!page) {
        co_return error_response(Dialect::livy, page.error());
    }
    std::vector<LivyBatch> batches;
    batches.reserve(page->batches.size());
    for (BatchRecord& record : page->batches) {
        batches.push_back(co_await with_log(call.state->host, std::move(record)));
    }
    co_return make_response(http::status::ok, json_type,
                            livy_list_json(*from, page->total, batches));
}

using Show = asio::awaitable<std::string> (*)(Host* host, BatchRecord record);

asio::awaitable<std::string> show_batch(Host* host, BatchRecord record) {
    const auto batch = co_await with_log(host, std::move(record));
    co_return livy_batch_json(batch);
}

asio::awaitable<std::string> show_state(Host*, BatchRecord record) {
    co_return livy_state_json(record);
}

/// The batch that the call asks for; 304 where nothing is new.
asio::awaitable<Response> get_shown(Call call, Show show) {
    std::string if_none_match(call.request[http::field::if_none_match]);
    auto observed = co_await observe_batch(call.state, call.id, std::move(if_none_match),
                                           std::move(call.target));
    if (!observed) {
        co_return failed(observed.error(), call.id);
    }
    const std::int64_t version = observed->record.version;
    Response response;
    if (observed->not_modified) {
        response.result(http::status::not_modified);
    } else {
        auto body = co_await show(call.state->host, std::move(observed->record));
        response = make_response(http::status::ok, json_type, std::move(body));
    }
    set_etag(response, version);
    co_return response;
}

asio::awaitable<Response> get_batch(Call call) {
    return get_shown(std::move(call), &show_batch);
}

asio::awaitable<Response> get_state(Call call) {
    return get_shown(std::move(call), &show_state);
}

asio::awaitable<Response> get_log(Call call) {
    const auto from = int_param(call.target, "from", -1);
    const auto size = int_param(call.target, "size", 100);
    if (!from || !size) {
        co_return error_response(Dialect::livy, !from ? from.error() : size.error());
    }
    auto found = co_await find_batch(call.state->host, call.id);
    if (!found) {
        co_return failed(found.error(), call.id);
    }
    const BatchId id = found->id;
    LogViewRequest request;
    request.window.from = *from;
    request.window.size = *size;
    request.max_bytes = call.state->options.max_log_bytes;
    auto view = co_await read_log_view(call.state->host, std::move(*found), request);
    if (!view) {
        co_return failed(view.error(), call.id);
    }
    co_return make_response(http::status::ok, json_type, livy_log_json(id, *view));
}

asio::awaitable<Response> delete_batch(Call call) {
    auto found = co_await find_batch(call.state->host, call.id);
    if (!found) {
        co_return failed(found.error(), call.id);
    }
    auto erased = co_await call.state->host->erase(found->id);
    if (!erased) {
        co_return failed(erased.error(), call.id);
    }
    co_return message_response(http::status::ok, "deleted");
}

Response rejected(std::string reason) {
    return message_response(http::status::bad_request, "Rejected, Reason: " + std::move(reason));
}

/// Livy's words for a rule that is broken. A detail that is a sentence of its own (Livy's are)
/// says what it is about; others get their field in front.
std::string broken_rule(const Error& error) {
    const bool sentence = !error.detail.empty() && error.detail[0] >= 'A' && error.detail[0] <= 'Z';
    if (!sentence) {
        return "requirement failed: " + error.text();
    }
    return error.field == "name" ? error.detail : "requirement failed: " + error.detail;
}

asio::awaitable<Response> not_created(Host* host, Error error, std::string name) {
    if (error.is(Errc::invalid_argument)) {
        co_return rejected(broken_rule(error));
    }
    if (error.is(Errc::already_exists) && error.field == "name") {
        std::string reason = "Duplicate session name: Some(" + name + ")";
        if (auto holder = co_await host->find(std::move(name))) {
            reason += " for session " + std::to_string(holder->id.value);
        }
        co_return rejected(std::move(reason));
    }
    co_return error_response(Dialect::livy, error);
}

asio::awaitable<Response> create_batch(Call call) {
    const std::string_view encoding = call.request[http::field::content_encoding];
    if (boost::beast::iequals(encoding, "gzip") || boost::beast::iequals(encoding, "deflate")) {
        co_return message_response(http::status::unsupported_media_type,
                                   "Compressed request bodies are not supported; send the body "
                                   "without Content-Encoding.");
    }
    auto create = read_create_batch(call.request.body());
    if (!create) {
        co_return string_response(http::status::bad_request, create.error().detail);
    }
    if (create->has_empty_name) {
        co_return rejected("Invalid session name: ");
    }
    BatchSpec spec = std::move(create->spec);
    spec.proxy_user.clear();  // impersonation is off: ignored without a word, as in Livy
    spec.idempotency_key = std::string(call.request["Idempotency-Key"]);
    if (const std::string* backend = call.target.param("backend")) {
        spec.backend = *backend;
    }
    Host* host = call.state->host;
    std::string name = spec.name;
    auto submitted = co_await host->submit(std::move(spec));
    if (!submitted) {
        co_return co_await not_created(host, submitted.error(), std::move(name));
    }
    const auto batch = co_await with_log(host, std::move(*submitted));
    auto response = make_response(http::status::created, json_type, livy_batch_json(batch));
    response.set(http::field::location,
                 call.state->options.prefix + "/batches/" + std::to_string(batch.record.id.value));
    set_etag(response, batch.record.version);
    co_return response;
}

// Livy lists the methods of a path in this order in its Allow headers.
constexpr std::array table{
    Route{http::verb::get, "version", &get_version, Dialect::livy},
    Route{http::verb::post, "batches", &create_batch, Dialect::livy},
    Route{http::verb::get, "batches", &list_batches, Dialect::livy},
    Route{http::verb::delete_, "batches/{}", &delete_batch, Dialect::livy},
    Route{http::verb::get, "batches/{}", &get_batch, Dialect::livy},
    Route{http::verb::get, "batches/{}/state", &get_state, Dialect::livy},
    Route{http::verb::get, "batches/{}/log", &get_log, Dialect::livy},
};

}  // namespace livy

std::span<const Route> livy_routes() {
    return livy::table;
}

}  // namespace sparkhost::detail::rest
