// SPDX-License-Identifier: Apache-2.0
#include "rest/conditional.hpp"
#include "rest/livy_answers.hpp"
#include "rest/livy_request.hpp"
#include "rest/livy_session.hpp"
#include "rest/lookup.hpp"
#include "rest/route.hpp"
#include "rest/router_state.hpp"
#include "rest/statement_stream.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace sparkhost::detail::rest {

namespace livy_statement_api {

constexpr std::size_t statements_at_once = 500;

/// A kind that the statement leaves to its session becomes the session's.
void settle_kind(StatementRecord& statement, const SessionRecord& session) {
    if (statement.spec.kind.empty()) {
        statement.spec.kind = session.spec.kind;
    }
}

/// ?from&size&order; without a size all of them.
Result<StatementWindowRequest> parse_statement_window(const Target& target, std::int64_t total) {
    StatementWindowRequest request;
    request.total = total;
    const auto from = int_param(target, "from", 0);
    const auto size = int_param(target, "size", std::numeric_limits<std::int32_t>::max());
    if (!from || !size) {
        return !from ? from.error() : size.error();
    }
    request.from = *from;
    request.size = target.param("size") == nullptr ? total : *size;
    if (const std::string* order = target.param("order")) {
        std::string word = *order;
        std::erase(word, ' ');
        std::ranges::transform(word, word.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
        request.newest_first = word == "desc";
    }
    return request;
}

Awaitable<std::vector<StatementRecord>> read_statements(Host* host, SessionRecord session,
                                                        StatementWindow window) {
    std::vector<StatementRecord> statements;
    StatementQuery query;
    query.session = session.id;
    const std::int64_t end = window.offset + window.count;
    query.offset = window.offset;
    while (query.offset < end) {
        query.limit = std::min(statements_at_once, static_cast<std::size_t>(end - query.offset));
        auto page = co_await host->sessions().list_statements(query);
        if (!page) {
            co_return page.error();
        }
        if (page->statements.empty()) {
            break;
        }
        query.offset += static_cast<std::int64_t>(page->statements.size());
        for (StatementRecord& statement : page->statements) {
            settle_kind(statement, session);
            statements.push_back(std::move(statement));
        }
    }
    co_return statements;
}

/// How many statements there are; jobs, which share their numbers, are none.
Awaitable<std::int64_t> count_statements(Host* host, SessionId session) {
    StatementQuery query;
    query.session = session;
    query.limit = 0;
    auto page = co_await host->sessions().list_statements(query);
    co_return page ? Result<std::int64_t>(page->total) : Result<std::int64_t>(page.error());
}

Error is_no_statement(StatementId id) {
    return Error(Errc::not_found, "statement " + std::to_string(id.value) + " is a job",
                 "statement");
}

asio::awaitable<Answer> list_statements(Call call) {
    Host* host = call.state->host;
    auto session = co_await find_session(host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    const auto total = co_await count_statements(host, session->id);
    if (!total) {
        co_return livy_failed(total.error(), call);
    }
    const auto wanted = parse_statement_window(call.target, *total);
    if (!wanted) {
        co_return error_response(Dialect::livy, wanted.error());
    }
    auto statements =
        co_await read_statements(host, std::move(*session), statement_window(*wanted));
    if (!statements) {
        co_return livy_failed(statements.error(), call);
    }
    if (wanted->newest_first) {
        std::ranges::reverse(*statements);
    }
    co_return make_response(http::status::ok, json_type,
                            livy_statement_list_json(*total, *statements));
}

asio::awaitable<std::string> show_statement(const sparkhost::rest::RouterState*,
                                            StatementRecord record) {
    co_return livy_statement_json(record);
}

asio::awaitable<Answer> answer_stream(Call call, StatementRecord statement) {
    const auto position = stream_position(call.request["Last-Event-ID"], call.target);
    if (!position) {
        co_return error_response(Dialect::livy, position.error());
    }
    StreamRequest request;
    request.session = statement.session;
    request.statement = statement.spec.id;
    request.kind = statement.spec.kind;
    request.position = *position;
    co_return stream_statement(call.state, std::move(request));
}

asio::awaitable<Answer> get_statement(Call call) {
    const auto streams = wants_stream(call.target);
    const auto number = parse_java_int(call.sub_id);
    if (!streams || !number) {
        co_return error_response(Dialect::livy, !streams ? streams.error() : number.error());
    }
    auto session = co_await find_session(call.state->host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    const StatementId id{*number};
    std::string if_none_match(call.request[http::field::if_none_match]);
    Target target = call.target;
    if (*streams) {  // it waits in its own way
        if_none_match.clear();
        target = {};
    }
    auto observed = co_await observe_statement(call.state, session->id, id,
                                               std::move(if_none_match), std::move(target));
    if (!observed) {
        co_return livy_failed(observed.error(), call);
    }
    if (observed->record.spec.job) {
        co_return livy_failed(is_no_statement(id), call);
    }
    settle_kind(observed->record, *session);
    if (*streams) {
        co_return co_await answer_stream(std::move(call), std::move(observed->record));
    }
    co_return co_await answer_observed(call.state.get(), std::move(*observed), &show_statement);
}

/// Rules that the host does not know by Livy's words, and what is missing.
Result<StatementSpec> statement_spec(CreateStatement create, const SessionRecord& session) {
    StatementSpec spec;
    if (!create.code) {
        return Error(Errc::invalid_argument, "requirement failed: Code is required.");
    }
    spec.code = std::move(*create.code);
    if (!create.kind.empty()) {
        auto kind = parse_kind(create.kind);
        if (!kind) {
            return Error(Errc::invalid_argument, kind.error().detail);
        }
        spec.kind = std::move(*kind);
    }
    if (spec.kind.empty() && session.spec.kind.empty()) {
        return Error(Errc::invalid_argument,
                     "Code type should be specified if session kind is shared");
    }
    return spec;
}

asio::awaitable<Response> not_executed(Error error, Call call) {
    if (error.is(Errc::invalid_state)) {
        auto session = co_await find_session(call.state->host, call.id);
        co_return session ? livy_cannot_run(*session) : livy_failed(session.error(), call);
    }
    auto response = livy_failed(error, call);
    if (error.is(Errc::rejected)) {
        response.body() = livy_message_json("Rejected, too many statements are waiting!");
    }
    co_return response;
}

asio::awaitable<Answer> create_statement(Call call) {
    if (auto refused = livy_refused_encoding(call.request)) {
        co_return std::move(*refused);
    }
    auto create = read_create_statement(call.request.body());
    if (!create) {
        co_return string_response(http::status::bad_request, create.error().detail);
    }
    Host* host = call.state->host;
    auto session = co_await find_session(host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    auto spec = statement_spec(std::move(*create), *session);
    if (!spec) {
        co_return error_response(Dialect::livy, spec.error());
    }
    take_from_call(*spec, call);
    auto accepted = co_await host->sessions().execute(session->id, std::move(*spec));
    if (!accepted) {
        co_return co_await not_executed(accepted.error(), std::move(call));
    }
    settle_kind(*accepted, *session);
    auto response = make_response(http::status::created, json_type, livy_statement_json(*accepted));
    response.set(http::field::location, call.state->options.prefix + "/sessions/" +
                                            std::to_string(session->id.value) + "/statements/" +
                                            std::to_string(accepted->spec.id.value));
    set_etag(response, accepted->version);
    co_return response;
}

asio::awaitable<Answer> cancel_statement(Call call) {
    const auto number = parse_java_int(call.sub_id);
    if (!number) {
        co_return error_response(Dialect::livy, number.error());
    }
    InterruptRequest request;
    request.statement = StatementId{*number};
    if (const std::string* after = call.target.param("endSessionAfter")) {
        const auto seconds = parse_seconds(*after, "endSessionAfter");
        if (!seconds) {
            co_return error_response(Dialect::livy, seconds.error());
        }
        request.end_session_after = *seconds;
    }
    Host* host = call.state->host;
    auto session = co_await find_session(host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    auto statement = co_await host->sessions().find_statement(session->id, request.statement);
    if (statement && statement->spec.job) {
        statement = is_no_statement(request.statement);
    }
    if (statement) {
        statement = co_await host->sessions().interrupt(session->id, request);
    }
    if (!statement) {
        co_return livy_failed(statement.error(), call);
    }
    co_return message_response(http::status::ok, "canceled");
}

// Livy lists the methods of a path in this order in its Allow headers.
constexpr std::array table{
    Route{http::verb::post, "sessions/{}/statements", &create_statement, Dialect::livy},
    Route{http::verb::get, "sessions/{}/statements", &list_statements, Dialect::livy},
    Route{http::verb::get, "sessions/{}/statements/{}", &get_statement, Dialect::livy},
    Route{http::verb::post, "sessions/{}/statements/{}/cancel", &cancel_statement, Dialect::livy},
};

}  // namespace livy_statement_api

std::span<const Route> livy_statement_routes() {
    return livy_statement_api::table;
}

}  // namespace sparkhost::detail::rest
