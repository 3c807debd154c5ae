// SPDX-License-Identifier: Apache-2.0
#include "backends/local/local_state.hpp"

#include "hop.hpp"

#include <boost/asio/this_coro.hpp>

#include <memory>
#include <optional>

namespace sparkhost::detail::local {

Awaitable<LogPage> read_application_log(std::shared_ptr<LocalState> state, LogRequest request) {
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
        bool changed = co_await changes->wait();
        if (!changed) {
            co_return Error(Errc::stopped, "reading the log was cancelled");
        }
    }
}

}  // namespace sparkhost::detail::local
