// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_answers.hpp"
#include "rest/livy_request.hpp"
#include "rest/livy_session.hpp"
#include "rest/lookup.hpp"
#include "rest/route.hpp"
#include "rest/router_state.hpp"

#include <array>
#include <chrono>
#include <utility>

namespace sparkhost::detail::rest {

namespace livy_session_api {

asio::awaitable<Answer> list_sessions(Call call) {
    const auto window = parse_list_window(call.target, call.state->options.max_page);
    if (!window) {
        co_return error_response(Dialect::livy, window.error());
    }
    Host* host = call.state->host;
    SessionQuery query;
    query.offset = window->offset;
    query.limit = window->limit;
    auto page = co_await host->sessions().list(std::move(query));
    if (!page) {
        co_return error_response(Dialect::livy, page.error());
    }
    std::vector<LivySession> sessions;
    sessions.reserve(page->sessions.size());
    for (SessionRecord& record : page->sessions) {
        sessions.push_back(co_await with_log(host, std::move(record)));
    }
    co_return make_response(http::status::ok, json_type,
                            livy_session_list_json(window->from, page->total, std::move(sessions)));
}

asio::awaitable<std::string> show_session(Host* host, SessionRecord record) {
    auto session = co_await with_log(host, std::move(record));
    co_return livy_session_json(std::move(session));
}

asio::awaitable<std::string> show_session_state(Host*, SessionRecord record) {
    co_return livy_state_json(record.id.value, to_string(record.state()));
}

asio::awaitable<Answer> get_shown_session(Call call, Show<SessionRecord> show) {
    std::string if_none_match(call.request[http::field::if_none_match]);
    auto observed = co_await observe_session(call.state, call.id, std::move(if_none_match),
                                             std::move(call.target));
    if (!observed) {
        co_return livy_failed(observed.error(), call.id);
    }
    co_return co_await answer_observed(call.state->host, std::move(*observed), show);
}

asio::awaitable<Answer> get_session(Call call) {
    return get_shown_session(std::move(call), &show_session);
}

asio::awaitable<Answer> get_session_state(Call call) {
    return get_shown_session(std::move(call), &show_session_state);
}

asio::awaitable<Answer> get_session_log(Call call) {
    const auto request = parse_log_window(call);
    if (!request) {
        co_return error_response(Dialect::livy, request.error());
    }
    auto found = co_await find_session(call.state->host, call.id);
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

asio::awaitable<Answer> delete_session(Call call) {
    auto found = co_await find_session(call.state->host, call.id);
    if (!found) {
        co_return livy_failed(found.error(), call.id);
    }
    auto erased = co_await call.state->host->sessions().erase(found->id);
    if (!erased) {
        co_return livy_failed(erased.error(), call.id);
    }
    co_return message_response(http::status::ok, "deleted");
}

Awaitable<std::int64_t> holder_of(Host* host, std::string name) {
    auto found = co_await host->sessions().find(std::move(name));
    co_return found ? Result<std::int64_t>(found->id.value) : Result<std::int64_t>(found.error());
}

/// The rules of the times; what cannot be kept is checked all the same.
Result<void> set_times(const CreateSession& create, SessionSpec& spec) {
    if (!create.ttl.empty()) {
        if (auto ttl = parse_duration(create.ttl); !ttl) {
            return ttl.error();
        }
    }
    if (!create.idle_timeout.empty()) {
        const auto idle = parse_duration(create.idle_timeout);
        if (!idle) {
            return idle.error();
        }
        spec.idle_timeout = std::chrono::ceil<std::chrono::seconds>(*idle);
    }
    return ok();
}

asio::awaitable<Answer> create_session(Call call) {
    if (auto refused = livy_refused_encoding(call.request)) {
        co_return std::move(*refused);
    }
    auto create = read_create_session(call.request.body());
    if (!create) {
        co_return string_response(http::status::bad_request, create.error().detail);
    }
    if (create->has_empty_name) {
        co_return livy_rejected("Invalid session name: ");
    }
    SessionSpec spec;
    if (auto set = set_times(*create, spec); !set) {
        co_return livy_rejected(set.error().detail);
    }
    spec.kind = std::move(create->kind);
    spec.spec = std::move(create->spec);
    take_from_call(spec.spec, call);
    Host* host = call.state->host;
    const std::string name = spec.spec.name;
    auto opened = co_await host->sessions().open(std::move(spec));
    if (!opened) {
        co_return co_await livy_not_created(opened.error(), name, holder_of(host, name));
    }
    const SessionId id = opened->id;
    const std::int64_t version = opened->version;
    auto session = co_await with_log(host, std::move(*opened));
    auto response =
        make_response(http::status::created, json_type, livy_session_json(std::move(session)));
    response.set(http::field::location,
                 call.state->options.prefix + "/sessions/" + std::to_string(id.value));
    set_etag(response, version);
    co_return response;
}

// Livy lists the methods of a path in this order in its Allow headers.
constexpr std::array table{
    Route{http::verb::post, "sessions", &create_session, Dialect::livy},
    Route{http::verb::get, "sessions", &list_sessions, Dialect::livy},
    Route{http::verb::delete_, "sessions/{}", &delete_session, Dialect::livy},
    Route{http::verb::get, "sessions/{}", &get_session, Dialect::livy},
    Route{http::verb::get, "sessions/{}/state", &get_session_state, Dialect::livy},
    Route{http::verb::get, "sessions/{}/log", &get_session_log, Dialect::livy},
};

}  // namespace livy_session_api

std::span<const Route> livy_session_routes() {
    return livy_session_api::table;
}

}  // namespace sparkhost::detail::rest
