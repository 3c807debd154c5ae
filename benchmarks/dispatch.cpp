// SPDX-License-Identifier: Apache-2.0

// From the moment a batch is durable to the call of Backend::submit, with the ticket's commit in
// between: one batch at a time, then 32 clients at once. The disk's fsync is the baseline: one
// lies on the way.

#include "support/bare.hpp"
#include "support/bench_host.hpp"
#include "support/load.hpp"
#include "support/report.hpp"

#include <chrono>

namespace {

using namespace sparkhost::bench;
using SteadyClock = std::chrono::steady_clock;

struct Run {
    Samples dispatch{};
    double rate{0};
};

Run measure(std::size_t connections, std::chrono::milliseconds duration) {
    const WorkFolder folder;
    BenchHostOptions options;
    options.max_running = 10'000'000;
    BenchHost host(folder.path(), std::move(options));
    LoadPlan plan;
    plan.port = host.port();
    plan.connections = connections;
    plan.duration = duration;
    plan.status = 201;
    plan.request = [](std::size_t, std::size_t n) {
        return post_request("/batches", batch_body(n));
    };
    auto result = run_load(std::move(plan));
    const auto dispatched = host.host().status().dispatch;
    // The host's own histogram says from commit to call; its buckets give the share below each
    // bound.
    Run run;
    run.rate = result.rate;
    for (std::size_t bucket = 0; bucket < dispatched.counts.size(); ++bucket) {
        const double upper =
            bucket < sparkhost::latency_bounds.size() ? sparkhost::latency_bounds[bucket] : 10.0;
        for (std::uint64_t i = 0; i < dispatched.counts[bucket]; ++i) {
            run.dispatch.add(std::chrono::duration_cast<SteadyClock::duration>(
                std::chrono::duration<double>(upper)));
        }
    }
    return run;
}

}  // namespace

int main(int argc, char** argv) {
    Report report("dispatch", argc, argv);
    const std::chrono::milliseconds duration{report.quick() ? 300 : 4000};
    const WorkFolder folder;
    auto fsync = measure_fsync(folder.path(), report.quick() ? 50 : 1000);
    const double fsync_ms = fsync.percentile_ms(0.99);
    report.add({"fsync of this disk, p99", fsync_ms, "ms"});
    for (const std::size_t connections : {1, 32}) {
        const auto what = std::to_string(connections) + " clients";
        report.progress(what);
        auto run = measure(connections, duration);
        report.add({what + ", batches accepted and submitted", run.rate, "1/s"});
        const double p99 = run.dispatch.percentile_ms(0.99);
        Figure figure{what + ", accepted -> submit called, p99 (upper bound)", p99, "ms"};
        figure.at_most = 10;
        figure.baseline = "fsync p99";
        figure.ratio = p99 / fsync_ms;
        report.add(std::move(figure));
    }
    return report.finish();
}
