// SPDX-License-Identifier: Apache-2.0
#include "rest/statement_stream.hpp"

#include "rest/livy_answers.hpp"
#include "rest/livy_session.hpp"
#include "rest/router_state.hpp"
#include "rest/text.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <charconv>
#include <memory>
#include <utility>
#include <variant>

namespace sparkhost::detail::rest {

namespace statement_streams {

using Chunks = Result<std::vector<OutputChunk>>;

constexpr std::size_t most_at_once = 256u << 10;

struct Stream {
    Stream(StatePtr shared, StreamRequest wanted)
        : state(std::move(shared)), request(std::move(wanted)), follower(follow()) {}

    OutputFollower follow() const {
        return state->host->sessions().follow_output(request.session, request.statement,
                                                     request.position);
    }

    StatePtr state;
    StreamRequest request;  ///< its position moves on
    OutputFollower follower;
    std::vector<OutputChunk> chunks{};  ///< the follower's last
    std::size_t given{0};               ///< so many of them are in pieces
    bool over{false};
};

/// A piece that is not too much for a slow client to take in the time it has.
std::string output_piece(Stream& stream) {
    std::string piece;
    while (stream.given < stream.chunks.size() && piece.size() < most_at_once) {
        piece += output_event(stream.chunks[stream.given++], stream.request.position);
    }
    return piece;
}

asio::awaitable<void> silence(std::chrono::milliseconds longest) {
    asio::steady_timer timer(co_await asio::this_coro::executor, longest);
    co_await timer.async_wait(asio::use_awaitable);
}

/// What comes next; nothing when it does not come in time.
asio::awaitable<std::optional<Chunks>> next_chunks(std::shared_ptr<Stream> stream) {
    using asio::experimental::awaitable_operators::operator||;
    auto either = co_await (stream->follower.next() || silence(stream->state->options.keep_alive));
    if (either.index() == 0) {
        co_return std::get<0>(std::move(either));
    }
    // Chunks that came at the same moment are lost with the follower's wait: it begins anew.
    stream->follower = stream->follow();
    co_return std::nullopt;
}

asio::awaitable<std::string> last_event(std::shared_ptr<Stream> stream) {
    const StreamRequest& request = stream->request;
    auto found =
        co_await stream->state->host->sessions().find_statement(request.session, request.statement);
    if (!found) {
        const auto answer = livy_failed(found.error(), std::to_string(request.session.value));
        co_return event_text("failed", {}, answer.body());
    }
    found->spec.kind = request.kind;
    co_return event_text("statement", {}, livy_statement_json(*found));
}

asio::awaitable<std::string> next_events(std::shared_ptr<Stream> stream) {
    if (stream->given < stream->chunks.size()) {
        co_return output_piece(*stream);
    }
    auto chunks = co_await next_chunks(stream);
    if (!chunks) {
        co_return std::string(silence_text);
    }
    if (*chunks && !(*chunks)->empty()) {
        stream->chunks = std::move(**chunks);
        stream->given = 0;
        co_return output_piece(*stream);
    }
    stream->over = true;
    if (*chunks) {
        co_return co_await last_event(stream);
    }
    const Error error = chunks->error();
    if (error.is(Errc::stopped) || error.code == asio::error::operation_aborted) {
        co_return std::string();  // the client can go on where it was, later
    }
    const auto answer = livy_failed(error, std::to_string(stream->request.session.value));
    co_return event_text("failed", {}, answer.body());
}

/// Ends the body, instead of throwing, when it is cancelled.
asio::awaitable<std::string> next_piece(std::shared_ptr<Stream> stream) {
    if (stream->over) {
        co_return std::string();
    }
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    std::string piece;
    try {
        piece = co_await next_events(stream);
    } catch (const boost::system::system_error& failure) {
        if (failure.code() != asio::error::operation_aborted) {
            throw;
        }
    }
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    stream->over = stream->over || cancellation.cancelled() != asio::cancellation_type::none;
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return piece;
}

template <class Number>
Result<Number> whole_number(std::string_view text, std::string_view field) {
    Number number{};
    const char* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc() || stop != end) {
        return Error(Errc::invalid_argument, "'" + std::string(text) + "' is not a number of bytes",
                     std::string(field));
    }
    return number;
}

}  // namespace statement_streams

std::string event_text(std::string_view name, std::string_view id, std::string_view data) {
    std::string text;
    text.reserve(data.size() + 64);
    if (!id.empty()) {
        text.append("id: ").append(id).append("\n");
    }
    text.append("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
    return text;
}

std::string output_event(const OutputChunk& chunk, std::size_t& position) {
    position += chunk.text.size();
    const bool good = chunk.stream == OutputStream::standard_output;
    const std::string data = std::string("{\"stream\":\"") + (good ? "stdout" : "stderr") +
                             "\",\"text\":" + json_string(chunk.text) + "}";
    return event_text("output", std::to_string(position), data);
}

Result<bool> wants_stream(const Target& target) {
    const std::string* stream = target.param("stream");
    if (stream != nullptr && *stream != "0" && *stream != "1") {
        return Error(Errc::invalid_argument, "'" + *stream + "' is neither 0 nor 1", "stream");
    }
    return stream != nullptr && *stream == "1";
}

Result<std::size_t> stream_position(std::string_view last_event_id, const Target& target) {
    using statement_streams::whole_number;
    if (!last_event_id.empty()) {
        return whole_number<std::size_t>(last_event_id, "Last-Event-ID");
    }
    const std::string* position = target.param("position");
    return position == nullptr ? Result<std::size_t>(0)
                               : whole_number<std::size_t>(*position, "position");
}

Answer stream_statement(StatePtr state, StreamRequest request) {
    auto stream = std::make_shared<statement_streams::Stream>(std::move(state), std::move(request));
    Answer answer(make_response(http::status::ok, "text/event-stream", {}));
    answer.response.set(http::field::cache_control, "no-store");
    answer.body = [stream] { return statement_streams::next_piece(stream); };
    return answer;
}

}  // namespace sparkhost::detail::rest
