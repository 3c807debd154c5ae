// SPDX-License-Identifier: Apache-2.0

// What clients do with a whole session besides opening, reading and deleting it.

#include "rest/livy_answers.hpp"
#include "rest/livy_request.hpp"
#include "rest/livy_session.hpp"
#include "rest/lookup.hpp"
#include "rest/route.hpp"
#include "rest/router_state.hpp"
#include "rest/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <utility>

namespace sparkhost::detail::rest {

namespace livy_control_api {

/// Ends the session and waits for its end; it stays in the list with its statements and its log.
asio::awaitable<Answer> stop_session(Call call) {
    Host* host = call.state->host;
    auto session = co_await find_session(host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    auto closed = co_await host->sessions().close(session->id);
    if (!closed) {
        co_return livy_failed(closed.error(), call);
    }
    auto ended = co_await host->sessions().wait(session->id);
    if (!ended) {
        co_return livy_failed(ended.error(), call);
    }
    co_return make_response(http::status::no_content, json_type, {});
}

/// Livy's kills the session. Here the code that runs is interrupted, which is what the clients that
/// send it (their "cancel") are after; what waits behind it is run.
asio::awaitable<Answer> interrupt_session(Call call) {
    Host* host = call.state->host;
    auto session = co_await find_session(host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    auto interrupted = co_await host->sessions().interrupt_current(session->id);
    if (!interrupted) {
        co_return livy_failed(interrupted.error(), call);
    }
    co_return message_response(http::status::ok, "interrupted");
}

/// What a client says that comes back to its session: somebody is there.
asio::awaitable<Answer> connect_session(Call call) {
    Host* host = call.state->host;
    auto session = co_await find_session(host, call.id);
    if (session) {
        session = co_await host->sessions().touch(session->id);
    }
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    const std::int64_t version = session->version;
    auto shown = co_await with_log(host, std::move(*session));
    auto response =
        make_response(http::status::ok, json_type,
                      livy_session_json(std::move(shown), call.state->options.livy_level));
    set_etag(response, version);
    co_return response;
}

std::string candidates_json(const Completion& completion) {
    boost::json::array candidates;
    for (const std::string& candidate : completion.candidates) {
        candidates.emplace_back(candidate);
    }
    boost::json::object body;
    body.emplace("candidates", std::move(candidates));
    return boost::json::serialize(body);
}

/// What is asked of the session's agent. Errors: invalid_argument, in Livy's words.
Result<Conversation::CompletionRequest> completion_request(CompleteCode body,
                                                           const SessionRecord& session) {
    Conversation::CompletionRequest request;
    auto kind = parse_kind(body.kind.empty() ? "shared" : body.kind);
    if (!kind) {
        return Error(Errc::invalid_argument, kind.error().detail);
    }
    request.kind = kind->empty() ? session.spec.kind : std::move(*kind);
    if (request.kind.empty()) {
        return Error(Errc::invalid_argument,
                     "Code type should be specified if session kind is shared");
    }
    request.cursor = utf8_offset(body.code, body.cursor.value_or(0));
    request.code = std::move(body.code);
    return request;
}

Response not_completed(const Error& error, const SessionRecord& session, const Call& call) {
    if (error.is(Errc::not_supported)) {  // as Livy's interpreters that cannot do it
        return make_response(http::status::ok, json_type, candidates_json({}));
    }
    if (!error.is(Errc::invalid_state)) {
        return livy_failed(error, call);
    }
    return livy_not_active(session);
}

asio::awaitable<Answer> complete_code(Call call) {
    if (auto refused = livy_refused_encoding(call.request)) {
        co_return std::move(*refused);
    }
    auto body = read_complete_code(call.request.body());
    if (!body) {
        co_return string_response(http::status::bad_request, body.error().detail);
    }
    Host* host = call.state->host;
    auto session = co_await find_session(host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    auto request = completion_request(std::move(*body), *session);
    if (!request) {
        co_return error_response(Dialect::livy, request.error());
    }
    auto completion = co_await host->sessions().complete(session->id, std::move(*request));
    if (!completion) {
        co_return not_completed(completion.error(), *session, call);
    }
    co_return make_response(http::status::ok, json_type, candidates_json(*completion));
}

constexpr std::array table{
    Route{http::verb::post, "sessions/{}/stop", &stop_session, Dialect::livy},
    Route{http::verb::post, "sessions/{}/interrupt", &interrupt_session, Dialect::livy},
    Route{http::verb::post, "sessions/{}/connect", &connect_session, Dialect::livy},
    Route{http::verb::post, "sessions/{}/completion", &complete_code, Dialect::livy},
};

}  // namespace livy_control_api

std::span<const Route> livy_control_routes() {
    return livy_control_api::table;
}

}  // namespace sparkhost::detail::rest
