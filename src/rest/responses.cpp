// SPDX-License-Identifier: Apache-2.0
#include "rest/responses.hpp"

#include "rest/livy_batch.hpp"

#include <boost/asio/error.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace sparkhost::detail::rest {

namespace response_parts {

constexpr std::string_view retry_after = "5";  // seconds

/// What a client can do about an error that is not the request's fault.
std::string advice(const Error& error) {
    if (error.is(Errc::stopped) || error.code == boost::asio::error::operation_aborted) {
        return "The server is shutting down; send the request again later.";
    }
    if (error.is(Errc::indeterminate)) {
        return "The storage failed while writing: the change may have been made or not. Send the "
               "request again later, with the same Idempotency-Key if it creates something.";
    }
    if (error.is(Errc::storage_failed)) {
        return "The storage cannot be reached, nothing has been changed; send the request again "
               "later.";
    }
    return error.text();
}

void secure(Response& response) {
    response.set("X-XSS-Protection", "1; mode=block");
    response.set("X-Frame-Options", "SAMEORIGIN");
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Content-Security-Policy",
                 "default-src 'self'; script-src 'self' 'unsafe-inline'; img-src 'self'; "
                 "frame-src 'self';");
}

}  // namespace response_parts

Response make_response(http::status status, std::string_view content_type, std::string body) {
    Response response;
    response.result(status);
    response.version(11);
    if (!content_type.empty()) {
        response.set(http::field::content_type, content_type);
    }
    response.body() = std::move(body);
    return response;
}

Response message_response(http::status status, std::string_view message) {
    return make_response(status, json_type, livy_message_json(message));
}

Response string_response(http::status status, std::string_view message) {
    return make_response(status, json_type,
                         boost::json::serialize(boost::json::string_view(message)));
}

Response problem_response(http::status status, std::string_view detail, std::string_view field) {
    boost::json::object problem;
    problem.emplace("type", "about:blank");
    problem.emplace("title", http::obsolete_reason(status));
    problem.emplace("status", static_cast<unsigned>(status));
    problem.emplace("detail", detail);
    if (!field.empty()) {
        problem.emplace("field", field);
    }
    return make_response(status, "application/problem+json", boost::json::serialize(problem));
}

Response dialect_response(Dialect dialect, http::status status, std::string_view message,
                          std::string_view field) {
    return dialect == Dialect::native ? problem_response(status, message, field)
                                      : message_response(status, message);
}

Response error_response(Dialect dialect, const Error& error) {
    const ErrorStatus answer = to_status(error, dialect);
    std::string words = response_parts::advice(error);
    if (error.is(Errc::rejected) && dialect == Dialect::livy) {
        words = "Rejected, too many sessions are being created!";  // clients compare it
    }
    if (!error.field.empty() && dialect == Dialect::native && !error.detail.empty()) {
        words = error.detail;
    }
    Response response = dialect_response(dialect, answer.status, words, error.field);
    if (answer.retry_later) {
        response.set(http::field::retry_after, response_parts::retry_after);
    }
    return response;
}

const std::string& backend_name(const BatchRecord& batch) {
    return batch.spec.backend;
}

const std::string& backend_name(const SessionRecord& session) {
    return session.application.spec.backend;
}

void set_etag(Response& response, std::int64_t version) {
    response.set(http::field::etag, "\"" + std::to_string(version) + "\"");
}

void finish(Response& response, bool head) {
    response_parts::secure(response);
    // With 204 it is forbidden (RFC 9110, section 8.6), with 304 it would be that of the 200.
    if (response.result() != http::status::not_modified &&
        response.result() != http::status::no_content) {
        response.content_length(response.body().size());
    }
    if (head) {
        response.body().clear();
    }
}

void finish(Answer& answer, bool head) {
    if (!answer.body) {
        finish(answer.response, head);
        return;
    }
    response_parts::secure(answer.response);
    if (head) {
        answer.body = nullptr;
    }
}

}  // namespace sparkhost::detail::rest
