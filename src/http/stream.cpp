// SPDX-License-Identifier: Apache-2.0
#include "http/client_impl.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <utility>

namespace sparkhost::detail::http {

namespace {

struct StreamState {
    Response head{};
    ConnectionPtr connection{};  ///< null: the answer was a refusal
    std::shared_ptr<AnswerReader> reader{};
    std::string peer{};
    bool closed{false};

    void close() {
        closed = true;
        if (connection) {
            connection->close();
        }
    }
    Error broken(Errc code, const std::string& what) {
        close();
        return Error(code, peer + ": " + what);
    }
};
using StreamStatePtr = std::shared_ptr<StreamState>;

Error stream_failure(StreamState& state, const boost::system::error_code& failure,
                     std::chrono::milliseconds idle) {
    if (state.connection->timed_out()) {
        return state.broken(Errc::timed_out,
                            "nothing came for " + std::to_string(idle.count()) + " ms");
    }
    return state.broken(Errc::backend_failed,
                        "the answer broke off: " + state.connection->why(failure));
}

Awaitable<std::string> read_stream(StreamStatePtr state, std::chrono::milliseconds idle) {
    AnswerReader& reader = *state->reader;
    for (;;) {
        std::string piece = reader.take();
        if (!piece.empty()) {
            co_return piece;
        }
        if (reader.is_done()) {
            state->close();
            co_return std::string();
        }
        if (state->closed) {
            co_return Error(Errc::backend_failed, state->peer + ": the stream was closed");
        }
        state->connection->set_deadline(std::chrono::steady_clock::now() + idle);
        const auto got = co_await Connection::read_some(state->connection);
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (cancelled.cancelled() != asio::cancellation_type::none) {
            co_return state->broken(Errc::stopped, "reading was cancelled");
        }
        if (got.failure && !got.ended) {
            co_return stream_failure(*state, got.failure, idle);
        }
        const auto taken =
            got.ended ? reader.put_end() : reader.put(state->connection->input(got.size));
        if (!taken) {
            co_return state->broken(Errc::backend_failed, taken.error().detail);
        }
    }
}

/// A cancellation is told as an error, not thrown.
Awaitable<std::string> read_quietly(StreamStatePtr state, std::chrono::milliseconds idle) {
    if (state->head.status / 100 != 2) {
        co_return std::string();  // its body is in the head
    }
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto piece = co_await read_stream(std::move(state), idle);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return piece;
}

class HttpStream final : public Stream {
public:
    explicit HttpStream(StreamStatePtr state) : state_(std::move(state)) {}
    ~HttpStream() override { state_->close(); }
    const Response& head() const override { return state_->head; }
    Awaitable<std::string> read_some(std::chrono::milliseconds idle) override {
        return read_quietly(state_, idle);
    }

private:
    StreamStatePtr state_;
};

}  // namespace

std::unique_ptr<Stream> make_stream(Response head, ConnectionPtr connection,
                                    std::shared_ptr<AnswerReader> reader, std::string peer) {
    auto state = std::make_shared<StreamState>();
    state->head = std::move(head);
    state->connection = std::move(connection);
    state->reader = std::move(reader);
    state->peer = std::move(peer);
    return std::make_unique<HttpStream>(std::move(state));
}

}  // namespace sparkhost::detail::http
