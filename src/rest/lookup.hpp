// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_LOOKUP_HPP
#define SPARKHOST_SRC_REST_LOOKUP_HPP

#include "rest/livy_batch.hpp"
#include "rest/route.hpp"

#include <sparkhost/error.hpp>
#include <sparkhost/host.hpp>

#include <string>

namespace sparkhost::detail::rest {

// Finds what stands in the path: digits are an id, anything else a name.
// Errors: not_found; invalid_argument – a number no id can have.
Awaitable<BatchRecord> find_batch(Host* host, std::string id_or_name);
Awaitable<SessionRecord> find_session(Host* host, std::string id_or_name);

/// An object as a conditional GET sees it.
template <class Record>
struct Observed {
    Record record{};
    bool not_modified{false};  ///< answer 304
};

// Finds the object of a call, waiting for a change where the request asks for it.
// Cancellation: ends the wait; the outcome is that of the moment.
Awaitable<Observed<BatchRecord>> observe_batch(StatePtr state, std::string id,
                                               std::string if_none_match, Target target);
Awaitable<Observed<SessionRecord>> observe_session(StatePtr state, std::string id,
                                                   std::string if_none_match, Target target);
Awaitable<Observed<StatementRecord>> observe_statement(StatePtr state, SessionId session,
                                                       StatementId id, std::string if_none_match,
                                                       Target target);

/// Lines of the log in Livy's view. Errors: those of Host::read_log.
struct LogViewRequest {
    LogWindow window{};
    std::size_t max_bytes{0};
    int attempt{0};  ///< of a batch; 0: the last one
};
Awaitable<LogView> read_log_view(Host* host, BatchRecord record, LogViewRequest request);
Awaitable<LogView> read_log_view(Host* host, SessionRecord record, LogViewRequest request);

// Adds the last lines of the log: read for what runs, kept with what has ended.
asio::awaitable<LivyBatch> with_log(Host* host, BatchRecord record);
asio::awaitable<LivySession> with_log(Host* host, SessionRecord record);

}  // namespace sparkhost::detail::rest

#endif
