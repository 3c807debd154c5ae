// SPDX-License-Identifier: Apache-2.0
//
// 01: submit a batch to Spark on this machine and wait for its end.
//
// You learn: what a Host is made of (an executor, a storage, a backend), that it works inside
//   run() and nowhere else, and that an accepted batch is durable and its end is pushed to you.
// How to run: 01_submit_and_wait SPARK_HOME PYTHON examples/spark/pi.py [ARGUMENT]...
//   Keeps its data in ./example-data. Run it again: the store goes on counting.
// Expected output:
//   accepted: batch 0 is durable now
//   ended: success, exit code 0, application local-…
//     accepted …
//     admitted …
//     submitted …
//     process_started …
//     context_up …
//     ended …
//   Pi is roughly 3.1…
#include <sparkhost/backends/local.hpp>
#include <sparkhost/host.hpp>
#include <sparkhost/storages/sqlite.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <iostream>

namespace asio = boost::asio;

asio::awaitable<void> submit_and_wait(sparkhost::Host& host, sparkhost::BatchSpec spec) {
    const auto batch = (co_await host.submit(std::move(spec))).value();
    std::cout << "accepted: batch " << batch.id.value << " is durable now\n";

    const auto end = (co_await host.wait(batch.id)).value();  // pushed, not polled
    std::cout << "ended: " << to_string(end.state()) << ", exit code " << end.exit_code.value_or(-1)
              << ", application " << end.application_id << '\n';
    for (const auto& entry : end.timeline) {
        std::cout << "  " << entry.what << " after " << (entry.at - end.created).count() << " ms\n";
    }

    sparkhost::BatchLogRequest request{.id = batch.id, .limit = 10'000};
    const auto log = (co_await host.read_log(request)).value();
    for (const auto& line : log.lines) {
        if (line.starts_with("Pi is")) {
            std::cout << line << '\n';
        }
    }
    host.stop();
}

int main(int argc, char** argv) try {
    if (argc < 4) {
        std::cerr << "usage: 01_submit_and_wait SPARK_HOME PYTHON FILE [ARGUMENT]...\n";
        return 2;
    }
    const auto data = std::filesystem::current_path() / "example-data";
    std::filesystem::create_directories(data);

    asio::io_context io;  // the application's own event loop; the host is a guest on it
    sparkhost::LocalBackendOptions local{
        .work_dir = data / "local", .spark_home = argv[1], .python = argv[2]};
    sparkhost::HostPlugins plugins;
    plugins.storage = sparkhost::make_sqlite_storage({.path = data / "jobs.db"});
    plugins.backends.push_back(sparkhost::make_local_backend(io.get_executor(), std::move(local)));
    sparkhost::Host host(io.get_executor(), {.max_running = 2}, std::move(plugins));

    const auto rethrow = [](std::exception_ptr failure, auto&&...) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    };
    sparkhost::BatchSpec spec{.file = std::filesystem::absolute(argv[3]),
                              .args = {argv + 4, argv + argc}};
    asio::co_spawn(io, host.run(), rethrow);  // everything the host does lives in here
    asio::co_spawn(io, submit_and_wait(host, std::move(spec)), rethrow);
    io.run();
} catch (const std::exception& failure) {
    std::cerr << "01_submit_and_wait: " << failure.what() << '\n';
    return 1;
}
