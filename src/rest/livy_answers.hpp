// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_LIVY_ANSWERS_HPP
#define SPARKHOST_SRC_REST_LIVY_ANSWERS_HPP

// What Livy's routes of batches and of sessions share.

#include "rest/livy_batch.hpp"
#include "rest/lookup.hpp"
#include "rest/route.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sparkhost::detail::rest {

/// An error about what `id` names in the path; batches are sessions, too.
Response livy_failed(const Error& error, const std::string& id, LivyLevel level = LivyLevel::v0_9);
/// The same about what the call is for.
Response livy_failed(const Error& error, const Call& call);

/// The answer to what only an active session can do: it is starting, or has ended.
Response livy_not_active(const SessionRecord& session);
/// The same in the words that clients of new work look for.
Response livy_cannot_run(const SessionRecord& session);

/// Livy's refusal to make something.
Response livy_rejected(std::string reason);

/// A broken rule of what a request says beside its body.
Response livy_not_read(const Error& error);

/// The answer to a request whose batch or session was refused by the host. `holder` finds who has
/// the name; it is begun only when that is why.
asio::awaitable<Response> livy_not_created(Error error, std::string name,
                                           Awaitable<std::int64_t> holder);

/// 415 for a body that is compressed.
std::optional<Response> livy_refused_encoding(const Request& request);

/// What the call says about a batch or session besides its body.
/// Errors: invalid_argument – a parameter that cannot be read, by its name.
Result<void> take_from_call(BatchSpec& spec, const Call& call);
/// The same about a statement or job.
void take_from_call(StatementSpec& spec, const Call& call);

/// ?from&size of a list.
struct ListWindow {
    std::int64_t from{0};  ///< as it was given
    std::int64_t offset{0};
    std::size_t limit{0};
};
Result<ListWindow> parse_list_window(const Target& target, std::size_t most);

/// ?from&size&attempt of a log.
Result<LogViewRequest> parse_log_window(const Call& call);

/// Makes the body of an answer.
template <class Record>
using Show = asio::awaitable<std::string> (*)(const sparkhost::rest::RouterState* state,
                                              Record record);

/// The answer to a conditional GET: 304 where nothing is new, else what `show` makes.
template <class Record>
asio::awaitable<Response> answer_observed(const sparkhost::rest::RouterState* state,
                                          Observed<Record> observed, Show<Record> show) {
    const std::int64_t version = observed.record.version;
    std::string backend;
    if constexpr (requires { backend_name(observed.record); }) {
        backend = backend_name(observed.record);
    }
    Response response;
    if (observed.not_modified) {
        response.result(http::status::not_modified);
    } else {
        auto body = co_await show(state, std::move(observed.record));
        response = make_response(http::status::ok, json_type, std::move(body));
    }
    if (!backend.empty()) {
        response.set(backend_header, backend);
    }
    set_etag(response, version);
    co_return response;
}

}  // namespace sparkhost::detail::rest

#endif
