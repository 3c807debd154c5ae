// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_CORE_HOST_FIXTURE_HPP
#define SPARKHOST_TESTS_UNIT_CORE_HOST_FIXTURE_HPP

#include <sparkhost/host.hpp>
#include <sparkhost/storages/memory.hpp>
#include <sparkhost/testing/fake_backend.hpp>
#include <sparkhost/testing/faulty_storage.hpp>
#include <sparkhost/testing/manual_clock.hpp>

#include "support/printing.hpp"
#include "support/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::host_test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::FakeCluster;
using testing::ManualClock;
using testing::StorageFault;
using testing::StorageFaults;

/// A call under way whose answer a test looks at later.
template <class T>
struct Pending {
    asio::cancellation_signal cancel;
    std::optional<Result<T>> answer;
    std::exception_ptr escaped;
    bool done() const { return answer.has_value() || escaped; }
};
template <class T>
using PendingPtr = std::shared_ptr<Pending<T>>;

/// A storage that can be cut off: what a crashed host still asks reaches nothing.
class CutStorage final : public testing::StorageWrapper {
public:
    CutStorage(std::shared_ptr<Storage> inner, std::shared_ptr<bool> cut)
        : StorageWrapper(std::move(inner)), cut_(std::move(cut)) {}
    Awaitable<CommitResult> commit(Transaction transaction) override {
        return commit_unless_cut(inner_, cut_, std::move(transaction));
    }

private:
    static Awaitable<CommitResult> commit_unless_cut(std::shared_ptr<Storage> inner,
                                                     std::shared_ptr<bool> cut, Transaction what) {
        if (*cut) {
            co_return Error(Errc::storage_failed, "this host has crashed");
        }
        co_return co_await inner->commit(std::move(what));
    }
    std::shared_ptr<bool> cut_;
};

/// One life of a host: its context, its levers, and what run() gave. Everything runs on one
/// context in this thread, and only when asked to; the clock stands still.
struct Life {
    std::shared_ptr<asio::io_context> io{std::make_shared<asio::io_context>(1)};
    std::shared_ptr<StorageFaults> faults{std::make_shared<StorageFaults>()};
    std::shared_ptr<bool> cut{std::make_shared<bool>(false)};
    std::optional<Host> host;
    PendingPtr<void> running;
};

/// A store and a cluster that outlive hosts, and a host on them.
struct HostFixture {
    std::shared_ptr<ManualClock> clock{std::make_shared<ManualClock>()};
    std::shared_ptr<FakeCluster> cluster{std::make_shared<FakeCluster>()};
    std::shared_ptr<Storage> store{make_memory_storage()};
    HostOptions options{};
    std::vector<std::string> backend_names{"fake"};
    std::function<void(HostPlugins&)> add_plugins{};  ///< more than storage and backends
    std::function<bool()> move_others{};  ///< does what others can do now; whether there was any
    std::vector<std::string> logged;
    Life life;
    std::vector<Life> crashed;

    /// Makes the host without running it.
    void make() {
        HostPlugins plugins;
        plugins.storage = testing::make_faulty_storage(
            std::make_shared<CutStorage>(store, life.cut), life.faults);
        for (const auto& name : backend_names) {
            plugins.backends.push_back(testing::make_fake_backend(cluster, {.name = name}));
        }
        if (add_plugins) {
            add_plugins(plugins);
        }
        make_with(std::move(plugins));
    }
    void make_with(HostPlugins plugins) {
        plugins.clock = clock;
        HostOptions used = options;
        used.blocking_executor = life.io->get_executor();
        used.log = [this](const LogEvent& event) { logged.push_back(event.message); };
        life.host.emplace(life.io->get_executor(), std::move(used), std::move(plugins));
    }
    /// Runs it; opening included.
    void start() {
        if (!life.host) {
            make();
        }
        life.running = begin(life.host->run());
    }

    Host& host() { return *life.host; }
    asio::io_context& io() { return *life.io; }
    StorageFaults& faults() { return *life.faults; }

    /// Does all that can be done now.
    void settle() {
        io().restart();
        io().poll();
        while (move_others && move_others()) {
            io().restart();
            io().poll();
        }
    }
    /// Begins a call and does all that can be done now.
    template <class T>
    PendingPtr<T> begin(Awaitable<T> call) {
        auto pending = std::make_shared<Pending<T>>();
        auto over = [pending](std::exception_ptr escaped, Result<T> answer) {
            pending->escaped = escaped;
            if (!escaped) {
                pending->answer = std::move(answer);
            }
        };
        asio::co_spawn(io(), std::move(call),
                       asio::bind_cancellation_slot(pending->cancel.slot(), std::move(over)));
        settle();
        return pending;
    }
    template <class T>
    void cancel(const PendingPtr<T>& pending) {
        pending->cancel.emit(asio::cancellation_type::terminal);
        settle();
    }
    /// The answer of a call that needs nobody's help.
    template <class T>
    Result<T> ask(Awaitable<T> call) {
        auto pending = begin(std::move(call));
        if (pending->escaped) {
            std::rethrow_exception(pending->escaped);
        }
        BOOST_TEST_REQUIRE(pending->done(), "the call is still waiting");
        return *pending->answer;
    }
    void advance(std::chrono::milliseconds by) {
        clock->advance(by);
        settle();
    }

    static BatchSpec spec(std::string name = {}) {
        BatchSpec made;
        made.file = "/jobs/job.py";
        made.name = std::move(name);
        return made;
    }
    BatchRecord submit(BatchSpec wanted = spec()) {
        return ask(host().submit(std::move(wanted))).value();
    }
    BatchRecord find(BatchId id) { return ask(host().find(id)).value(); }
    std::string ticket(BatchId id) { return find(id).ticket; }
    BatchPhase phase(BatchId id) { return find(id).phase; }
    /// Brings a batch that has been submitted to its end.
    void finish(BatchId id, Outcome outcome = Outcome::success, int exit_code = 0) {
        cluster->end(ticket(id), outcome, exit_code);
        settle();
    }
    std::vector<Event> events_after(std::int64_t sequence) {
        std::vector<Event> all;
        auto follower = host().follow_events(sequence);
        while (follower.position() < host().status().last_sequence) {
            for (auto& event : ask(follower.next()).value()) {
                all.push_back(std::move(event));
            }
        }
        return all;
    }
    std::vector<std::string> event_types(BatchId id) {
        std::vector<std::string> types;
        for (const auto& event : events_after(0)) {
            if (event.batch == id) {
                types.push_back(event.type);
            }
        }
        return types;
    }

    /// Stops the host and lets run() complete.
    Result<void> stop() {
        life.host->stop();
        settle();
        BOOST_TEST_REQUIRE(life.running->done(), "run() does not complete");
        return *life.running->answer;
    }
    /// A tidy restart.
    void restart() {
        stop().value();
        next_life();
        start();
    }
    /// Lets go of a host that has stopped.
    void next_life() {
        life.host.reset();
        settle();
        life = Life{};
    }
    /// The host is gone from one moment to the next: its context never runs again (until it is
    /// cleared away at the end), nor does anything that it still asks of the store take effect.
    void crash() {
        *life.cut = true;
        crashed.push_back(std::exchange(life, Life{}));
    }

    ~HostFixture() {
        clear_away(life);
        for (auto& old : crashed) {
            clear_away(old);
        }
    }
    void clear_away(Life& old) {
        *old.cut = true;
        old.host.reset();  // as stop()
        for (const char* operation : {"open", "reserve", "submit", "kill", "release", "read_log"}) {
            cluster->let_go(operation);
            cluster->let_go(std::string(operation) + "_reply");
        }
        old.faults->let_go();
        old.io->restart();
        for (int round = 0; round < 100 && old.io->poll() != 0; ++round) {
        }
        if (old.running && !old.running->done()) {
            clock->advance(options.stop_grace);
        }
        old.io->restart();
        old.io->poll();
        BOOST_TEST((!old.running || old.running->done()), "a host was left that does not end");
    }
};

inline std::vector<std::string> timeline_of(const BatchRecord& record) {
    std::vector<std::string> steps;
    for (const auto& entry : record.timeline) {
        steps.push_back(entry.what);
    }
    return steps;
}

using Words = std::vector<std::string>;

}  // namespace sparkhost::host_test

#endif
