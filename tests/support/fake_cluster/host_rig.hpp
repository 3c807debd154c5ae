// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_HOST_RIG_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_CLUSTER_HOST_RIG_HPP

#include "support/temp_dir.hpp"
#include "unit/core/host_fixture.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::test {

/// A host on a fake cluster. It can die at any moment; the next one finds its store. Its clock
/// goes on by itself while nothing happens, so no retry is waited for. Beside `Fake` there are
/// `options_on(fake, folder)` and `backend_on(fake, executor, options)`.
template <class Fake>
class HostRig {
public:
    HostRig() {
        backend = options_on(cluster, dir_);
        backend.request_deadline = std::chrono::seconds(20);
        host_options.max_running = 100'000;
    }
    ~HostRig() {
        cluster.with([](auto& c) {
            c.traffic.heal();
            c.traffic.drop_held();
        });
        if (life_.host) {
            life_.host->stop();
            until("the host to stop", [&] { return life_.running->done(); });
        }
        for (auto* each : lives()) {
            each->host.reset();
        }
    }

    void start() {
        HostPlugins plugins;
        plugins.storage = std::make_unique<host_test::CutStorage>(store_, life_.cut);
        plugins.backends.push_back(backend_on(cluster, life_.io->get_executor(), backend));
        plugins.clock = clock_;
        auto options = host_options;
        options.blocking_executor = life_.io->get_executor();
        life_.host.emplace(life_.io->get_executor(), std::move(options), std::move(plugins));
        life_.running = begin(life_.host->run());
        until("the host to be ready", [&] { return host().status().ready; });
    }
    /// Dies from one moment to the next: nothing it still has in mind happens any more.
    void crash() {
        *life_.cut = true;
        crashed_.push_back(std::exchange(life_, host_test::Life{}));
    }

    Host& host() { return *life_.host; }

    template <class T>
    host_test::PendingPtr<T> begin(Awaitable<T> call) {
        auto pending = std::make_shared<host_test::Pending<T>>();
        auto over = [pending](std::exception_ptr escaped, Result<T> answer) {
            pending->escaped = escaped;
            if (!escaped) {
                pending->answer = std::move(answer);
            }
        };
        boost::asio::co_spawn(
            *life_.io, std::move(call),
            boost::asio::bind_cancellation_slot(pending->cancel.slot(), std::move(over)));
        return pending;
    }
    template <class T>
    Result<T> ask(Awaitable<T> call) {
        auto pending = begin(std::move(call));
        until("an answer", [&] { return pending->done(); });
        return *pending->answer;
    }
    /// Lets the host live until this holds.
    void until(const std::string& what, const std::function<bool()>& holds) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!holds()) {
            life_.io->restart();
            if (life_.io->run_one_for(std::chrono::milliseconds(5)) == 0) {
                clock_->advance(std::chrono::milliseconds(500));
            }
            BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < end),
                               "waited in vain for " << what);
        }
    }

    BatchRecord find(BatchId id) { return ask(host().find(id)).value(); }
    std::vector<BatchRecord> all() { return ask(host().list(BatchQuery{})).value().batches; }
    std::size_t held() {
        return cluster.with([](auto& c) { return c.traffic.held(); });
    }

    Fake cluster{};
    decltype(options_on(std::declval<const Fake&>(), std::declval<const TempDir&>())) backend{};
    HostOptions host_options{};

private:
    std::vector<host_test::Life*> lives() {
        std::vector<host_test::Life*> found{&life_};
        for (auto& each : crashed_) {
            found.push_back(&each);
        }
        return found;
    }

    TempDir dir_{};
    std::shared_ptr<testing::ManualClock> clock_{std::make_shared<testing::ManualClock>()};
    std::shared_ptr<Storage> store_{make_memory_storage()};
    host_test::Life life_{};
    std::vector<host_test::Life> crashed_{};
};

}  // namespace sparkhost::test

#endif
