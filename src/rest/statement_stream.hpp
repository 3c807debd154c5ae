// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_STATEMENT_STREAM_HPP
#define SPARKHOST_SRC_REST_STATEMENT_STREAM_HPP

#include "rest/route.hpp"

#include <sparkhost/error.hpp>
#include <sparkhost/session.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::rest {

/// An event of a text/event-stream. `data` is one line; an empty `id` is left out.
std::string event_text(std::string_view name, std::string_view id, std::string_view data);

/// Says nothing, so that the connection is not taken for dead.
inline constexpr std::string_view silence_text = ":\n\n";

/// The chunk as an event "output", with the position behind it as its id. Moves `position` there.
std::string output_event(const OutputChunk& chunk, std::size_t& position);

/// Whether the request asks for a stream, ?stream=1. Errors: invalid_argument.
Result<bool> wants_stream(const Target& target);

/// Where the client wants to go on: its Last-Event-ID, else ?position=, else the beginning.
/// Errors: invalid_argument.
Result<std::size_t> stream_position(std::string_view last_event_id, const Target& target);

/// Which statement's output to stream. Lives as long as the stream.
struct StreamRequest {
    SessionId session{};
    StatementId statement{};
    std::string kind{};  ///< how the statement is laid out at the end
    std::size_t position{0};
};

/// Follows the output: events "output", at the end one "statement" with Livy's object.
Answer stream_statement(StatePtr state, StreamRequest request);

}  // namespace sparkhost::detail::rest

#endif
