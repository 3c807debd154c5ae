// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/log_keeper.hpp"

#include "backends/kubernetes/log_world.hpp"
#include "hop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

using WorldPtr = std::shared_ptr<LogWorld>;
constexpr std::size_t most_idle_logs = 256;
/// A log that cannot be had so often is given up: a node may have gone for ever.
constexpr int most_failed_keeps = 5;
constexpr int patient_failures = 5;

/// Counts a reader that waits for more.
class Follower {
public:
    explicit Follower(DriverLogPtr log) : log_(std::move(log)) { ++log_->followers; }
    ~Follower() {
        --log_->followers;
        if (!log_->is_wanted()) {
            log_->stream.reset();
            log_->pause.cancel();
        }
    }
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

private:
    DriverLogPtr log_;
};

bool is_waiting_page(const LogPage& page, const LogRequest& request) {
    return request.follow && request.limit > 0 && page.lines.empty() && !page.complete;
}

Awaitable<LogPage> take_page(WorldPtr world, DriverLogPtr log, LogRequest request) {
    auto work = [file = log->file, request] { return file->page(request); };
    auto page = co_await run_blocking(world->options.blocking_executor, std::move(work));
    if (page.has_error() && page.error().is(Errc::not_found) && !log->nothing) {
        // who waits for lines waits for better times, too, for a while
        if (!log->failure.empty() && (!request.follow || log->failures >= patient_failures)) {
            co_return Error(Errc::backend_failed, log->failure);
        }
        LogPage empty;  // its driver has written nothing yet
        empty.offset = std::max<std::int64_t>(request.offset, 0);
        co_return empty;
    }
    if (page.has_error() && page.error().is(Errc::not_found)) {
        co_return Error(Errc::not_found, "there is no log of " + request.ticket.id);
    }
    co_return page;
}

/// Has the file at least as far as the log is now. False: cancelled.
asio::awaitable<bool> catch_up(WorldPtr world, DriverLogPtr log) {
    const auto deadline = std::chrono::steady_clock::now() + world->options.request_deadline;
    // A pass that began before the end was known may have missed the last lines.
    const auto target = log->passes + (log->ended && log->running ? 2 : 1);
    bool going = true;
    while (going && world->client && !log->complete && !log->removed && log->passes < target &&
           !(log->live && !log->ended) && std::chrono::steady_clock::now() < deadline) {
        log->wanted = std::max(log->wanted, target);
        world->start(log);
        log->pause.cancel();
        going = co_await LogWorld::wait(log, deadline);
    }
    co_return going;
}

Awaitable<LogPage> read_or_follow(WorldPtr world, DriverLogPtr log, LogRequest request) {
    const bool caught_up = co_await catch_up(world, log);
    if (!caught_up) {
        co_return Error(Errc::stopped, "reading the log was cancelled");
    }
    if (!request.follow) {
        auto page = co_await take_page(world, log, std::move(request));
        co_return page;
    }
    const Follower follower(log);
    for (;;) {
        auto page = co_await take_page(world, log, request);
        if (!page || !is_waiting_page(*page, request) || log->removed) {
            co_return page;
        }
        if (!world->client) {
            co_return Error(Errc::stopped, "the backend was closed");
        }
        world->start(log);
        const bool going = co_await LogWorld::wait(log, LogWorld::Time::max());
        if (!going) {
            co_return Error(Errc::stopped, "reading the log was cancelled");
        }
    }
}

Awaitable<LogPage> read_uncancelled(WorldPtr world, LogPlace place, LogRequest request) {
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto log = world->log(place);
    log->nothing = false;
    auto page = co_await read_or_follow(world, std::move(log), std::move(request));
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return page;
}

Awaitable<void> complete_log(WorldPtr world, LogPlace place) {
    const auto log = world->log(place);
    log->ended = true;
    log->nothing = false;
    const auto deadline = std::chrono::steady_clock::now() + world->options.request_deadline;
    log->drain.expires_after(world->options.drain_limit);
    log->drain.async_wait([weak = std::weak_ptr(log)](boost::system::error_code failure) {
        if (const auto kept = weak.lock(); kept && !failure) {
            kept->stream.reset();
        }
    });
    while (world->client && !log->complete && !log->nothing && !log->removed &&
           std::chrono::steady_clock::now() < deadline) {
        log->wanted = std::max(log->wanted, log->passes + 1);
        world->start(log);
        (void)co_await LogWorld::wait(log, deadline);
    }
    log->drain.cancel();
    world->unfollow(*log);
    if (log->complete || log->nothing || log->removed) {
        co_return ok();
    }
    const std::string why = log->failure.empty() ? "it took too long" : log->failure;
    if (++log->failed_keeps < most_failed_keeps || log->running || !world->client) {
        co_return Error(Errc::backend_failed, "the driver's log cannot be fetched: " + why);
    }
    world->tell(LogLevel::error, *log, "what is missing of it is given up: " + why);
    auto finished = co_await finish_log(world, log, std::string());
    co_return finished;
}

Awaitable<void> remove_log(WorldPtr world, std::string ticket) {
    LogPlace place;
    place.identity.ticket = ticket;
    const auto log = world->log(place);
    log->removed = true;
    log->stream.reset();
    log->pause.cancel();
    world->unfollow(*log);
    LogWorld::changed(*log);
    while (log->running) {  // it may be writing
        (void)co_await LogWorld::wait(log, LogWorld::Time::max());
    }
    auto work = [file = log->file] { return file->remove(); };
    auto removed = co_await run_blocking(world->options.blocking_executor, std::move(work));
    world->logs.erase(ticket);
    co_return removed;
}

}  // namespace

DriverLogPtr LogWorld::log(const LogPlace& place) {
    const auto found = logs.find(place.identity.ticket);
    if (found != logs.end()) {
        if (!place.name_space.empty()) {
            found->second->place.name_space = place.name_space;
        }
        return found->second;
    }
    if (logs.size() > 2 * (most_idle_logs + options.max_followed)) {
        std::erase_if(logs, [](const auto& entry) { return entry.second.use_count() == 1; });
    }
    auto made = std::make_shared<DriverLog>(strand, place, options.work_dir);
    logs.emplace(place.identity.ticket, made);
    return made;
}

void LogWorld::start(const DriverLogPtr& log) {
    if (log->running || !client || log->removed || log->complete || !log->is_wanted()) {
        return;
    }
    log->running = true;
    auto ended = [world = shared_from_this(), log](std::exception_ptr escaped) {
        log->running = false;
        if (escaped) {
            world->tell(LogLevel::error, *log, "following it has failed");
        }
        world->unfollow(*log);
        changed(*log);
        if (!escaped && !log->nothing) {
            world->start(log);  // somebody may have come meanwhile
        }
    };
    asio::co_spawn(strand, tend_log(shared_from_this(), log), std::move(ended));
}

void LogWorld::unfollow(DriverLog& log) {
    if (log.eager && (log.complete || log.removed || log.nothing || log.ended)) {
        log.eager = false;
        --followed;
        follow_next();
    }
}

void LogWorld::follow_next() {
    while (client && followed < options.max_followed && !queue.empty()) {
        const auto next = log(queue.pop());
        if (!next->eager && !next->complete && !next->ended && !next->removed) {
            next->eager = true;
            ++followed;
            start(next);
        }
    }
}

void LogWorld::changed(DriverLog& log) {
    for (const auto& waiter : std::exchange(log.waiting, {})) {
        waiter->wake(WakeReason::changed);
    }
}

asio::awaitable<bool> LogWorld::wait(DriverLogPtr log, Time until) {
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    if (cancelled.cancelled() != asio::cancellation_type::none) {
        co_return false;
    }
    auto waiter = std::make_shared<Waiter>();
    std::erase_if(log->waiting, [](const auto& other) { return other.use_count() == 1; });
    log->waiting.push_back(waiter);
    asio::steady_timer timer(co_await asio::this_coro::executor);
    if (until != Time::max()) {
        timer.expires_at(until);
        timer.async_wait([waiter](boost::system::error_code failure) {
            if (!failure) {
                waiter->wake(WakeReason::timed_out);
            }
        });
    }
    const WakeReason reason = co_await Waiter::wait(waiter);
    co_return reason != WakeReason::cancelled;
}

void LogWorld::tell(LogLevel level, const DriverLog& log, const std::string& words) const {
    if (options.log) {
        options.log({level, "kubernetes", "log of " + log.place.identity.ticket + ": " + words});
    }
}

LogKeeper::LogKeeper(asio::any_io_executor strand, LogKeeperOptions options,
                     std::shared_ptr<http::Client> client)
    : world_(std::make_shared<LogWorld>()) {
    world_->strand = std::move(strand);
    world_->options = std::move(options);
    world_->client = std::move(client);
}

LogKeeper::~LogKeeper() {
    world_->client.reset();
    world_->queue.clear();
    for (const auto& [ticket, log] : world_->logs) {
        log->stream.reset();
        log->pause.cancel();
        log->drain.cancel();
        LogWorld::changed(*log);
    }
}

void LogKeeper::notice(const LogPlace& place, ApplicationState state) {
    const auto found = world_->logs.find(place.identity.ticket);
    if (state == ApplicationState::ended) {
        world_->queue.erase(place.identity.ticket);
        if (found == world_->logs.end() || found->second->ended) {
            return;
        }
        const auto log = found->second;
        log->ended = true;
        log->pause.cancel();
        // what is under way comes to its end by itself, as a rule
        log->drain.expires_after(world_->options.drain_limit);
        log->drain.async_wait([weak = std::weak_ptr(log)](boost::system::error_code failure) {
            if (const auto kept = weak.lock(); kept && !failure) {
                kept->stream.reset();
            }
        });
        return;
    }
    if (state == ApplicationState::submitted) {
        return;
    }
    const bool known =
        found != world_->logs.end() && (found->second->eager || found->second->ended);
    if (!known) {
        world_->queue.push(place);
        world_->follow_next();
    }
    if (found != world_->logs.end()) {
        found->second->pause.cancel();
    }
}

void LogKeeper::watch_ended() {
    world_->queue.clear();
    for (const auto& [ticket, log] : world_->logs) {
        if (log->eager) {
            log->eager = false;
            --world_->followed;
        }
        log->drain.cancel();
        if (!log->is_wanted()) {
            log->stream.reset();
            log->pause.cancel();
        }
    }
}

Awaitable<LogPage> LogKeeper::read(LogPlace place, LogRequest request) {
    return read_uncancelled(world_, std::move(place), std::move(request));
}

Awaitable<void> LogKeeper::complete(LogPlace place) {
    return complete_log(world_, std::move(place));
}

Awaitable<void> LogKeeper::remove(std::string ticket) {
    return remove_log(world_, std::move(ticket));
}

}  // namespace sparkhost::detail::kubernetes
