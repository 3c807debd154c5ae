// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/host.hpp>
#include <sparkhost/storages/memory.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <thread>
#include <vector>

// A host on a pool of threads, used from other threads at the same time. What ThreadSanitizer gets.

namespace sparkhost::host_test {

namespace threads_test {

namespace asio = boost::asio;

constexpr int callers = 4;
constexpr int rounds = 12;

BatchSpec spec() {
    BatchSpec made;
    made.file = "/jobs/job.py";
    return made;
}

/// Submits, waits, kills, lists, erases; gives how many ended.
asio::awaitable<int> work(Host& host, int caller) {
    int ended = 0;
    for (int round = 0; round < rounds; ++round) {
        auto wanted = spec();
        wanted.owner = "caller-" + std::to_string(caller);
        auto submitted = (co_await host.submit(std::move(wanted))).value();
        if (round % 3 == 1) {
            (void)(co_await host.kill(submitted.id)).value();
        }
        ChangeRequest change;
        change.id = submitted.id;
        change.seen_version = submitted.version;
        change.timeout = std::chrono::seconds(30);
        (void)co_await host.wait_for_change(change);
        auto end = (co_await host.wait(submitted.id)).value();
        ended += end.has_ended() ? 1 : 0;
        BatchLogRequest lines;
        lines.id = submitted.id;
        lines.follow = round % 2 == 0;
        (void)(co_await host.read_log(lines)).value();
        BatchQuery query;
        (void)(co_await host.list(query)).value();
        (void)host.status();
        if (round % 4 == 3) {
            (void)(co_await host.erase(submitted.id)).value();
        }
    }
    co_return ended;
}

/// Prepares sessions whose agents never come: their drivers end at once.
class SilentRuntime final : public SessionRuntime {
public:
    Traits traits() const override { return {"silent", {"pyspark"}}; }
    Awaitable<SubmitRequest> prepare(SessionRequest request) override {
        SubmitRequest launch;
        launch.subject = "session-" + std::to_string(request.id.value);
        launch.spec = std::move(request.session.spec);
        launch.spec.file = "/agent";
        co_return launch;
    }
    std::unique_ptr<Conversation> attach(AttachRequest) override { return nullptr; }
};

/// Opens, executes, follows, interrupts, lists, erases; gives how many ended.
asio::awaitable<int> converse(Host& host) {
    auto sessions = host.sessions();
    int ended = 0;
    for (int round = 0; round < rounds; ++round) {
        SessionSpec wanted;
        wanted.kind = "pyspark";
        const auto id = (co_await sessions.open(std::move(wanted))).value().id;
        StatementSpec code;
        code.code = "1";
        auto statement = co_await sessions.execute(id, std::move(code));
        if (statement) {
            const auto number = statement->spec.id;
            InterruptRequest interrupt;
            interrupt.statement = number;
            (void)(co_await sessions.interrupt(id, interrupt)).value();
            auto follower = sessions.follow_output(id, number);
            (void)(co_await follower.next()).value();
            const auto over = (co_await sessions.wait(id, number)).value();
            if (over.state() != StatementState::cancelled) {
                co_return -1;
            }
        }
        const auto end = (co_await sessions.wait(id)).value();
        ended += end.has_ended() ? 1 : 0;
        SessionQuery query;
        (void)(co_await sessions.list(query)).value();
        StatementQuery statements;
        statements.session = id;
        (void)(co_await sessions.list_statements(statements)).value();
        (void)host.status();
        (void)(co_await sessions.erase(id)).value();
    }
    co_return ended;
}

/// Follows until the host stops; gives how many events came, or -1 if one was missing.
asio::awaitable<int> follow(Host& host) {
    auto follower = host.follow_events(0);
    int seen = 0;
    for (;;) {
        auto events = co_await follower.next();
        if (!events) {
            co_return seen;
        }
        for (const auto& event : *events) {
            if (event.sequence != seen + 1) {
                co_return -1;
            }
            ++seen;
        }
    }
}

}  // namespace threads_test

BOOST_AUTO_TEST_SUITE(host_threads)

BOOST_AUTO_TEST_CASE(a_host_on_four_threads_serves_callers_on_others) {
    namespace asio = boost::asio;
    auto cluster = std::make_shared<testing::FakeCluster>();
    cluster->set_pace(testing::FakeCluster::Pace::runs_through);
    asio::thread_pool pool(4);
    HostPlugins plugins;
    plugins.storage = make_memory_storage();
    plugins.backends.push_back(testing::make_fake_backend(cluster));
    auto host = std::make_unique<Host>(pool.get_executor(), HostOptions{.max_running = 3},
                                       std::move(plugins));
    auto running = asio::co_spawn(pool, host->run(), asio::use_future);

    std::vector<std::future<int>> work;
    std::vector<std::thread> threads;
    std::vector<std::unique_ptr<asio::io_context>> contexts;
    for (int caller = 0; caller < threads_test::callers; ++caller) {
        auto& io = *contexts.emplace_back(std::make_unique<asio::io_context>(1));
        work.push_back(asio::co_spawn(io, threads_test::work(*host, caller), asio::use_future));
        threads.emplace_back([&io] { io.run(); });
    }
    auto followed = asio::co_spawn(pool, threads_test::follow(*host), asio::use_future);
    for (auto& each : work) {
        BOOST_TEST_REQUIRE((each.wait_for(test::patience) == std::future_status::ready));
        BOOST_TEST(each.get() == threads_test::rounds);
    }
    for (auto& thread : threads) {
        thread.join();
    }
    const auto last = host->status().last_sequence;
    host->stop();
    BOOST_TEST(running.get().has_value());
    BOOST_TEST(followed.get() > 0);
    BOOST_TEST(last > threads_test::callers * threads_test::rounds);
    for (const auto& ticket : cluster->submitted()) {
        BOOST_TEST(cluster->starts(ticket) <= 1u);
    }
    host.reset();
    pool.join();
}

BOOST_AUTO_TEST_CASE(stop_from_another_thread_in_the_middle_of_things_ends_everything) {
    namespace asio = boost::asio;
    for (int round = 0; round < 10; ++round) {
        auto cluster = std::make_shared<testing::FakeCluster>();
        cluster->set_pace(testing::FakeCluster::Pace::runs_through);
        asio::thread_pool pool(4);
        HostPlugins plugins;
        plugins.storage = make_memory_storage();
        plugins.backends.push_back(testing::make_fake_backend(cluster));
        Host host(pool.get_executor(), HostOptions{}, std::move(plugins));
        auto running = asio::co_spawn(pool, host.run(), asio::use_future);
        std::vector<std::future<Result<BatchRecord>>> calls;
        for (int i = 0; i < 20; ++i) {
            calls.push_back(
                asio::co_spawn(pool, host.submit(threads_test::spec()), asio::use_future));
            if (i == round * 2) {
                std::thread([&host] { host.stop(); }).join();
            }
        }
        BOOST_TEST(running.get().has_value());
        for (auto& call : calls) {
            const auto answer = call.get();
            BOOST_TEST((answer.has_value() || answer.error().is(Errc::stopped)));
        }
        pool.join();
    }
}

BOOST_AUTO_TEST_CASE(sessions_of_a_host_on_four_threads_are_used_from_others) {
    namespace asio = boost::asio;
    auto cluster = std::make_shared<testing::FakeCluster>();
    cluster->set_pace(testing::FakeCluster::Pace::runs_through);
    const test::TempDir dir;
    asio::thread_pool pool(4);
    HostPlugins plugins;
    plugins.storage = make_memory_storage();
    plugins.backends.push_back(testing::make_fake_backend(cluster));
    plugins.runtimes.push_back(std::make_unique<threads_test::SilentRuntime>());
    auto host = std::make_unique<Host>(pool.get_executor(),
                                       HostOptions{.agent_folder = (dir / "sessions").string()},
                                       std::move(plugins));
    auto running = asio::co_spawn(pool, host->run(), asio::use_future);
    std::vector<std::future<int>> work;
    std::vector<std::thread> threads;
    std::vector<std::unique_ptr<asio::io_context>> contexts;
    for (int caller = 0; caller < threads_test::callers; ++caller) {
        auto& io = *contexts.emplace_back(std::make_unique<asio::io_context>(1));
        work.push_back(asio::co_spawn(io, threads_test::converse(*host), asio::use_future));
        threads.emplace_back([&io] { io.run(); });
    }
    for (auto& each : work) {
        BOOST_TEST_REQUIRE((each.wait_for(test::patience) == std::future_status::ready));
        BOOST_TEST(each.get() == threads_test::rounds);
    }
    for (auto& thread : threads) {
        thread.join();
    }
    host->stop();
    BOOST_TEST(running.get().has_value());
    pool.join();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::host_test
