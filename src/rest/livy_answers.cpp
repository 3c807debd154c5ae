// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_answers.hpp"

#include "rest/retry_params.hpp"
#include "rest/router_state.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::detail::rest {

namespace livy_answers {

/// Livy's words for a rule that is broken. A detail that is a sentence of its own (Livy's are)
/// says what it is about; others get their field in front.
std::string broken_rule(const Error& error) {
    const bool sentence = !error.detail.empty() && error.detail[0] >= 'A' && error.detail[0] <= 'Z';
    if (!sentence) {
        return "requirement failed: " + error.text();
    }
    const bool whole = error.field == "name" || error.field == "conf";
    return whole ? error.detail : "requirement failed: " + error.detail;
}

}  // namespace livy_answers

Response livy_failed(const Error& error, const std::string& id, LivyLevel level) {
    if (error.is(Errc::not_found) && error.field == "statement") {
        return string_response(http::status::not_found, "Statement not found");
    }
    if (error.is(Errc::not_found) && error.field == "attempt") {
        return message_response(http::status::not_found, error.detail);
    }
    if (error.is(Errc::not_found)) {
        const std::string words = "Session '" + id + "' not found.";
        return level == LivyLevel::v0_5 ? string_response(http::status::not_found, words)
                                        : message_response(http::status::not_found, words);
    }
    return error_response(Dialect::livy, error);
}

Response livy_failed(const Error& error, const Call& call) {
    return livy_failed(error, call.id, call.state->options.livy_level);
}

Response livy_rejected(std::string reason) {
    return message_response(http::status::bad_request, "Rejected, Reason: " + std::move(reason));
}

Response livy_not_read(const Error& error) {
    return livy_rejected(livy_answers::broken_rule(error));
}

asio::awaitable<Response> livy_not_created(Error error, std::string name,
                                           Awaitable<std::int64_t> holder) {
    if (error.is(Errc::invalid_argument)) {
        co_return livy_rejected(livy_answers::broken_rule(error));
    }
    if (error.is(Errc::already_exists) && error.field == "name") {
        std::string reason = "Duplicate session name: Some(" + name + ")";
        if (auto id = co_await std::move(holder)) {
            reason += " for session " + std::to_string(*id);
        }
        co_return livy_rejected(std::move(reason));
    }
    co_return error_response(Dialect::livy, error);
}

Response livy_not_active(const SessionRecord& session) {
    if (session.has_ended() || session.state() == SessionState::shutting_down) {
        return message_response(http::status::bad_request,
                                "requirement failed: Session isn't active.");
    }
    // Its agent is not there yet, or is on its way back. Livy says 500.
    auto response = string_response(http::status::service_unavailable,
                                    "java.lang.IllegalStateException: Session is in state " +
                                        std::string(to_string(session.state())));
    response.set(http::field::retry_after, "1");
    return response;
}

Response livy_cannot_run(const SessionRecord& session) {
    // Clients start a session anew when they find the word "dead", and no other.
    const auto state = session.has_ended() ? "dead" : to_string(session.state());
    return string_response(
        http::status::internal_server_error,
        "java.lang.IllegalStateException: Session is in state " + std::string(state));
}

std::optional<Response> livy_refused_encoding(const Request& request) {
    const std::string_view encoding = request[http::field::content_encoding];
    if (boost::beast::iequals(encoding, "gzip") || boost::beast::iequals(encoding, "deflate")) {
        return message_response(http::status::unsupported_media_type,
                                "Compressed request bodies are not supported; send the body "
                                "without Content-Encoding.");
    }
    return std::nullopt;
}

Result<void> take_from_call(BatchSpec& spec, const Call& call) {
    spec.proxy_user.clear();  // impersonation is off: ignored without a word, as in Livy
    spec.idempotency_key = std::string(call.request["Idempotency-Key"]);
    if (const std::string* backend = call.target.param("backend")) {
        spec.backend = *backend;
    }
    auto retry = parse_retry(call.target);
    if (!retry) {
        return retry.error();
    }
    spec.retry = std::move(*retry);
    return ok();
}

void take_from_call(StatementSpec& spec, const Call& call) {
    spec.idempotency_key = std::string(call.request["Idempotency-Key"]);
}

Result<ListWindow> parse_list_window(const Target& target, std::size_t most) {
    const auto from = int_param(target, "from", 0);
    const auto size = int_param(target, "size", 100);
    if (!from || !size) {
        return !from ? from.error() : size.error();
    }
    ListWindow window;
    window.from = *from;
    window.offset = std::max<std::int64_t>(0, *from);
    window.limit = static_cast<std::size_t>(std::max<std::int64_t>(0, *size));
    window.limit = std::min(window.limit, most);
    return window;
}

Result<LogViewRequest> parse_log_window(const Call& call) {
    const auto from = int_param(call.target, "from", -1);
    const auto size = int_param(call.target, "size", 100);
    if (!from || !size) {
        return !from ? from.error() : size.error();
    }
    const auto attempt = int_param(call.target, "attempt", 0);
    if (!attempt || *attempt < 0) {
        return attempt ? Error(Errc::invalid_argument, "must not be negative", "attempt")
                       : attempt.error();
    }
    LogViewRequest request;
    request.attempt = static_cast<int>(*attempt);
    request.window.from = *from;
    request.window.size = *size;
    request.max_bytes = call.state->options.max_log_bytes;
    return request;
}

}  // namespace sparkhost::detail::rest
