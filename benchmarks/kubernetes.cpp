// SPDX-License-Identifier: Apache-2.0

// Applications on Kubernetes: submissions, the way of an event to a long-poll, and what 10 000 of
// them cost. The cluster is a fake API server in a process of its own, so that its CPU and memory
// are not the host's. With KUBECONFIG in the environment the submissions are also measured against
// that API server; their drivers stay pending there.

#include "support/bare.hpp"
#include "support/kubernetes_host.hpp"
#include "support/process.hpp"
#include "support/report.hpp"

#include "support/fake_kubernetes/fake_kubernetes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdlib>
#include <stdexcept>

#include <unistd.h>

namespace {

using namespace sparkhost::bench;
using namespace sparkhost;
namespace asio = boost::asio;
namespace k8s = sparkhost::test::k8s;
using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point begin) {
    return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

KubernetesBackendOptions options_for(const std::string& url, const std::string& folder) {
    KubernetesBackendOptions options;
    options.api_server.url = url;
    options.default_namespace = "jobs";
    options.image = "spark:3.5.9";
    options.work_dir = folder + "/kubernetes";
    return options;
}

BatchSpec endless(std::int64_t n) {
    BatchSpec spec;
    spec.file = "local:///opt/spark/jobs/report.py";
    spec.args = {"program=endless", "mark=" + std::to_string(n)};
    spec.conf = {{"spark.executor.memory", "2g"}};
    return spec;
}

asio::awaitable<void> submit_some(Host& host, int& left) {
    while (left-- > 0) {
        (co_await host.submit(endless(left))).value();
    }
}

/// Until all have been submitted to the cluster. Submissions per second, CPU seconds of each.
std::pair<double, double> submit_all(KubernetesBenchHost& host, int count) {
    const double cpu = cpu_seconds();
    const auto begin = SteadyClock::now();
    std::vector<std::future<void>> callers;
    int left = count;
    for (int caller = 0; caller < 32; ++caller) {
        callers.push_back(
            asio::co_spawn(host.io(), submit_some(host.host(), left), asio::use_future));
    }
    for (auto& caller : callers) {
        caller.get();
    }
    host.counts().wait_for_submitted(static_cast<std::size_t>(count));
    return {count / seconds_since(begin), (cpu_seconds() - cpu) / count};
}

void add_submissions(Report& report, const std::string& where, std::pair<double, double> got) {
    Figure rate{where + ", submissions", got.first, "/s"};
    rate.at_least = 300;
    report.add(std::move(rate));
    Figure cpu{where + ", CPU of the host for each", got.second * 1000, "ms"};
    cpu.at_most = 5;
    report.add(std::move(cpu));
}

/// The driver's end, as the cluster gets to know it, until a long-poll has its answer.
void measure_events(Report& report) {
    const WorkFolder folder;
    k8s::FakeKubernetes cluster;
    KubernetesBenchHost host(folder.path(), options_for(cluster.url(), folder.path()));
    Samples samples;
    const int rounds = report.quick() ? 20 : 300;
    for (int round = 0; round < rounds; ++round) {
        auto accepted =
            asio::co_spawn(host.io(), host.host().submit(endless(round)), asio::use_future);
        const auto id = accepted.get().value().id;
        const auto mark = std::to_string(round);
        cluster.wait("user code",
                     [&](k8s::Cluster& c) { return c.kubelet.starts_of_mark(mark) == 1; });
        host.wait_for_state(id, BatchState::running);
        LongPoll client(host.port(), id.value, "running");
        asio::co_spawn(host.io(), host.host().find(id), asio::use_future).get().value();
        const auto pod =
            cluster.with([](k8s::Cluster& c) { return c.kubelet.starts().back().pod; });
        const auto begin = SteadyClock::now();
        cluster.with([&](k8s::Cluster& c) { c.kubelet.end(pod, 0); });
        client.finish("success");
        samples.add(SteadyClock::now() - begin);
    }
    report.add({"driver's end -> answer of a long-poll, p50", samples.percentile_ms(0.5), "ms"});
    Figure p99{"driver's end -> answer of a long-poll, p99", samples.percentile_ms(0.99), "ms"};
    p99.at_most = 20;
    report.add(std::move(p99));
}

void measure_crowd(Report& report) {
    const int count = report.quick() ? 200 : 10'000;
    const auto what = std::to_string(count) + " active";
    const WorkFolder folder;
    ChildProcess fake({SPARKHOST_FAKE_KUBERNETES, "--until-killed"});
    const auto url = fake.read_line();
    const auto options = options_for(url, folder.path());
    {
        KubernetesBenchHost host(folder.path(), options);
        report.progress("submitting " + what);
        add_submissions(report, "fake API server", submit_all(host, count));
        host.counts().wait_for_started(static_cast<std::size_t>(count));
        report.progress("idling");
        const double cpu_before = cpu_seconds();
        const auto idle = std::chrono::seconds(report.quick() ? 1 : 10);
        std::promise<void>().get_future().wait_for(idle);
        const double idle_cpu = (cpu_seconds() - cpu_before) / static_cast<double>(idle.count());
        Figure memory{what + ", resident memory", resident_mb(::getpid()), "MB"};
        memory.at_most = 100;
        report.add(std::move(memory));
        Figure cpu{what + ", CPU while idle", idle_cpu * 100, "%"};
        cpu.at_most = 2;
        report.add(std::move(cpu));
    }
    report.progress("starting again");
    const auto begin = SteadyClock::now();
    KubernetesBenchHost again(folder.path(), options);
    again.counts().wait_for_snapshot(static_cast<std::size_t>(count));
    Figure adopted{what + ", taken up by a new host", seconds_since(begin), "s"};
    adopted.at_most = 2;
    report.add(std::move(adopted));
}

void measure_real(Report& report, const std::string& kubeconfig) {
    const WorkFolder folder;
    KubernetesBackendOptions options = options_for("", folder.path());
    options.kubeconfig = kubeconfig;
    // No node has it: what is measured is the host, not the machine full of drivers.
    options.conf["spark.kubernetes.driver.node.selector.sparkhost-bench"] = "none";
    options.kill_grace = std::chrono::seconds(0);
    KubernetesBenchHost host(folder.path(), options);
    report.progress("submitting to the API server of KUBECONFIG");
    const int count = report.quick() ? 20 : 500;
    add_submissions(report, "real API server", submit_all(host, count));
    report.progress("killing them");
    for (std::int64_t id = 0; id < count; ++id) {
        asio::co_spawn(host.io(), host.host().kill(BatchId{id}), asio::use_future).get().value();
    }
    for (std::int64_t id = 0; id < count; ++id) {
        host.wait_for_state(BatchId{id}, BatchState::killed);
    }
}

}  // namespace

int main(int argc, char** argv) {
    Report report("kubernetes", argc, argv);
    measure_crowd(report);
    report.progress("events");
    measure_events(report);
    const char* const kubeconfig = std::getenv("KUBECONFIG");
    if (kubeconfig && *kubeconfig) {
        measure_real(report, kubeconfig);
    }
    return report.finish();
}
