// SPDX-License-Identifier: Apache-2.0
#include "backends/local/local_state.hpp"

#include "crash_point.hpp"
#include "hop.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace sparkhost::detail::local {

namespace {

using ControlSocket = asio::local::stream_protocol::socket;

constexpr std::chrono::seconds kill_answer_limit{10};
constexpr std::chrono::milliseconds kill_pause{100};
constexpr int kill_attempts = 50;

/// Asks the supervisor, and waits until it has journalled that it was asked: before that, a
/// closed connection could swallow the request.
asio::awaitable<bool> ask_supervisor(UniqueFd control) {
    auto strand = co_await asio::this_coro::executor;
    auto socket = std::make_shared<ControlSocket>(strand);
    boost::system::error_code failed;
    socket->assign(asio::local::stream_protocol(), control.get(), failed);
    if (failed) {
        co_return false;
    }
    control.release();
    asio::steady_timer limit(strand, kill_answer_limit);
    limit.async_wait([socket](boost::system::error_code stopped) {
        if (!stopped) {
            boost::system::error_code ignored;
            socket->close(ignored);
        }
    });
    constexpr std::string_view request = "kill\n";
    co_await asio::async_write(*socket, asio::buffer(request),
                               asio::redirect_error(asio::use_awaitable, failed));
    SPARKHOST_CRASH_POINT("local.kill.asked");
    std::string pending;
    char buffer[4096];
    while (!failed) {
        std::size_t got = co_await socket->async_read_some(
            asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, failed));
        pending.append(buffer, got);
        for (const auto& entry : take_journal_entries(pending)) {
            if (entry.word == JournalWord::kill_requested || entry.word == JournalWord::ended) {
                co_return true;
            }
        }
    }
    co_return false;
}

bool is_over(const Observation& seen) {
    return !seen.claim || seen.claim->killed ||
           std::any_of(seen.entries.begin(), seen.entries.end(),
                       [](const JournalEntry& entry) { return entry.word == JournalWord::ended; });
}

}  // namespace

Awaitable<void> kill_application(std::shared_ptr<LocalState> state, Ticket ticket) {
    if (!is_ticket_id(ticket.id)) {
        co_return Error(Errc::backend_failed, "\"" + ticket.id + "\" is no ticket of this backend");
    }
    auto pool = state->context.blocking_executor;
    auto claim = [paths = state->paths, id = ticket.id, now = state->context.clock->now()] {
        return claim_for_killer(paths, id, now);
    };
    Result<Claim> claimed = co_await run_blocking(pool, std::move(claim));
    if (!claimed) {
        co_return Error(Errc::backend_failed, claimed.error().text());
    }
    asio::steady_timer pause(co_await asio::this_coro::executor);
    for (int attempt = 0; attempt < kill_attempts; ++attempt) {
        auto look = [paths = state->paths, id = ticket.id, now = state->context.clock->now()] {
            return observe_ticket(paths, id, Look::connect, now);
        };
        Result<Observation> seen = co_await run_blocking(pool, std::move(look));
        if (!seen) {
            co_return Error(Errc::backend_failed, seen.error().text());
        }
        bool done = is_over(*seen);
        if (!done && seen->control) {
            UniqueFd control = std::move(*seen->control);
            done = co_await ask_supervisor(std::move(control));
        }
        if (done) {
            state->announce(ticket.id);
            co_return ok();
        }
        pause.expires_after(kill_pause);
        boost::system::error_code ignored;
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_return Error(Errc::backend_failed, "the supervisor of " + ticket.id + " does not answer");
}

}  // namespace sparkhost::detail::local
