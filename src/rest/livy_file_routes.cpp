// SPDX-License-Identifier: Apache-2.0

// Files for running sessions: named by a URI, or uploaded.

#include "rest/livy_answers.hpp"
#include "rest/livy_request.hpp"
#include "rest/lookup.hpp"
#include "rest/multipart.hpp"
#include "rest/route.hpp"
#include "rest/router_state.hpp"

#include <array>
#include <utility>

namespace sparkhost::detail::rest {

namespace livy_file_api {

using Use = SessionFile::Use;

/// The session of a call, once it is there: clients bring their jars as soon as they have opened
/// one.
Awaitable<SessionRecord> started_session(Host* host, std::string id_or_name) {
    auto found = co_await find_session(host, std::move(id_or_name));
    if (found && found->state() == SessionState::starting) {
        found = co_await host->sessions().wait_until_started(found->id);
    }
    co_return found;
}

asio::awaitable<Answer> give(Call call, SessionRecord session, SessionFile file) {
    Host* host = call.state->host;
    auto touched = co_await host->sessions().touch(session.id);
    (void)touched;
    auto given = co_await host->sessions().add_file(session.id, std::move(file));
    if (!given && given.error().is(Errc::invalid_state)) {
        co_return livy_not_active(session);
    }
    if (!given && given.error().is(Errc::invalid_argument) && !given.error().field.empty()) {
        co_return message_response(http::status::bad_request,
                                   "requirement failed: " + given.error().detail);
    }
    if (!given) {
        co_return livy_failed(given.error(), call);
    }
    co_return make_response(http::status::ok, json_type, {});
}

template <Use use>
asio::awaitable<Answer> add_file(Call call) {
    if (auto refused = livy_refused_encoding(call.request)) {
        co_return std::move(*refused);
    }
    auto uri = read_add_file(call.request.body());
    if (!uri) {
        co_return string_response(http::status::bad_request, uri.error().detail);
    }
    if (uri->empty()) {
        co_return message_response(http::status::bad_request,
                                   "requirement failed: URI is required.");
    }
    auto session = co_await started_session(call.state->host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    SessionFile file;
    file.use = use;
    file.uri = std::move(*uri);
    co_return co_await give(std::move(call), std::move(*session), std::move(file));
}

/// What Livy says where the part is not there.
constexpr const char* missing(Use use) {
    return use == Use::jar ? "No jar sent!" : "No file sent!";
}

template <Use use>
asio::awaitable<Answer> upload_file(Call call) {
    if (auto refused = livy_refused_encoding(call.request)) {
        co_return std::move(*refused);
    }
    const std::string type(call.request[http::field::content_type]);
    const auto sent = find_form_file(type, call.request.body(), use == Use::jar ? "jar" : "file");
    if (!sent) {
        const bool none = sent.error().is(Errc::not_found);
        co_return string_response(http::status::bad_request,
                                  none ? std::string(missing(use)) : sent.error().detail);
    }
    Host* host = call.state->host;
    auto session = co_await started_session(host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    auto kept = co_await host->sessions().keep_file(session->id, sent->file_name, sent->content);
    if (!kept && kept.error().is(Errc::invalid_state)) {
        co_return livy_not_active(*session);
    }
    if (!kept) {
        co_return livy_failed(kept.error(), call);
    }
    SessionFile file;
    file.use = use;
    file.uri = std::move(*kept);
    call.request.body() = {};
    co_return co_await give(std::move(call), std::move(*session), std::move(file));
}

constexpr std::array table{
    Route{http::verb::post, "sessions/{}/upload-jar", &upload_file<Use::jar>, Dialect::livy},
    Route{http::verb::post, "sessions/{}/upload-pyfile", &upload_file<Use::python>, Dialect::livy},
    Route{http::verb::post, "sessions/{}/upload-file", &upload_file<Use::data>, Dialect::livy},
    Route{http::verb::post, "sessions/{}/add-jar", &add_file<Use::jar>, Dialect::livy},
    Route{http::verb::post, "sessions/{}/add-pyfile", &add_file<Use::python>, Dialect::livy},
    Route{http::verb::post, "sessions/{}/add-file", &add_file<Use::data>, Dialect::livy},
};

}  // namespace livy_file_api

std::span<const Route> livy_file_routes() {
    return livy_file_api::table;
}

}  // namespace sparkhost::detail::rest
