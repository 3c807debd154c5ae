// SPDX-License-Identifier: Apache-2.0
#include "backends/local/local_state.hpp"

#include "hop.hpp"

#include <boost/asio/this_coro.hpp>

#include <memory>
#include <optional>

namespace sparkhost::detail::local {

namespace {

Awaitable<LogPage> read_or_wait(std::shared_ptr<LocalState> state, LogRequest request) {
    if (!is_ticket_id(request.ticket.id)) {
        co_return Error(Errc::not_found, "\"" + request.ticket.id + "\" is no ticket");
    }
    auto log = state->logs.log(request.ticket.id);
    auto strand = co_await asio::this_coro::executor;
    std::optional<FolderEvents::Subscription> changes;
    if (request.follow) {
        // before the first look, so that nothing is missed in between
        changes.emplace(state->logs.events(), strand, state->paths.folder(request.ticket.id));
    }
    for (;;) {
        auto look = [paths = state->paths, log, request] {
            return read_log_page(paths, *log, request);
        };
        Result<LogPage> page =
            co_await run_blocking(state->context.blocking_executor, std::move(look));
        if (!page || !is_waiting_page(*page, request) || !changes->is_watching()) {
            co_return page;
        }
        auto cancellation = co_await asio::this_coro::cancellation_state;
        bool waiting = cancellation.cancelled() == asio::cancellation_type::none;
        if (waiting) {
            waiting = co_await changes->wait();
        }
        if (!waiting) {
            co_return Error(Errc::stopped, "reading the log was cancelled");
        }
    }
}

}  // namespace

Awaitable<LogPage> read_application_log(std::shared_ptr<LocalState> state, LogRequest request) {
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    Result<LogPage> page = co_await read_or_wait(std::move(state), std::move(request));
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return page;
}

}  // namespace sparkhost::detail::local
