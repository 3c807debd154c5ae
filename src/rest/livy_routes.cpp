// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_answers.hpp"
#include "rest/livy_batch.hpp"
#include "rest/livy_request.hpp"
#include "rest/lookup.hpp"
#include "rest/route.hpp"
#include "rest/router_state.hpp"

#include <array>
#include <utility>

namespace sparkhost::detail::rest {

namespace livy {

asio::awaitable<Answer> get_version(Call) {
    co_return make_response(http::status::ok, json_type, livy_version_json());
}

asio::awaitable<Answer> list_batches(Call call) {
    const auto window = parse_list_window(call.target, call.state->options.max_page);
    if (!window) {
        co_return error_response(Dialect::livy, window.error());
    }
    BatchQuery query;
    query.offset = window->offset;
    query.limit = window->limit;
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
                            livy_list_json(window->from, page->total, batches));
}

asio::awaitable<std::string> show_batch(Host* host, BatchRecord record) {
    const auto batch = co_await with_log(host, std::move(record));
    co_return livy_batch_json(batch);
}

asio::awaitable<std::string> show_state(Host*, BatchRecord record) {
    co_return livy_state_json(record.id.value, to_string(record.state()));
}

asio::awaitable<Answer> get_shown(Call call, Show<BatchRecord> show) {
    std::string if_none_match(call.request[http::field::if_none_match]);
    auto observed = co_await observe_batch(call.state, call.id, std::move(if_none_match),
                                           std::move(call.target));
    if (!observed) {
        co_return livy_failed(observed.error(), call.id);
    }
    co_return co_await answer_observed(call.state->host, std::move(*observed), show);
}

asio::awaitable<Answer> get_batch(Call call) {
    return get_shown(std::move(call), &show_batch);
}

asio::awaitable<Answer> get_state(Call call) {
    return get_shown(std::move(call), &show_state);
}

asio::awaitable<Answer> get_log(Call call) {
    const auto request = parse_log_window(call);
    if (!request) {
        co_return error_response(Dialect::livy, request.error());
    }
    auto found = co_await find_batch(call.state->host, call.id);
    if (!found) {
        co_return livy_failed(found.error(), call.id);
    }
    const std::int64_t id = found->id.value;
    auto view = co_await read_log_view(call.state->host, std::move(*found), *request);
    if (!view) {
        co_return livy_failed(view.error(), call.id);
    }
    co_return make_response(http::status::ok, json_type, livy_log_json(id, *view));
}

asio::awaitable<Answer> delete_batch(Call call) {
    auto found = co_await find_batch(call.state->host, call.id);
    if (!found) {
        co_return livy_failed(found.error(), call.id);
    }
    auto erased = co_await call.state->host->erase(found->id);
    if (!erased) {
        co_return livy_failed(erased.error(), call.id);
    }
    co_return message_response(http::status::ok, "deleted");
}

Awaitable<std::int64_t> holder_of(Host* host, std::string name) {
    auto found = co_await host->find(std::move(name));
    co_return found ? Result<std::int64_t>(found->id.value) : Result<std::int64_t>(found.error());
}

asio::awaitable<Answer> create_batch(Call call) {
    if (auto refused = livy_refused_encoding(call.request)) {
        co_return std::move(*refused);
    }
    auto create = read_create_batch(call.request.body());
    if (!create) {
        co_return string_response(http::status::bad_request, create.error().detail);
    }
    if (create->has_empty_name) {
        co_return livy_rejected("Invalid session name: ");
    }
    BatchSpec spec = std::move(create->spec);
    take_from_call(spec, call);
    Host* host = call.state->host;
    const std::string name = spec.name;
    auto submitted = co_await host->submit(std::move(spec));
    if (!submitted) {
        co_return co_await livy_not_created(submitted.error(), name, holder_of(host, name));
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
