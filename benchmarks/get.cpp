// SPDX-License-Identifier: Apache-2.0

// GET /batches/{id} at 1, 16 and 64 connections, beside a bare Beast loop that answers the same
// number of bytes. The server has one thread; "per core" is its rate over the share of one core
// it has used.

#include "support/bare.hpp"
#include "support/bench_host.hpp"
#include "support/load.hpp"
#include "support/report.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <ctime>
#include <future>

namespace {

using namespace sparkhost::bench;
namespace asio = boost::asio;

/// CPU seconds of the thread that runs `io`.
double thread_cpu(asio::io_context& io) {
    std::promise<double> seconds;
    asio::post(io, [&] {
        timespec used{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        seconds.set_value(static_cast<double>(used.tv_sec) +
                          static_cast<double>(used.tv_nsec) / 1e9);
    });
    return seconds.get_future().get();
}

LoadResult get_batches(std::uint16_t port, std::size_t connections,
                       std::chrono::milliseconds duration) {
    LoadPlan plan;
    plan.port = port;
    plan.connections = connections;
    plan.duration = duration;
    plan.warm_up = std::chrono::milliseconds{0};
    plan.request = [](std::size_t connection, std::size_t n) {
        return get_request("/batches/" + std::to_string((connection * 7 + n) % 100));
    };
    return run_load(std::move(plan));
}

}  // namespace

int main(int argc, char** argv) {
    Report report("get", argc, argv);
    const std::chrono::milliseconds duration{report.quick() ? 300 : 4000};
    const WorkFolder folder;
    fill_store(folder.path() + "/bench.db", 100, [](std::int64_t) {});
    BenchHost host(folder.path(), {});
    const BareServer bare(200, std::string(900, 'x'));
    for (const std::size_t connections : {1, 16, 64}) {
        const auto what = std::to_string(connections) + " connections";
        report.progress(what);
        const auto bare_rate = get_batches(bare.port(), connections, duration / 2).rate;
        const auto cpu_before = thread_cpu(host.io());
        auto result = get_batches(host.port(), connections, duration);
        const auto cpu = thread_cpu(host.io()) - cpu_before;
        report.add({what + ", rate",
                    result.rate,
                    "1/s",
                    {},
                    {},
                    "bare Beast loop",
                    result.rate / bare_rate});
        report.add({what + ", p99", result.latency.percentile_ms(0.99), "ms"});
        Figure per_core{what + ", rate per core of the server",
                        static_cast<double>(result.latency.count()) / cpu, "1/s"};
        if (connections == 64) {
            per_core.at_least = 50'000;
        }
        report.add(std::move(per_core));
    }
    return report.finish();
}
