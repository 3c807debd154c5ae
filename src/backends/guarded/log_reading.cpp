// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/log_reading.hpp"

#include "backends/common/posix_file.hpp"
#include "backends/common/ticket_names.hpp"
#include "hop.hpp"

#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace sparkhost::detail::guarded {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t piece_size = 512 * 1024;
constexpr std::chrono::milliseconds longest_log_pause{5s};

/// One fetch of a log: from where it is to where it is now.
struct Fetch {
    std::string ticket{};
    LogSource::Place from{};
    bool ended{false};
    std::shared_ptr<ShelvedLog> log{};
    LogPlace place{};
};

struct Stream {
    const char* name;
    std::int64_t LogPlace::*at;
};
constexpr Stream streams[] = {{"stdout", &LogPlace::out_at}, {"stderr", &LogPlace::error_at}};

Awaitable<void> put(LogReading reading, std::shared_ptr<Fetch> fetch, LogPlace to,
                    std::string text) {
    auto append = [fetch, to, text = std::move(text)] {
        return fetch->log->append(fetch->place, to, text);
    };
    Result<void> appended =
        co_await run_blocking(reading.state->context.blocking_executor, std::move(append));
    if (!appended) {
        co_return appended;
    }
    auto look = [fetch] { return fetch->log->place(); };
    Result<LogPlace> place =
        co_await run_blocking(reading.state->context.blocking_executor, std::move(look));
    if (!place) {
        co_return place.error();
    }
    fetch->place = *place;
    co_return ok();
}

/// Until this file has no more.
Awaitable<void> fetch_stream(LogReading reading, std::shared_ptr<Fetch> fetch, Stream stream) {
    std::int64_t size = piece_size;
    while (true) {
        const std::int64_t at = fetch->place.*stream.at;
        LogSource::Place from = fetch->from;
        Result<LogPiece> piece =
            co_await reading.source->read(std::move(from), stream.name, at, size);
        if (!piece) {
            co_return piece.error();
        }
        if (piece->begin != at) {
            co_return ok();  // the file is shorter than it was: its worker has lost it
        }
        LogTake take = take_lines(*piece, fetch->ended);
        size = take.ask_for > 0 ? take.ask_for : piece_size;
        if (!take.text.empty()) {
            LogPlace to = fetch->place;
            to.*stream.at = take.next;
            Result<void> done = co_await put(reading, fetch, to, std::move(take.text));
            if (!done) {
                co_return done;
            }
        }
        if (take.at_end) {
            co_return ok();
        }
    }
}

Awaitable<void> close_log(LogReading reading, std::shared_ptr<Fetch> fetch, std::string note) {
    LogPlace to = fetch->place;
    to.complete = true;
    Result<void> done = co_await put(std::move(reading), std::move(fetch), to, std::move(note));
    co_return done;
}

Awaitable<void> fetch_all(LogReading reading, std::shared_ptr<Fetch> fetch) {
    for (const Stream& each : streams) {
        Result<void> done = co_await fetch_stream(reading, fetch, each);
        if (!done) {
            co_return done;
        }
    }
    if (fetch->ended) {
        Result<void> done = co_await close_log(reading, fetch, std::string());
        co_return done;
    }
    co_return ok();
}

/// Brings what there is of the log to the host's disk. Success with a log that is not complete:
/// the application goes on, or its worker does not answer. Errors: not_found – there is none.
Awaitable<LogPlace> fetch_log(LogReading reading, std::string ticket, std::string& trouble) {
    const auto& state = reading.state;
    auto fetch = std::make_shared<Fetch>();
    fetch->ticket = ticket;
    fetch->log = state->logs->log(ticket);
    auto look = [fetch] { return fetch->log->place(); };
    Result<LogPlace> place =
        co_await run_blocking(state->context.blocking_executor, std::move(look));
    const auto* facts = state->find(ticket);
    if (!place || place->complete || facts == nullptr) {
        co_return place;
    }
    fetch->place = *place;
    if (facts->end) {
        const auto since = state->now() - facts->end->at;
        if (since >= 0ms && since < reading.last_words && !facts->worker.empty()) {
            const auto& clock = state->context.clock;
            co_await clock->sleep_until(clock->steady_now() + reading.last_words - since);
        }
        facts = state->find(ticket);
        if (facts == nullptr) {
            co_return place;
        }
    }
    fetch->from.driver = facts->driver();
    fetch->from.worker = facts->worker;
    fetch->ended = facts->end.has_value();
    const bool patient = fetch->ended && state->now() - facts->end->at < reading.patience;
    Result<void> done = ok();
    if (!fetch->from.worker.empty()) {
        done = co_await fetch_all(reading, fetch);
    } else if (fetch->ended) {
        done = co_await close_log(reading, fetch, std::string());
    }
    if (!done) {
        trouble = done.error().text();
    }
    if (!done && fetch->ended && !patient) {
        std::string note = "sparkhost: the rest of this log could not be fetched: " + trouble;
        done = co_await close_log(reading, fetch, note + "\n");
    }
    co_return fetch->place;
}

Awaitable<LogPage> read_or_wait(LogReading reading, LogRequest request) {
    const auto& state = reading.state;
    const std::string ticket = request.ticket.id;
    if (!is_ticket_id(ticket)) {
        co_return Error(Errc::not_found, "\"" + ticket + "\" is no ticket");
    }
    auto pause = reading.shortest_pause;
    while (true) {
        const bool known = state->find(ticket) != nullptr;
        auto exists = [shared = state, ticket]() -> Result<bool> {
            return shared->logs->exists(ticket);
        };
        Result<bool> kept =
            co_await run_blocking(state->context.blocking_executor, std::move(exists));
        if (!known && !(kept && *kept)) {
            co_return Error(Errc::not_found, "there is no log of " + ticket);
        }
        std::string trouble;
        Result<LogPlace> place = co_await fetch_log(reading, ticket, trouble);
        if (!place) {
            co_return place.error();
        }
        auto read = [log = state->logs->log(ticket), request] { return log->page(request); };
        Result<LogPage> page =
            co_await run_blocking(state->context.blocking_executor, std::move(read));
        const bool waits =
            page && request.follow && request.limit > 0 && page->lines.empty() && !page->complete;
        if (!waits) {
            co_return page;
        }
        const auto& clock = state->context.clock;
        co_await clock->sleep_until(clock->steady_now() + pause);
        pause = std::min<std::chrono::milliseconds>(pause * 2, longest_log_pause);
        auto cancellation = co_await asio::this_coro::cancellation_state;
        if (cancellation.cancelled() != asio::cancellation_type::none) {
            co_return Error(Errc::stopped, "reading the log was cancelled");
        }
    }
}

}  // namespace

Awaitable<LogPage> read_log(LogReading reading, LogRequest request) {
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    Result<LogPage> page = co_await read_or_wait(std::move(reading), std::move(request));
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return page;
}

Awaitable<void> keep_log(LogReading reading, std::string ticket) {
    const auto& state = reading.state;
    if (state->find(ticket) == nullptr) {
        co_return ok();  // it was kept when it was released
    }
    std::string trouble;
    Result<LogPlace> place = co_await fetch_log(reading, ticket, trouble);
    if (!place) {
        co_return place.error();
    }
    const auto* facts = state->find(ticket);
    if (!place->complete && facts != nullptr && facts->end) {
        co_return Error(Errc::backend_failed, "the log cannot be fetched yet: " + trouble);
    }
    co_return ok();
}

Awaitable<void> remove_log(std::shared_ptr<GuardedState> state, std::string ticket) {
    auto folder = state->logs->folder_of(ticket);
    state->logs->forget(ticket);
    auto remove = [folder] { return remove_tree(folder); };
    Result<void> removed =
        co_await run_blocking(state->context.blocking_executor, std::move(remove));
    co_return removed;
}

}  // namespace sparkhost::detail::guarded
