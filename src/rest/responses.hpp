// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_RESPONSES_HPP
#define SPARKHOST_SRC_REST_RESPONSES_HPP

#include "rest/status.hpp"

#include <sparkhost/error.hpp>
#include <sparkhost/rest/router.hpp>

#include <boost/beast/http/status.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace sparkhost::detail::rest {

namespace http = boost::beast::http;
using Request = sparkhost::rest::Request;
using Response = sparkhost::rest::Response;
using Answer = sparkhost::rest::Answer;
using BodySource = sparkhost::rest::BodySource;

inline constexpr std::string_view json_type = "application/json;charset=utf-8";
inline constexpr const char* healthy_json = "{\"status\":\"ok\"}";
inline constexpr std::string_view html_type = "text/html;charset=utf-8";

Response make_response(http::status status, std::string_view content_type, std::string body);

/// {"msg": "…"}, the shape of most of Livy's errors.
Response message_response(http::status status, std::string_view message);

/// A JSON string alone, the shape of Livy's errors about the JSON of a request.
Response string_response(http::status status, std::string_view message);

/// application/problem+json (RFC 9457); `field` may be empty.
Response problem_response(http::status status, std::string_view detail,
                          std::string_view field = {});

/// `message` in the dialect's shape.
Response dialect_response(Dialect dialect, http::status status, std::string_view message,
                          std::string_view field = {});

/// An error of the host in the dialect's shape and words, with Retry-After where it helps.
Response error_response(Dialect dialect, const Error& error);

void set_etag(Response& response, std::int64_t version);

/// Where it runs, for a header: objects of Livy's have no place for it.
inline constexpr std::string_view backend_header = "Sparkhost-Backend";
const std::string& backend_name(const BatchRecord& batch);
const std::string& backend_name(const SessionRecord& session);

/// What every answer has: security headers and, unless its body is still to be made, the length.
/// `head`: keeps the length, drops the body.
void finish(Response& response, bool head);
void finish(Answer& answer, bool head);

}  // namespace sparkhost::detail::rest

#endif
