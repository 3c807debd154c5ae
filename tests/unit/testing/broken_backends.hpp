// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_TESTING_BROKEN_BACKENDS_HPP
#define SPARKHOST_TESTS_UNIT_TESTING_BROKEN_BACKENDS_HPP

// Backends that break one rule each, so that the conformance kit can be seen to notice.

#include "support/fake_backend_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <set>
#include <stdexcept>

namespace sparkhost::testing::broken {

using World = std::shared_ptr<test::FakeWorld>;
using Inner = std::shared_ptr<Backend>;

struct StartsAgainWhenAsked : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        if (world_->cluster->starts(ticket.id) > 0) {
            ++world_->more_starts[ticket.id];
        }
        return PlayingBackend::submit(std::move(request), std::move(ticket));
    }
};

/// Knows what it has started, but only until it is made anew.
struct ForgetsAtRestart : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        if (mine_.insert(ticket.id).second && world_->cluster->starts(ticket.id) > 0) {
            ++world_->more_starts[ticket.id];
        }
        return PlayingBackend::submit(std::move(request), std::move(ticket));
    }
    std::set<std::string> mine_;
};

struct StartsWhenReserving : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return eager(inner_, world_, std::move(request));
    }
    static Awaitable<Ticket> eager(Inner inner, World world, SubmitRequest request) {
        auto ticket = co_await inner->reserve(request);
        auto started = co_await submit_and_play(inner, world, request, *ticket);
        (void)started;
        co_return ticket;
    }
};

struct LongTickets : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<Ticket> reserve(SubmitRequest request) override {
        return shout(inner_, std::move(request));
    }
    static Awaitable<Ticket> shout(Inner inner, SubmitRequest request) {
        auto ticket = co_await inner->reserve(request);
        ticket->id += std::string(60, 'X');
        co_return ticket;
    }
};

struct SubmitsAfterKill : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> submit(SubmitRequest request, Ticket ticket) override {
        return defy(inner_, world_, std::move(request), std::move(ticket));
    }
    static Awaitable<void> defy(Inner inner, World world, SubmitRequest request, Ticket ticket) {
        auto result = co_await submit_and_play(inner, world, request, ticket);
        if (!result) {
            world->tickets.emplace(request.spec.args.at(0), ticket.id);
            ++world->more_starts[ticket.id];
        }
        co_return ok();
    }
};

struct KillsOnlyOnce : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> kill(Ticket ticket) override {
        const bool first = killed_.insert(ticket.id).second;
        return first ? inner_->kill(std::move(ticket)) : refuse();
    }
    static Awaitable<void> refuse() { co_return Error(Errc::backend_failed, "refused"); }
    std::set<std::string> killed_;
};

struct IgnoresKill : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> kill(Ticket) override { return nothing(); }
    static Awaitable<void> nothing() { co_return ok(); }
};

struct ThrowsInKill : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> kill(Ticket) override { return explode(); }
    static Awaitable<void> explode() {
        throw std::runtime_error("boom");
        co_return ok();
    }
};

struct ReleasesKnownTicketsOnly : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> release(ReleaseRequest request) override {
        const bool known = world_->cluster->starts(request.ticket.id) > 0;
        return known ? inner_->release(std::move(request)) : KillsOnlyOnce::refuse();
    }
};

/// Changes what is said to the host.
struct TwistedSink : EventSink {
    explicit TwistedSink(std::shared_ptr<EventSink> to) : host(std::move(to)) {}
    void snapshot_begin() override { host->snapshot_begin(); }
    void status(ApplicationStatus report) override { host->status(std::move(report)); }
    void snapshot_complete() override { host->snapshot_complete(); }
    std::shared_ptr<EventSink> host;
};

template <class Sink>
struct Twisted : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        return inner_->watch(std::make_shared<Sink>(std::move(sink)));
    }
};

struct NeverComplete : TwistedSink {
    using TwistedSink::TwistedSink;
    void snapshot_complete() override {}
};

struct CompleteTwice : TwistedSink {
    using TwistedSink::TwistedSink;
    void snapshot_complete() override {
        host->snapshot_complete();
        host->snapshot_complete();
    }
};

struct GoesBack : TwistedSink {
    using TwistedSink::TwistedSink;
    void status(ApplicationStatus report) override {
        auto older = report;
        older.state = ApplicationState::submitted;
        older.outcome = Outcome::none;
        host->status(std::move(report));
        host->status(std::move(older));
    }
};

struct EndsWithoutOutcome : TwistedSink {
    using TwistedSink::TwistedSink;
    void status(ApplicationStatus report) override {
        report.outcome = Outcome::none;
        host->status(std::move(report));
    }
};

struct LosesExitCodes : TwistedSink {
    using TwistedSink::TwistedSink;
    void status(ApplicationStatus report) override {
        report.exit_code.reset();
        host->status(std::move(report));
    }
};

struct LosesApplicationIds : TwistedSink {
    using TwistedSink::TwistedSink;
    void status(ApplicationStatus report) override {
        report.application_id.clear();
        host->status(std::move(report));
    }
};

struct ReportsStrangers : TwistedSink {
    using TwistedSink::TwistedSink;
    void snapshot_complete() override {
        ApplicationStatus stranger;
        stranger.ticket = "somebody-elses-1";
        host->status(stranger);
        host->snapshot_complete();
    }
};

/// Leaves what has ended out of later snapshots.
struct ForgetsTheEnded : TwistedSink {
    using TwistedSink::TwistedSink;
    void status(ApplicationStatus report) override {
        if (complete_ || report.state != ApplicationState::ended) {
            host->status(std::move(report));
        }
    }
    void snapshot_complete() override {
        complete_ = true;
        host->snapshot_complete();
    }
    bool complete_{false};
};

/// Goes on talking after the watch.
struct TalksOn : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        sink_ = sink;
        return inner_->watch(std::move(sink));
    }
    Awaitable<void> kill(Ticket ticket) override {
        ApplicationStatus report;
        report.ticket = ticket.id;
        if (sink_) {
            sink_->status(report);
        }
        return inner_->kill(std::move(ticket));
    }
    std::shared_ptr<EventSink> sink_;
};

struct IgnoresCancellation : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> watch(std::shared_ptr<EventSink> sink) override {
        return deaf(inner_, std::move(sink));
    }
    static Awaitable<void> deaf(Inner inner, std::shared_ptr<EventSink> sink) {
        const auto executor = co_await boost::asio::this_coro::executor;
        boost::asio::co_spawn(executor, inner->watch(std::move(sink)),
                              [inner](std::exception_ptr, Result<void>) {});
        boost::asio::steady_timer never(executor, boost::asio::steady_timer::time_point::max());
        auto unheard = boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(),
                                                           boost::asio::use_awaitable);
        co_await never.async_wait(unheard);
        co_return ok();
    }
};

/// Changes what is asked of the log.
struct LogTwister : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    virtual void twist(LogRequest& request) = 0;
    Awaitable<LogPage> read_log(LogRequest request) override {
        twist(request);
        return inner_->read_log(std::move(request));
    }
};

struct IgnoresOffsets : LogTwister {
    using LogTwister::LogTwister;
    void twist(LogRequest& request) override { request.offset = 0; }
};

struct IgnoresLimits : LogTwister {
    using LogTwister::LogTwister;
    void twist(LogRequest& request) override { request.limit = 1000; }
};

struct IgnoresMaxBytes : LogTwister {
    using LogTwister::LogTwister;
    void twist(LogRequest& request) override { request.max_bytes = 1000; }
};

struct NeverFollows : LogTwister {
    using LogTwister::LogTwister;
    void twist(LogRequest& request) override { request.follow = false; }
};

struct KeepsEveryLog : test::PlayingBackend {
    using PlayingBackend::PlayingBackend;
    Awaitable<void> release(ReleaseRequest request) override {
        request.keep_log = true;
        return inner_->release(std::move(request));
    }
};

}  // namespace sparkhost::testing::broken

#endif
