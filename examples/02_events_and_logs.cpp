// SPDX-License-Identifier: Apache-2.0
//
// 02: follow what happens to batches, and read a driver's output while it is written.
//
// You learn: events are numbered and durable, so a follower that comes later (or comes back)
//   resumes after any number; log lines have numbers that never change; nothing is polled.
// How to run: 02_events_and_logs SPARK_HOME PYTHON examples/spark/pi.py
//   Keeps its data in ./example-data.
// Expected output:
//   event 1: batch.accepted, starting
//   event 2: batch.reserved, starting
//   …
//   line …: Throwing 200000 darts in 2 partitions
//   …
//   line …: Pi is roughly 3.1…
//   …
//   event …: batch.ended, success
//   …
//   event …: batch.released, success
//   told again after event 1, from the store: batch.reserved
#include <sparkhost/backends/local.hpp>
#include <sparkhost/host.hpp>
#include <sparkhost/storages/sqlite.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <iostream>

namespace asio = boost::asio;

/// Prints every change of every batch until the first one has been released.
asio::awaitable<void> follow_events(sparkhost::Host& host) {
    auto follower = host.follow_events(0);  // 0: from the oldest event kept
    for (bool over = false; !over;) {
        const auto events = (co_await follower.next()).value();
        for (const auto& event : events) {
            std::cout << "event " << event.sequence << ": " << event.type << ", " << event.state
                      << std::endl;
            over = over || event.type == "batch.released";
        }
    }
    // a follower may begin anywhere: this one has seen event 1 already
    auto late = host.follow_events(1);
    const auto again = (co_await late.next()).value();
    std::cout << "told again after event 1, from the store: " << again.front().type << '\n';
    host.stop();
}

/// Prints the driver's output as it comes, up to its end.
asio::awaitable<void> follow_log(sparkhost::Host& host, sparkhost::BatchSpec spec) {
    const auto batch = (co_await host.submit(std::move(spec))).value();
    sparkhost::BatchLogRequest request{.id = batch.id, .follow = true};
    for (bool complete = false; !complete;) {
        const auto page = (co_await host.read_log(request)).value();  // waits for a line
        for (const auto& line : page.lines) {
            std::cout << "line " << request.offset++ << ": " << line << std::endl;
        }
        complete = page.complete && request.offset >= page.total;
    }
}

int main(int argc, char** argv) try {
    if (argc < 4) {
        std::cerr << "usage: 02_events_and_logs SPARK_HOME PYTHON FILE [ARGUMENT]...\n";
        return 2;
    }
    const auto data = std::filesystem::current_path() / "example-data";
    std::filesystem::create_directories(data);

    asio::io_context io;
    sparkhost::LocalBackendOptions local{
        .work_dir = data / "local", .spark_home = argv[1], .python = argv[2]};
    sparkhost::HostPlugins plugins;
    plugins.storage = sparkhost::make_sqlite_storage({.path = data / "jobs.db"});
    plugins.backends.push_back(sparkhost::make_local_backend(io.get_executor(), std::move(local)));

    // the library prints nothing; what its operator should know comes here
    sparkhost::HostOptions options{.log = [](const sparkhost::LogEvent& entry) {
        std::cerr << to_string(entry.level) << ' ' << entry.part << ": " << entry.message << '\n';
    }};
    sparkhost::Host host(io.get_executor(), std::move(options), std::move(plugins));

    const auto rethrow = [](std::exception_ptr failure, auto&&...) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    };
    sparkhost::BatchSpec spec{.file = std::filesystem::absolute(argv[3]),
                              .args = {argv + 4, argv + argc}};
    asio::co_spawn(io, host.run(), rethrow);
    asio::co_spawn(io, follow_events(host), rethrow);
    asio::co_spawn(io, follow_log(host, std::move(spec)), rethrow);
    io.run();
} catch (const std::exception& failure) {
    std::cerr << "02_events_and_logs: " << failure.what() << '\n';
    return 1;
}
