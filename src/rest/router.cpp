// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/rest/router.hpp>

#include "rest/body_limits.hpp"
#include "rest/route.hpp"
#include "rest/router_state.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <stdexcept>
#include <utility>

namespace sparkhost::detail::rest {

namespace routing {

std::vector<std::string> prefix_segments(const std::string& prefix) {
    if (prefix.empty()) {
        return {};
    }
    auto target = parse_target(prefix);
    if (!target || target->trailing_slash || target->segments.empty() ||
        prefix.find_first_of("?;") != std::string::npos || !prefix.starts_with('/')) {
        throw std::invalid_argument(
            "RouterOptions::prefix must be empty or a path like \"/spark\" without a slash at its "
            "end");
    }
    return std::move(target->segments);
}

/// Takes the prefix off; false when the path is not below it. A prefix ends at a slash:
/// "/sparkling" is not below "/spark".
bool strip_prefix(const std::vector<std::string>& prefix, Target& target) {
    auto& segments = target.segments;
    if (segments.size() < prefix.size() ||
        !std::equal(prefix.begin(), prefix.end(), segments.begin())) {
        return false;
    }
    segments.erase(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(prefix.size()));
    target.trailing_slash = target.trailing_slash && !segments.empty();
    return true;
}

/// The segments below the prefix; none where the request is outside of it.
std::vector<std::string> path_of(const sparkhost::rest::RouterState& state,
                                 const Request& request) {
    auto target = parse_target(std::string_view(request.target()));
    if (!target || !strip_prefix(state.prefix, *target)) {
        return {};
    }
    return std::move(target->segments);
}

/// Of a path that need not be a route's.
Dialect dialect_of(const std::vector<std::string>& path) {
    if (path.empty()) {
        return Dialect::plain;
    }
    if (path[0] == "batches" || path[0] == "sessions" || path[0] == "version") {
        return Dialect::livy;
    }
    const bool native = path.size() > 1 && path[0] == "api" && path[1] == "v1";
    return native ? Dialect::native : Dialect::plain;
}

/// The method that a POST stands for: clients behind narrow proxies say it in a header.
http::verb effective_method(const Request& request, const Target& target) {
    if (request.method() != http::verb::post) {
        return request.method();
    }
    constexpr std::array<std::string_view, 3> headers{"X-HTTP-Method-Override", "X-HTTP-Method",
                                                      "X-Method-Override"};
    std::string method;
    if (const std::string* param = target.param("_method")) {
        method = *param;
    }
    for (std::size_t i = 0; method.empty() && i < headers.size(); ++i) {
        method = std::string(request[headers[i]]);
    }
    std::ranges::transform(method, method.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? char(c & ~0x20) : c; });
    return method.empty() ? http::verb::post : http::string_to_verb(method);
}

/// Why the request is refused because of who seems to have sent it; empty: it is not.
std::string foreign(const AllowedHosts& hosts, const Request& request, const Target& target) {
    const std::string_view host = request[http::field::host];
    const auto origin = request.find(http::field::origin);
    for (const std::string_view authority : {host, std::string_view(target.authority)}) {
        if (!authority.empty() && !hosts.allows_authority(authority)) {
            return "The host name '" + std::string(authority) +
                   "' is not one that this server answers to; add it to the allowed hosts.";
        }
    }
    if (origin != request.end() && !hosts.allows_origin(origin->value())) {
        return "Requests from web pages of '" + std::string(origin->value()) +
               "' are not allowed; add its host to the allowed hosts.";
    }
    return {};
}

/// Whether it may come from a web page of somebody else's: those cannot add this header. The
/// method is the one that was sent, not one that stands in for it.
bool lacks_requested_by(const Request& request) {
    const http::verb method = request.method();
    const bool reads =
        method == http::verb::get || method == http::verb::head || method == http::verb::options;
    return !reads && request.find("X-Requested-By") == request.end();
}

/// The version that the client wants, where it is one that Livy does not have; else empty.
std::string unknown_version(const Request& request) {
    constexpr std::string_view type = "application/vnd.livy.v";
    std::string_view accept = request[http::field::accept];
    if (!accept.starts_with(type)) {
        return {};
    }
    accept.remove_prefix(type.size());
    const std::string version(accept.substr(0, accept.find('+')));
    return version == "0.1" ? std::string() : "'" + version + "'";
}

/// The refusal that does not depend on the route's handler.
std::optional<Response> refusal(const sparkhost::rest::RouterState& state, const Request& request,
                                const Target& target, const RouteMatch& match) {
    if (auto why = foreign(state.hosts, request, target); !why.empty()) {
        return dialect_response(match.dialect, http::status::forbidden, why);
    }
    if (state.options.require_requested_by && lacks_requested_by(request)) {
        return dialect_response(match.dialect, http::status::bad_request,
                                "Missing Required Header for CSRF protection.");
    }
    if (match.route == nullptr) {
        const bool json = match.dialect == Dialect::livy;
        auto response = make_response(http::status::method_not_allowed, json ? json_type : "", {});
        response.set(http::field::allow, match.allow);
        return response;
    }
    const bool large = takes_large_body(request.target());
    const auto most = large ? state.options.max_upload : state.options.max_body;
    if (request.body().size() > most) {
        return dialect_response(
            match.dialect, http::status::payload_too_large,
            "The request body has more than " + std::to_string(most) + " bytes.");
    }
    if (auto version = unknown_version(request);
        match.dialect == Dialect::livy && !version.empty()) {
        return message_response(http::status::not_acceptable, "No value found for " + version);
    }
    return std::nullopt;
}

void log_failure(const sparkhost::rest::RouterState& state, const std::string& path,
                 const std::string& what) {
    if (state.options.log) {
        LogEvent event{.level = LogLevel::error, .part = "rest", .message = path + ": " + what};
        state.options.log(event);
    }
}

/// The edge of a body that is made later: nobody can be told 500 any more, the sender closes.
asio::awaitable<std::string> make_piece(StatePtr state, std::string path, BodySource source) {
    try {
        co_return co_await source();
    } catch (const std::exception& failure) {
        log_failure(*state, path, failure.what());
        throw;
    }
}

/// The edge: whatever escapes a handler becomes a 500 that tells nothing, and a log entry that
/// tells all.
asio::awaitable<Answer> call_handler(Handler handler, Call call) {
    const StatePtr state = call.state;
    const Dialect dialect = call.dialect;
    const std::string path(call.request.target());
    std::string what = "an exception of an unknown type";
    try {
        Answer answer = co_await handler(std::move(call));
        if (answer.body) {
            answer.body = [state, path, source = std::move(answer.body)] {
                return make_piece(state, path, source);
            };
        }
        co_return answer;
    } catch (const boost::system::system_error& failure) {
        if (failure.code() == asio::error::operation_aborted) {
            co_return error_response(dialect, Error(failure.code()));
        }
        what = failure.what();
    } catch (const std::exception& failure) {
        what = failure.what();
    } catch (...) {
    }
    log_failure(*state, path, what);
    co_return dialect_response(dialect, http::status::internal_server_error,
                               "Internal error; the server's log has the details.");
}

}  // namespace routing

asio::awaitable<std::optional<Answer>> answer_request(StatePtr state, Request request) {
    using namespace routing;
    const bool head = request.method() == http::verb::head;
    auto target = parse_target(std::string_view(request.target()));
    std::optional<Answer> answer;
    if (!target) {
        if (!std::string_view(request.target()).starts_with(state->options.prefix)) {
            co_return std::nullopt;
        }
        answer = message_response(http::status::bad_request, target.error().detail);
        finish(*answer, head);
        co_return answer;
    }
    if (!strip_prefix(state->prefix, *target)) {
        co_return std::nullopt;
    }
    const http::verb method = effective_method(request, *target);
    RouteMatch match = match_route(state->routes, method, *target);
    if (match.route == nullptr && match.allow.empty()) {
        co_return std::nullopt;
    }
    if (auto refused = refusal(*state, request, *target, match)) {
        answer = std::move(*refused);
    } else {
        Call call;
        call.state = state;
        call.request = std::move(request);
        call.target = std::move(*target);
        call.id = std::move(match.id);
        call.sub_id = std::move(match.sub_id);
        call.dialect = match.dialect;
        answer = co_await call_handler(match.route->handler, std::move(call));
    }
    finish(*answer, head);
    co_return answer;
}

namespace routing {

asio::awaitable<std::optional<Response>> answer_whole(StatePtr state, Request request) {
    auto answer = co_await answer_request(std::move(state), std::move(request));
    if (!answer) {
        co_return std::nullopt;
    }
    if (answer->body) {
        auto response = message_response(http::status::not_implemented,
                                         "This server does not stream; leave out stream=1.");
        finish(response, false);
        co_return response;
    }
    co_return std::move(answer->response);
}

}  // namespace routing

}  // namespace sparkhost::detail::rest

namespace sparkhost::rest {

RouterState::RouterState(Host& served, RouterOptions chosen)
    : host(&served),
      options(std::move(chosen)),
      hosts(options.allowed_hosts),
      prefix(detail::rest::routing::prefix_segments(options.prefix)) {
    if (options.max_wait.count() <= 0) {
        throw std::invalid_argument("RouterOptions::max_wait must be greater than zero");
    }
    if (options.max_page == 0) {
        throw std::invalid_argument("RouterOptions::max_page must be greater than zero");
    }
    if (options.max_log_bytes == 0) {
        throw std::invalid_argument("RouterOptions::max_log_bytes must be greater than zero");
    }
    if (options.keep_alive.count() <= 0) {
        throw std::invalid_argument("RouterOptions::keep_alive must be greater than zero");
    }
    for (const auto table : {detail::rest::livy_routes(), detail::rest::livy_control_routes(),
                             detail::rest::livy_job_routes(), detail::rest::livy_file_routes(),
                             detail::rest::livy_statement_routes(), detail::rest::native_routes(),
                             detail::rest::plain_routes()}) {
        routes.insert(routes.end(), table.begin(), table.end());
    }
}

Router::Router(Host& host, RouterOptions options)
    : state_(std::make_shared<const RouterState>(host, std::move(options))) {}

boost::asio::awaitable<std::optional<Response>> Router::handle(Request request) const {
    return detail::rest::routing::answer_whole(state_, std::move(request));
}

boost::asio::awaitable<std::optional<Answer>> Router::answer(Request request) const {
    return detail::rest::answer_request(state_, std::move(request));
}

Response Router::not_found(const Request& request) const {
    using namespace detail::rest;
    const Dialect dialect = routing::dialect_of(routing::path_of(*state_, request));
    // Livy answers with an empty body, and clients that probe for paths rely on no more.
    auto response = dialect == Dialect::native
                        ? problem_response(http::status::not_found, "There is no such path.")
                        : make_response(http::status::not_found,
                                        dialect == Dialect::livy ? json_type : html_type, {});
    finish(response, request.method() == http::verb::head);
    return response;
}

Response Router::shutting_down(const Request& request) const {
    using namespace detail::rest;
    const auto path = routing::path_of(*state_, request);
    const bool head = request.method() == http::verb::head;
    Response response;
    if (path == std::vector<std::string>{"healthz"} &&
        (head || request.method() == http::verb::get)) {
        response = make_response(http::status::ok, json_type, healthy_json);
    } else {
        response = error_response(routing::dialect_of(path), Errc::stopped);
    }
    finish(response, head);
    return response;
}

}  // namespace sparkhost::rest
