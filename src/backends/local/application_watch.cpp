// SPDX-License-Identifier: Apache-2.0
#include "backends/local/application_watch.hpp"

#include "hop.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <utility>

namespace sparkhost::detail::local {

namespace {

/// Between two looks at a supervisor that neither answers nor is gone.
constexpr std::chrono::milliseconds first_pause{20};
constexpr std::chrono::milliseconds longest_pause{2000};

/// Calls a function when a coroutine is left, however that happens.
template <class Function>
struct AtExit {
    Function function;
    explicit AtExit(Function f) : function(std::move(f)) {}
    AtExit(const AtExit&) = delete;
    AtExit& operator=(const AtExit&) = delete;
    ~AtExit() { function(); }
};

}  // namespace

ApplicationWatch::ApplicationWatch(asio::any_io_executor strand, WorkPaths paths,
                                   BackendContext context, std::shared_ptr<EventSink> sink)
    : strand_(std::move(strand)),
      paths_(std::move(paths)),
      context_(std::move(context)),
      sink_(std::move(sink)),
      wake_(strand_, asio::steady_timer::time_point::max()) {}

void ApplicationWatch::adopt(const std::string& ticket) {
    if (!stopped_ && !followers_.contains(ticket)) {
        start_follower(ticket);
    }
}

std::shared_ptr<ApplicationWatch::Follower> ApplicationWatch::start_follower(
    const std::string& ticket) {
    auto follower = std::make_shared<Follower>(strand_, ticket);
    followers_.emplace(ticket, follower);
    asio::co_spawn(strand_, follow(shared_from_this(), follower), asio::detached);
    return follower;
}

void ApplicationWatch::report(Follower& follower) {
    follower.reported = true;
    sink_->status(follower.tracker.status());
}

void ApplicationWatch::take_snapshot(const std::vector<Observation>& all) {
    for (const auto& seen : all) {
        auto found = followers_.find(seen.ticket);
        if (found != followers_.end()) {
            absorb(*found->second, seen);
            continue;
        }
        Follower follower(strand_, seen.ticket);
        absorb(follower, seen);
        if (!follower.tracker.has_ended()) {
            start_follower(seen.ticket)->tracker = follower.tracker;
        }
    }
}

/// Reports what is new; true when there is nothing more to come.
bool ApplicationWatch::absorb(Follower& follower, const Observation& seen) {
    if (!seen.claim) {
        return true;
    }
    const ApplicationStatus before = follower.tracker.status();
    apply_observation(follower.tracker, seen);
    if (!follower.reported || follower.tracker.status() != before) {
        report(follower);
    }
    return follower.tracker.has_ended();
}

void ApplicationWatch::stop() {
    stopped_ = true;
    for (auto& [ticket, follower] : followers_) {
        boost::system::error_code ignored;
        follower->control.close(ignored);
        follower->pause.cancel();
    }
}

void ApplicationWatch::follower_has_left(const std::string& ticket) {
    followers_.erase(ticket);
    if (stopped_ && followers_.empty()) {
        wake_.cancel();
    }
}

void ApplicationWatch::warn(const std::string& message) const {
    if (context_.log) {
        context_.log(LogEvent{LogLevel::warning, "local", message});
    }
}

asio::awaitable<void> ApplicationWatch::follow(std::shared_ptr<ApplicationWatch> watch,
                                               std::shared_ptr<Follower> follower) {
    const std::string ticket = follower->tracker.status().ticket;
    AtExit leave([watch, ticket] { watch->follower_has_left(ticket); });
    Look look = Look::connect;
    auto pause = first_pause;
    while (!watch->stopped_) {
        auto observe = [paths = watch->paths_, ticket, look, now = watch->context_.clock->now()] {
            return observe_ticket(paths, ticket, look, now);
        };
        Result<Observation> seen =
            co_await run_blocking(watch->context_.blocking_executor, std::move(observe));
        if (watch->stopped_) {
            co_return;
        }
        if (!seen) {
            watch->warn(ticket + ": " + seen.error().text());
        } else if (watch->absorb(*follower, *seen)) {
            co_return;
        } else if (seen->control) {
            boost::system::error_code failed;
            follower->control.assign(asio::local::stream_protocol(), seen->control->get(), failed);
            if (!failed) {
                seen->control->release();
                Stream stream = co_await read_stream(watch, follower);
                // the last line is taken from the file, together with what the log says about it
                look = stream == Stream::ended ? Look::read_only : Look::connect;
                if (stream != Stream::idle) {
                    pause = first_pause;
                    continue;
                }
            }
        } else {
            look = Look::connect;
        }
        follower->pause.expires_after(pause);
        pause = std::min(pause * 2, longest_pause);
        boost::system::error_code ignored;
        co_await follower->pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

asio::awaitable<ApplicationWatch::Stream> ApplicationWatch::read_stream(
    std::shared_ptr<ApplicationWatch> watch, std::shared_ptr<Follower> follower) {
    std::array<char, 4096> buffer;
    std::string pending;
    Stream result = Stream::idle;
    while (!watch->stopped_) {
        boost::system::error_code failed;
        std::size_t got = co_await follower->control.async_read_some(
            asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, failed));
        if (failed || watch->stopped_) {
            break;
        }
        pending.append(buffer.data(), got);
        for (const auto& entry : take_journal_entries(pending)) {
            if (entry.word == JournalWord::ended) {
                result = Stream::ended;
                break;
            }
            if (follower->tracker.apply(entry)) {
                watch->report(*follower);
            }
            result = Stream::broken;
        }
        if (result == Stream::ended) {
            break;
        }
    }
    boost::system::error_code ignored;
    follower->control.close(ignored);
    co_return result;
}

asio::awaitable<void> ApplicationWatch::drain(std::shared_ptr<ApplicationWatch> watch) {
    watch->stop();
    while (!watch->followers_.empty()) {
        boost::system::error_code ignored;
        co_await watch->wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

Awaitable<void> ApplicationWatch::run(std::shared_ptr<ApplicationWatch> watch) {
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto look = [paths = watch->paths_] { return observe_all(paths); };
    Result<std::vector<Observation>> all =
        co_await run_blocking(watch->context_.blocking_executor, std::move(look));
    auto cancellation = co_await asio::this_coro::cancellation_state;
    Result<void> result = ok();
    if (!all) {
        result = all.error();
    } else if (cancellation.cancelled() == asio::cancellation_type::none) {
        watch->take_snapshot(*all);
        watch->sink_->snapshot_complete();
        boost::system::error_code ignored;
        // completes by cancellation only
        co_await watch->wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_await drain(watch);
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return result;
}

}  // namespace sparkhost::detail::local
