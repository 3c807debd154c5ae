// SPDX-License-Identifier: Apache-2.0

// Memory and CPU of a host with 10 000 active applications, idle; and how fast a new host takes
// them up again.

#include "support/bench_host.hpp"
#include "support/process.hpp"
#include "support/report.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

using namespace sparkhost::bench;
using namespace sparkhost;
namespace asio = boost::asio;

asio::awaitable<void> submit_some(Host& host, int& left) {
    while (left-- > 0) {
        BatchSpec spec;
        spec.file = "/jobs/report.py";
        spec.args = {std::to_string(left)};
        spec.conf = {{"spark.executor.memory", "2g"}};
        (co_await host.submit(std::move(spec))).value();
    }
}

/// With as many callers at a time as a busy server has: the memory of 10 000 callers is not the
/// memory of 10 000 applications.
void submit_all(BenchHost& host, int count) {
    std::vector<std::future<void>> callers;
    for (int caller = 0; caller < 64; ++caller) {
        callers.push_back(
            asio::co_spawn(host.io(), submit_some(host.host(), count), asio::use_future));
    }
    for (auto& caller : callers) {
        caller.get();
    }
}

}  // namespace

int main(int argc, char** argv) {
    Report report("footprint", argc, argv);
    const int count = report.quick() ? 500 : 10'000;
    const WorkFolder folder;
    const double before = resident_mb(::getpid());
    std::atomic<int> submitted{0};
    std::promise<void> all;
    BenchHostOptions options;
    options.max_running = 1'000'000;
    options.hooks.submitted = [&](const std::string&) {
        if (++submitted == count) {
            all.set_value();
        }
    };
    const auto what = std::to_string(count) + " active";
    {
        auto host = std::make_unique<BenchHost>(folder.path(), options);
        report.progress("submitting " + what);
        submit_all(*host, count);
        all.get_future().get();
        report.progress("idling");
        const double cpu_before = cpu_seconds();
        const auto idle = std::chrono::seconds(report.quick() ? 1 : 10);
        std::promise<void>().get_future().wait_for(idle);
        const double idle_cpu =
            (cpu_seconds() - cpu_before) / std::chrono::duration<double>(idle).count();
        const double resident = resident_mb(::getpid());
        Figure memory{what + ", resident memory", resident, "MB"};
        memory.at_most = 100;
        memory.baseline = "this program before";
        memory.ratio = resident / before;
        report.add(std::move(memory));
        Figure cpu{what + ", CPU while idle", idle_cpu * 100, "%"};
        cpu.at_most = 2;
        report.add(std::move(cpu));
    }
    options.hooks = {};
    report.progress("starting again");
    const auto begin = std::chrono::steady_clock::now();
    BenchHost again(folder.path(), options);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    Figure adopted{what + ", taken up by a new host", took.count(), "s"};
    adopted.at_most = 2;
    report.add(std::move(adopted));
    return report.finish();
}
