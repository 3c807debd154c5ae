// SPDX-License-Identifier: Apache-2.0
//
// 05: write a backend of your own, and try it on a clock that you move by hand.
//
// You learn: what each of a backend's calls has to do, that it reports to the sink of watch(),
//   and how the test kit's ManualClock turns minutes into nothing.
// How to run: 05_custom_backend  (needs no Spark: this backend boils eggs)
// Expected output:
//   batch 0 is running: the water boils
//   4 minutes later batch 0 is running
//   5 minutes later batch 0 is success: the egg is hard
//   its timeline says it took 300 s
#include <sparkhost/host.hpp>
#include <sparkhost/storages/memory.hpp>
#include <sparkhost/testing/manual_clock.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <iostream>
#include <map>

namespace asio = boost::asio;
using namespace std::chrono_literals;
using sparkhost::ApplicationState, sparkhost::Awaitable, sparkhost::Outcome, sparkhost::Ticket;

/// Boils an egg for five minutes instead of running Spark. All calls come on the host's strand.
class EggBackend final : public sparkhost::Backend {
public:
    Traits traits() const override { return {.name = "kitchen"}; }

    Awaitable<void> open(sparkhost::BackendContext context) override {
        kitchen_->clock = context.clock;  // a manual one in tests
        co_return sparkhost::ok();
    }

    /// The ticket must be known before anything starts, and be the same name for ever.
    Awaitable<Ticket> reserve(sparkhost::SubmitRequest request) override {
        if (!request.spec.file.ends_with(".egg")) {
            co_return sparkhost::Error(sparkhost::Errc::invalid_argument, "must be an egg", "file");
        }
        Ticket ticket{.id = request.subject + "-" + std::to_string(request.attempt)};
        co_return ticket;
    }

    /// May be called again with the same ticket: there is still only one egg.
    Awaitable<void> submit(sparkhost::SubmitRequest, Ticket ticket) override {
        if (!kitchen_->eggs.contains(ticket.id)) {
            kitchen_->report({.ticket = ticket.id, .state = ApplicationState::submitted});
            auto executor = co_await asio::this_coro::executor;
            asio::co_spawn(executor, boil(kitchen_, ticket.id), asio::detached);
        }
        co_return sparkhost::ok();
    }

    /// First what is known, then each change, until cancelled.
    Awaitable<void> watch(std::shared_ptr<sparkhost::EventSink> sink) override {
        for (const auto& [ticket, egg] : kitchen_->eggs) {
            sink->status(egg);
        }
        sink->snapshot_complete();
        kitchen_->sink = sink;
        asio::steady_timer never(co_await asio::this_coro::executor, sparkhost::SteadyTime::max());
        boost::system::error_code canceled;
        co_await never.async_wait(asio::redirect_error(asio::use_awaitable, canceled));
        kitchen_->sink.reset();
        co_return sparkhost::ok();
    }

    Awaitable<void> kill(Ticket ticket) override {
        kitchen_->end(ticket.id, Outcome::killed, "taken off the stove");
        co_return sparkhost::ok();
    }

    Awaitable<void> release(ReleaseRequest request) override {
        kitchen_->eggs.erase(request.ticket.id);
        co_return sparkhost::ok();
    }

private:
    struct Kitchen {  // outlives the backend while an egg is on the stove
        std::shared_ptr<sparkhost::Clock> clock{};
        std::shared_ptr<sparkhost::EventSink> sink{};
        std::map<std::string, sparkhost::ApplicationStatus> eggs{};
        void report(sparkhost::ApplicationStatus status) {
            auto& egg = eggs[status.ticket];
            egg = egg.state == ApplicationState::ended ? egg : status;  // a report never goes back
            if (sink) {
                sink->status(egg);
            }
        }
        void end(std::string ticket, Outcome outcome, std::string reason) {
            sparkhost::ApplicationStatus egg{.ticket = std::move(ticket)};
            egg.state = ApplicationState::ended;
            egg.outcome = outcome;
            egg.reason = std::move(reason);
            report(std::move(egg));
        }
    };

    static asio::awaitable<void> boil(std::shared_ptr<Kitchen> kitchen, std::string ticket) {
        kitchen->report({.ticket = ticket, .state = ApplicationState::started});
        co_await kitchen->clock->sleep_until(kitchen->clock->steady_now() + 5min);
        if (kitchen->eggs.contains(ticket)) {  // else killed and released meanwhile
            kitchen->end(ticket, Outcome::success, "the egg is hard");
        }
    }

    std::shared_ptr<Kitchen> kitchen_{std::make_shared<Kitchen>()};
};

asio::awaitable<void> boil_one(sparkhost::Host& host,
                               std::shared_ptr<sparkhost::testing::ManualClock> clock) {
    sparkhost::BatchSpec spec{.file = "/kitchen/brown.egg"};
    auto batch = (co_await host.submit(std::move(spec))).value();
    sparkhost::ChangeRequest started{.id = batch.id, .not_state = sparkhost::BatchState::starting};
    batch = (co_await host.wait_for_change(started)).value();
    std::cout << "batch 0 is " << to_string(batch.state()) << ": the water boils\n";

    clock->advance(4min);
    batch = (co_await host.find(batch.id)).value();
    std::cout << "4 minutes later batch 0 is " << to_string(batch.state()) << '\n';

    clock->advance(1min);
    batch = (co_await host.wait(batch.id)).value();
    std::cout << "5 minutes later batch 0 is " << to_string(batch.state()) << ": " << batch.reason
              << "\nits timeline says it took " << (batch.timeline.back().at - batch.created) / 1s
              << " s\n";
    host.stop();
}

int main() {
    asio::io_context io;
    auto clock = std::make_shared<sparkhost::testing::ManualClock>();
    sparkhost::HostPlugins plugins{.storage = sparkhost::make_memory_storage(), .clock = clock};
    plugins.backends.push_back(std::make_unique<EggBackend>());
    sparkhost::Host host(io.get_executor(), {}, std::move(plugins));
    asio::co_spawn(io, host.run(), asio::detached);
    asio::co_spawn(io, boil_one(host, clock), [](std::exception_ptr failure) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    });
    io.run();
}
