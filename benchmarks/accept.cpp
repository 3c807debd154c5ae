// SPDX-License-Identifier: Apache-2.0

// Durable POST /batches through HTTP at 1, 16 and 64 connections, with a backend that does
// nothing: rate and latency, beside a bare Beast loop, a bare SQLite loop and the disk's fsync.

#include "support/bare.hpp"
#include "support/bench_host.hpp"
#include "support/load.hpp"
#include "support/report.hpp"

#include "tests/support/fault_vfs.hpp"

#include <cstdio>

namespace {

using namespace sparkhost::bench;

struct Goal {
    std::size_t connections;
    double rate;
    double p99_ms;  ///< 0: none
};

LoadResult post_batches(std::uint16_t port, std::size_t connections,
                        std::chrono::milliseconds duration) {
    LoadPlan plan;
    plan.port = port;
    plan.connections = connections;
    plan.duration = duration;
    plan.status = 201;
    plan.request = [](std::size_t connection, std::size_t n) {
        return post_request("/batches", batch_body(connection * 1'000'000 + n));
    };
    return run_load(std::move(plan));
}

void add(Report& report, const std::string& what, LoadResult result, const Goal& goal,
         double bare) {
    Figure rate{what + " rate", result.rate, "1/s"};
    if (goal.rate > 0) {
        rate.at_least = goal.rate;
    }
    rate.baseline = "bare Beast loop";
    rate.ratio = result.rate / bare;
    report.add(std::move(rate));
    report.add({what + " p50", result.latency.percentile_ms(0.50), "ms"});
    Figure p99{what + " p99", result.latency.percentile_ms(0.99), "ms"};
    if (goal.p99_ms > 0) {
        p99.at_most = goal.p99_ms;
    }
    report.add(std::move(p99));
}

}  // namespace

int main(int argc, char** argv) {
    Report report("accept", argc, argv);
    const std::chrono::milliseconds duration{report.quick() ? 300 : 5000};
    const WorkFolder folder;

    report.progress("the disk: 4 KiB + fdatasync, and a bare SQLite loop");
    auto fsync = measure_fsync(folder.path(), report.quick() ? 50 : 1000);
    report.add({"fsync of this disk, p50", fsync.percentile_ms(0.5), "ms"});
    report.add({"fsync of this disk, p99", fsync.percentile_ms(0.99), "ms"});
    const double sqlite = measure_bare_sqlite(folder.path(), report.quick() ? 200 : 5000);
    report.add({"bare SQLite, one row per transaction", sqlite, "1/s"});

    const BareServer bare(201, std::string(260, 'x'));
    const Goal goals[] = {{1, 2000, 0}, {16, 0, 0}, {64, 10'000, 15}};
    for (const auto& goal : goals) {
        const auto what = std::to_string(goal.connections) + " connections,";
        report.progress(what + " bare Beast, then POST /batches");
        const auto bare_rate = post_batches(bare.port(), goal.connections, duration / 3).rate;
        const WorkFolder store;
        BenchHost host(store.path(), {});
        auto result = post_batches(host.port(), goal.connections, duration);
        if (goal.connections == 1) {
            report.add({"1 connection, beside bare SQLite",
                        result.rate,
                        "1/s",
                        {},
                        {},
                        "bare SQLite",
                        result.rate / sqlite});
        }
        add(report, what, std::move(result), goal, bare_rate);
    }

    report.progress("64 connections with 5 ms added to each fsync");
    sparkhost::test::FaultVfs slow;
    slow.delay_syncs(std::chrono::milliseconds(5));
    BenchHostOptions options;
    options.vfs = slow.name();
    {
        const WorkFolder store;
        BenchHost host(store.path(), std::move(options));
        const auto bare_rate = post_batches(bare.port(), 64, duration / 3).rate;
        add(report, "64 connections, fsync + 5 ms,", post_batches(host.port(), 64, duration),
            {64, 0, 0}, bare_rate);
    }
    return report.finish();
}
