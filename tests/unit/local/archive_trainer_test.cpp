// SPDX-License-Identifier: Apache-2.0
#include "unit/local/local_harness.hpp"

#include "backends/local/folder_events.hpp"
#include "backends/local/process_identity.hpp"

#include <sparkhost/host.hpp>
#include <sparkhost/storages/memory.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <optional>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace sparkhost::test {

namespace {

/// A harness that trains, with a program that is no Python but there.
struct TrainingHarness : LocalHarness {
    TrainingHarness() {
        options.class_data_archive = ClassDataArchive::automatic;
        options.archive_dir = (dir / "archives").string();
        options.python = "/bin/sh";
    }
    std::string archive() const {
        for (const auto& entry : std::filesystem::directory_iterator(dir / "archives")) {
            if (entry.path().extension() == ".jsa") {
                return entry.path().string();
            }
        }
        return {};
    }
    std::string launch_file(const Ticket& ticket) const {
        return read_text(ticket_folder(ticket) / "launch");
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(archive_trainer)

BOOST_AUTO_TEST_CASE(the_archive_is_made_after_the_first_launch_and_used_by_the_next) {
    TrainingHarness harness;
    auto first_host = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        auto events = std::make_shared<detail::local::FolderEvents>();
        detail::local::FolderEvents::Subscription archives(events, strand,
                                                           harness.options.archive_dir);
        BOOST_TEST(harness.archive() == "");
        Ticket first = co_await launch(harness, *backend, "exit 0");
        co_await watch.sink->end(first.id);
        BOOST_TEST(harness.launch_file(first).find("-XX:SharedArchiveFile") == std::string::npos);
        while (harness.archive().empty()) {
            co_await archives.wait();
        }
        Ticket second = co_await launch(harness, *backend, "exit 0");
        co_await watch.sink->end(second.id);
        BOOST_TEST(harness.launch_file(second).find("-XX:SharedArchiveFile=" + harness.archive()) !=
                   std::string::npos);
        auto other = harness.request("exit 0");
        other.spec.conf["spark.driver.extraClassPath"] = "/x.jar";
        Ticket third = co_await launch(*backend, other);
        co_await watch.sink->end(third.id);
        BOOST_TEST(harness.launch_file(third).find("-XX:SharedArchiveFile") == std::string::npos);
        co_await watch.stop();
    };
    run(first_host);
    BOOST_TEST(!std::filesystem::exists(harness.dir / "archives/training"));
}

BOOST_AUTO_TEST_CASE(the_end_of_watch_kills_the_training) {
    TrainingHarness harness;
    BOOST_TEST_REQUIRE(::mkfifo((harness.dir / "training-gate").c_str(), 0600) == 0);
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        auto events = std::make_shared<detail::local::FolderEvents>();
        detail::local::FolderEvents::Subscription folder(events, strand,
                                                         harness.dir.path().string());
        Ticket ticket = co_await launch(harness, *backend, "exit 0");
        co_await watch.sink->end(ticket.id);
        while (read_text(harness.dir / "training").empty()) {
            co_await folder.wait();
        }
        co_await watch.stop();
    };
    run(script);
    const auto pid = std::stoi(read_text(harness.dir / "training"));
    auto stat = detail::read_process_stat(pid);
    BOOST_TEST((!stat || stat->state == 'Z'));
    BOOST_TEST(harness.archive() == "");
    BOOST_TEST(!std::filesystem::exists(harness.dir / "archives/training"));
}

BOOST_AUTO_TEST_CASE(a_host_that_stops_during_the_training_ends) {
    TrainingHarness harness;
    BOOST_TEST_REQUIRE(::mkfifo((harness.dir / "training-gate").c_str(), 0600) == 0);
    asio::io_context io(1);
    HostPlugins plugins;
    plugins.storage = make_memory_storage();
    plugins.backends.push_back(make_local_backend(io.get_executor(), harness.options));
    Host host(io.get_executor(), {}, std::move(plugins));  // its pool ends before the training
    std::optional<Result<void>> ended;
    asio::co_spawn(io, host.run(),
                   [&](std::exception_ptr, Result<void> result) { ended = std::move(result); });
    auto until_it_trains = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto events = std::make_shared<detail::local::FolderEvents>();
        detail::local::FolderEvents::Subscription folder(events, strand,
                                                         harness.dir.path().string());
        auto submitted = co_await host.submit(harness.request("exit 0").spec);
        require_ok(submitted);
        require_ok(co_await host.wait(submitted->id));
        while (read_text(harness.dir / "training").empty()) {
            co_await folder.wait();
        }
    };
    run_on(io, until_it_trains);
    host.stop();
    drain(io);
    BOOST_TEST_REQUIRE(ended.has_value());
    require_ok(*ended);
    BOOST_TEST(!std::filesystem::exists(harness.dir / "archives/training"));
}

BOOST_AUTO_TEST_CASE(while_another_host_trains_this_one_does_not) {
    TrainingHarness harness;
    std::filesystem::create_directories(harness.dir / "archives");
    const int lock =
        ::open((harness.dir / "archives/training.lock").c_str(), O_RDWR | O_CREAT, 0600);
    BOOST_TEST_REQUIRE(::flock(lock, LOCK_EX) == 0);
    auto script = [&]() -> asio::awaitable<void> {
        auto strand = co_await asio::this_coro::executor;
        auto backend = co_await harness.open();
        RunningWatch watch(*backend, strand);
        Ticket ticket = co_await launch(harness, *backend, "exit 0");
        co_await watch.sink->end(ticket.id);
        co_await watch.stop();
    };
    run(script);
    ::close(lock);
    BOOST_TEST(harness.archive() == "");
    BOOST_TEST(!std::filesystem::exists(harness.dir / "training"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::test
