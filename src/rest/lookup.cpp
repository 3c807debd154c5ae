// SPDX-License-Identifier: Apache-2.0
#include "rest/lookup.hpp"

#include "rest/conditional.hpp"
#include "rest/router_state.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace sparkhost::detail::rest {

namespace batch_lookup {

/// Host::wait_for_change, but cancellation gives the present record instead of an error.
Awaitable<BatchRecord> wait_for_change(Host* host, ChangeRequest request) {
    const BatchId id = request.id;
    co_await asio::this_coro::throw_if_cancelled(false);
    Result<BatchRecord> changed = Errc::timed_out;
    try {
        changed = co_await host->wait_for_change(request);
    } catch (const boost::system::system_error& failure) {
        if (failure.code() != asio::error::operation_aborted) {
            throw;
        }
    }
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none && !changed) {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        changed = co_await host->find(id);
    }
    co_return changed;
}

}  // namespace batch_lookup

Awaitable<BatchRecord> find_batch(Host* host, std::string id_or_name) {
    const bool number =
        std::ranges::all_of(id_or_name, [](char c) { return c >= '0' && c <= '9'; });
    if (!number) {
        co_return co_await host->find(std::move(id_or_name));
    }
    BatchId id{0};
    const char* end = id_or_name.data() + id_or_name.size();
    if (std::from_chars(id_or_name.data(), end, id.value).ec != std::errc()) {
        co_return Error(Errc::invalid_argument, "For input string: \"" + id_or_name + "\"");
    }
    co_return co_await host->find(id);
}

Awaitable<Observed> observe_batch(StatePtr state, std::string id, std::string if_none_match,
                                  Target target) {
    const IfNoneMatch seen = parse_if_none_match(if_none_match);
    const auto wait = parse_wait(target, state->options.max_wait, seen.given);
    if (!wait) {
        co_return wait.error();
    }
    Host* host = state->host;
    auto found = co_await find_batch(host, std::move(id));
    if (!found) {
        co_return found.error();
    }
    Observed observed;
    observed.record = std::move(*found);
    const bool unchanged = wait->not_state ? observed.record.state() == *wait->not_state
                                           : seen.matches(observed.record.version);
    if (wait->duration && unchanged) {
        ChangeRequest request;
        request.id = observed.record.id;
        request.seen_version = observed.record.version;
        request.not_state = wait->not_state;
        request.timeout = *wait->duration;
        auto changed = co_await batch_lookup::wait_for_change(host, request);
        if (!changed && !changed.error().is(Errc::timed_out)) {
            co_return changed.error();
        }
        if (changed) {
            observed.record = std::move(*changed);
        }
    }
    observed.not_modified = seen.matches(observed.record.version);
    co_return observed;
}

Awaitable<LogView> read_log_view(Host* host, BatchRecord record, LogViewRequest request) {
    LogAssembly assembly(request.window, log_suffix(record), request.max_bytes);
    while (const auto wanted = assembly.next()) {
        BatchLogRequest part;
        part.id = record.id;
        part.offset = wanted->offset;
        part.limit = wanted->limit;
        auto page = co_await host->read_log(part);
        if (!page) {
            co_return page.error();
        }
        assembly.add(std::move(*page));
    }
    co_return assembly.take();
}

asio::awaitable<LivyBatch> with_log(Host* host, BatchRecord record) {
    LivyBatch batch;
    if (record.phase == BatchPhase::running) {
        LogViewRequest request;
        request.window.size = object_log_lines;
        request.max_bytes = std::numeric_limits<std::size_t>::max();
        // A log that cannot be read is no reason to hide the batch.
        if (auto view = co_await read_log_view(host, record, request)) {
            batch.log = std::move(view->lines);
            batch.record = std::move(record);
            co_return batch;
        }
    }
    batch.log = kept_log(record);
    batch.record = std::move(record);
    co_return batch;
}

}  // namespace sparkhost::detail::rest
