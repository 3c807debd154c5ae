// SPDX-License-Identifier: Apache-2.0
//
// A host is a guest in the application's process: it leaves signals, descriptors, output and
// everything else that belongs to the process as it found them, and has only the threads that
// HostOptions promises.
#include "integration/process_view.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <sparkhost/backends/local.hpp>
#include <sparkhost/host.hpp>
#include <sparkhost/storages/memory.hpp>
#include <sparkhost/storages/sqlite.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

namespace {

namespace asio = boost::asio;
using sparkhost::Host;
using sparkhost::HostOptions;
using sparkhost::HostPlugins;
using sparkhost::test::OutputCapture;
using sparkhost::test::ProcessView;
using sparkhost::test::TempDir;
using sparkhost::testing::FakeCluster;

HostPlugins fake_plugins(const TempDir& dir, std::string_view store = "jobs.db") {
    auto cluster = std::make_shared<FakeCluster>();
    cluster->set_pace(FakeCluster::Pace::runs_through);
    HostPlugins plugins;
    plugins.storage = sparkhost::make_sqlite_storage({.path = dir / store});
    plugins.backends.push_back(sparkhost::testing::make_fake_backend(cluster));
    return plugins;
}

/// The local backend on a Spark whose Java is a shell script that says something and fails.
HostPlugins local_plugins(asio::any_io_executor executor, const TempDir& dir) {
    namespace fs = std::filesystem;
    dir.write("spark/jars/spark-core_2.12-3.5.9.jar", "");
    dir.write("java/release", "JAVA_VERSION=\"17.0.1\"\n");
    const auto java = dir.write("java/bin/java", "#!/bin/sh\necho out; echo err >&2; exit 3\n");
    fs::permissions(java, fs::perms::owner_all);
    dir.write("app.py", "");
    sparkhost::LocalBackendOptions options{
        .work_dir = dir / "work", .spark_home = dir / "spark", .java_home = dir / "java"};
    options.class_data_archive = sparkhost::ClassDataArchive::off;
    HostPlugins plugins;
    plugins.storage = sparkhost::make_sqlite_storage({.path = dir / "jobs.db"});
    plugins.backends.push_back(sparkhost::make_local_backend(executor, std::move(options)));
    return plugins;
}

/// Submits a batch, waits for its end, looks at the process in the middle of the host's life.
asio::awaitable<ProcessView> one_batch(Host& host, std::string file) {
    sparkhost::BatchSpec spec{.file = std::move(file)};
    const auto batch = (co_await host.submit(std::move(spec))).value();
    const auto end = (co_await host.wait(batch.id)).value();
    BOOST_TEST(end.has_ended());
    co_return ProcessView::now();
}

/// Runs a host from beginning to end on an io_context of its own; then joins the lent pool, whose
/// threads may know the context until they have put away what they did for it.
ProcessView live(const TempDir& dir, HostOptions options, bool local,
                 asio::thread_pool* lent = nullptr) {
    asio::io_context io(1);
    auto plugins = local ? local_plugins(io.get_executor(), dir) : fake_plugins(dir);
    Host host(io.get_executor(), std::move(options), std::move(plugins));
    ProcessView during;
    std::optional<std::string> problem;
    asio::co_spawn(io, host.run(), [&](std::exception_ptr, sparkhost::Result<void> result) {
        problem = result ? "" : result.error().text();
    });
    asio::co_spawn(io, one_batch(host, dir / "app.py"), [&](std::exception_ptr, ProcessView view) {
        during = std::move(view);
        host.stop();
    });
    io.run_for(sparkhost::test::patience);
    if (lent != nullptr) {
        lent->join();
    }
    BOOST_TEST_REQUIRE(problem.has_value());
    BOOST_TEST(*problem == "");
    return during;
}

void check_same(const ProcessView& before, const ProcessView& now) {
    BOOST_TEST(now.signals == before.signals, boost::test_tools::per_element());
    BOOST_TEST(now.surroundings == before.surroundings, boost::test_tools::per_element());
    BOOST_TEST(now.children == before.children, boost::test_tools::per_element());
}

/// What must hold for a life of a host with these options.
void check_manners(HostOptions options, bool local, std::size_t threads) {
    TempDir dir;
    (void)live(TempDir(), {}, local);  // what libraries do once per process is not to be blamed
    OutputCapture output;
    const auto before = ProcessView::now();
    const auto during = live(dir, std::move(options), local);
    const auto after = ProcessView::now();
    const auto said = output.take();

    check_same(before, during);
    BOOST_TEST(during.threads.size() == before.threads.size() + threads);
    check_same(before, after);
    BOOST_TEST(after.threads == before.threads, boost::test_tools::per_element());
    BOOST_TEST(after.descriptors == before.descriptors, boost::test_tools::per_element());
    BOOST_TEST(said == "");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guest_manners)

BOOST_AUTO_TEST_CASE(a_host_has_only_the_threads_it_promises_and_leaves_nothing_behind) {
    check_manners({.blocking_threads = 2}, false, 2);
}

BOOST_AUTO_TEST_CASE(a_host_with_the_local_backend_leaves_nothing_behind_either) {
    check_manners({.blocking_threads = 3}, true, 3);
}

BOOST_AUTO_TEST_CASE(a_host_that_is_lent_an_executor_makes_no_thread) {
    TempDir dir;
    asio::thread_pool lent(1);
    const auto before = ProcessView::now();
    const auto during = live(dir, {.blocking_executor = lent.get_executor()}, true, &lent);
    BOOST_TEST(during.threads == before.threads, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_host_that_cannot_start_leaves_nothing_behind) {
    TempDir dir;
    OutputCapture output;
    const auto before = ProcessView::now();
    {
        asio::io_context io(1);
        HostPlugins plugins;
        plugins.storage = sparkhost::make_sqlite_storage({.path = dir / "missing/jobs.db"});
        plugins.backends.push_back(
            sparkhost::testing::make_fake_backend(std::make_shared<FakeCluster>()));
        Host host(io.get_executor(), {}, std::move(plugins));
        const auto result = sparkhost::test::run_on(io, [&] { return host.run(); });
        BOOST_TEST(result.has_error());
    }
    const auto after = ProcessView::now();
    const auto said = output.take();

    check_same(before, after);
    BOOST_TEST(after.threads == before.threads, boost::test_tools::per_element());
    BOOST_TEST(after.descriptors == before.descriptors, boost::test_tools::per_element());
    BOOST_TEST(said == "");
}

BOOST_AUTO_TEST_CASE(a_host_that_is_destroyed_without_a_stop_leaves_nothing_behind) {
    TempDir dir;
    const auto before = ProcessView::now();
    {
        asio::io_context io(1);
        {
            Host host(io.get_executor(), {}, fake_plugins(dir));
            asio::co_spawn(io, host.run(), [](std::exception_ptr, sparkhost::Result<void>) {});
            sparkhost::test::run_on(io, [&] { return one_batch(host, dir / "app.py"); });
        }
        sparkhost::test::drain(io);  // what is left of run() ends by itself
    }
    const auto after = ProcessView::now();
    BOOST_TEST(after.threads == before.threads, boost::test_tools::per_element());
    BOOST_TEST(after.descriptors == before.descriptors, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(several_hosts_live_in_one_process_and_do_not_disturb_each_other) {
    TempDir dir;
    const auto before = ProcessView::now();
    std::vector<ProcessView> seen;
    {
        asio::io_context io(1);
        std::vector<Host> hosts;
        for (const char* store : {"a.db", "b.db", "c.db"}) {
            hosts.emplace_back(io.get_executor(), HostOptions{.blocking_threads = 1},
                               fake_plugins(dir, store));
        }
        for (auto& host : hosts) {
            asio::co_spawn(io, host.run(), [](std::exception_ptr, sparkhost::Result<void>) {});
        }
        for (auto& host : hosts) {
            asio::co_spawn(io, one_batch(host, "/app.py"),
                           [&](std::exception_ptr, ProcessView view) {
                               seen.push_back(std::move(view));
                               host.stop();
                           });
        }
        io.run_for(sparkhost::test::patience);
        BOOST_TEST(io.stopped());
        std::set<std::string> stores;
        for (auto& host : hosts) {
            stores.insert(host.status().store_uuid);
        }
        BOOST_TEST(stores.size() == 3u);
    }
    BOOST_TEST_REQUIRE(seen.size() == 3u);
    BOOST_TEST(seen.front().threads.size() <= before.threads.size() + 3);
    const auto after = ProcessView::now();
    check_same(before, after);
    BOOST_TEST(after.threads == before.threads, boost::test_tools::per_element());
    BOOST_TEST(after.descriptors == before.descriptors, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_store_belongs_to_one_host_at_a_time_also_within_a_process) {
    TempDir dir;
    asio::io_context io(1);
    Host first(io.get_executor(), {}, fake_plugins(dir));
    Host second(io.get_executor(), {}, fake_plugins(dir));
    asio::co_spawn(io, first.run(), [](std::exception_ptr, sparkhost::Result<void>) {});
    BOOST_TEST(sparkhost::test::run_on(io, [&] { return first.ready(); }).has_value());

    const auto refused = sparkhost::test::run_on(io, [&] { return second.run(); });

    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().is(sparkhost::Errc::storage_failed));
    first.stop();
    sparkhost::test::drain(io);
}

BOOST_AUTO_TEST_SUITE_END()
