// SPDX-License-Identifier: Apache-2.0
//
// 04: signals belong to the application; stopping a host does not stop its batches.
//
// You learn: the host installs no signal handler, so you decide what SIGTERM means; stop()
//   releases whoever waits, run() completes when all is put away, and the next host on the same
//   store takes up what is still running - without starting it a second time.
// How to run: 04_graceful_shutdown  (needs no Spark: the cluster is the test kit's)
//   Keeps its data in ./example-data.
// Expected output:
//   first host: batch 0 is running
//   signal 15: stopping the host
//   the wait was released: the host is stopping
//   first host: run() has completed
//   second host: batch 0 is running
//   second host: batch 0 ended as success, started 1 time
#include <sparkhost/host.hpp>
#include <sparkhost/storages/sqlite.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <filesystem>
#include <iostream>

namespace asio = boost::asio;
using sparkhost::testing::FakeCluster;

constexpr sparkhost::BatchId first_batch{0};

sparkhost::Host make_host(asio::io_context& io, const std::shared_ptr<FakeCluster>& cluster,
                          const std::filesystem::path& data) {
    sparkhost::HostPlugins plugins;
    plugins.storage = sparkhost::make_sqlite_storage({.path = data / "jobs.db"});
    plugins.backends.push_back(sparkhost::testing::make_fake_backend(cluster));
    return {io.get_executor(), {}, std::move(plugins)};
}

/// Completes when the batch is seen running; gives its ticket.
asio::awaitable<std::string> until_running(sparkhost::Host& host, std::string who) {
    sparkhost::ChangeRequest leaves_starting{.id = first_batch,
                                             .not_state = sparkhost::BatchState::starting};
    const auto batch = (co_await host.wait_for_change(leaves_starting)).value();
    std::cout << who << ": batch " << batch.id.value << " is " << to_string(batch.state()) << '\n';
    co_return batch.ticket;
}

asio::awaitable<void> first_life(sparkhost::Host& host, std::shared_ptr<FakeCluster> cluster) {
    sparkhost::BatchSpec spec{.file = "/jobs/report.py"};
    (co_await host.submit(std::move(spec))).value();
    co_await cluster->until_called("submit");
    cluster->start(cluster->submitted().front());
    co_await until_running(host, "first host");
    std::raise(SIGTERM);  // somebody runs `systemctl stop`
    const auto end = co_await host.wait(first_batch);
    std::cout << "the wait was released: " << end.error().code.message() << '\n';
}

asio::awaitable<void> second_life(sparkhost::Host& host, std::shared_ptr<FakeCluster> cluster) {
    const auto ticket = co_await until_running(host, "second host");
    cluster->end(ticket, sparkhost::Outcome::success, 0);
    const auto end = (co_await host.wait(first_batch)).value();
    std::cout << "second host: batch 0 ended as " << to_string(end.state()) << ", started "
              << cluster->starts(ticket) << " time\n";
    host.stop();
}

const auto rethrow = [](std::exception_ptr failure, auto&&...) {
    if (failure) {
        std::rethrow_exception(failure);
    }
};

int main() try {
    const auto data = std::filesystem::current_path() / "example-data";
    std::filesystem::create_directories(data);
    auto cluster = std::make_shared<FakeCluster>();  // goes on between the hosts, as clusters do
    {
        asio::io_context io;
        auto host = make_host(io, cluster, data);
        asio::signal_set signals(io, SIGINT, SIGTERM);
        signals.async_wait([&](boost::system::error_code canceled, int number) {
            if (!canceled) {
                std::cout << "signal " << number << ": stopping the host\n";
                host.stop();
            }
        });
        asio::co_spawn(io, host.run(), [&](std::exception_ptr, sparkhost::Result<void>) {
            std::cout << "first host: run() has completed\n";
            signals.cancel();
        });
        asio::co_spawn(io, first_life(host, cluster), rethrow);
        io.run();  // returns by itself: nothing is left to wait for
    }
    {
        asio::io_context io;
        auto host = make_host(io, cluster, data);
        asio::co_spawn(io, host.run(), rethrow);
        asio::co_spawn(io, second_life(host, cluster), rethrow);
        io.run();
    }
} catch (const std::exception& failure) {
    std::cerr << "04_graceful_shutdown: " << failure.what() << '\n';
    return 1;
}
