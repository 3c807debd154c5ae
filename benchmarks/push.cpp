// SPDX-License-Identifier: Apache-2.0

// From a backend's report to the answer of a long-poll client over HTTP: the report's commit and
// one fsync lie on the way. One batch at a time, with 0 and with 1000 other clients waiting.

#include "support/bare.hpp"
#include "support/bench_host.hpp"
#include "support/report.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

using namespace sparkhost::bench;
using namespace sparkhost;
namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

/// A blocking client that waits for a batch to leave the state `starting`.
class Waiting {
public:
    Waiting(std::uint16_t port, std::int64_t id) {
        socket_.connect({asio::ip::address_v4::loopback(), port});
        const std::string request =
            "GET /batches/" + std::to_string(id) +
            "/state?wait=120&state=starting HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
        asio::write(socket_, asio::buffer(request));
    }
    void finish() {
        asio::streambuf answer;
        asio::read_until(socket_, answer, "}");
        const std::string text(asio::buffers_begin(answer.data()),
                               asio::buffers_end(answer.data()));
        if (text.find("running") == std::string::npos) {
            throw std::runtime_error("unexpected answer: " + text);
        }
    }

private:
    asio::io_context io_{};
    asio::ip::tcp::socket socket_{io_};
};

BatchRecord submit(BenchHost& host) {
    BatchSpec spec;
    spec.file = "/jobs/report.py";
    auto accepted =
        asio::co_spawn(host.io(), host.host().submit(std::move(spec)), asio::use_future);
    auto record = accepted.get().value();
    ChangeRequest until;
    until.id = record.id;
    for (;;) {
        until.seen_version = record.version;
        if (record.phase == BatchPhase::submitted) {
            return record;
        }
        auto changed =
            asio::co_spawn(host.io(), host.host().wait_for_change(until), asio::use_future);
        record = changed.get().value();
    }
}

Samples measure(BenchHost& host, std::size_t others, int rounds) {
    std::vector<std::unique_ptr<Waiting>> crowd;
    const auto quiet = submit(host);
    for (std::size_t i = 0; i < others; ++i) {
        crowd.push_back(std::make_unique<Waiting>(host.port(), quiet.id.value));
    }
    Samples samples;
    for (int round = 0; round < rounds; ++round) {
        const auto record = submit(host);
        Waiting client(host.port(), record.id.value);
        // Another request on the same server is answered after the long-poll has been read.
        asio::co_spawn(host.io(), host.host().find(record.id), asio::use_future).get().value();
        ApplicationStatus running;
        running.ticket = record.ticket;
        running.state = ApplicationState::started;
        const auto begin = SteadyClock::now();
        host.backend().report(std::move(running));
        client.finish();
        samples.add(SteadyClock::now() - begin);
    }
    return samples;
}

}  // namespace

int main(int argc, char** argv) {
    Report report("push", argc, argv);
    const WorkFolder folder;
    auto fsync = measure_fsync(folder.path(), report.quick() ? 50 : 1000);
    const double fsync_ms = fsync.percentile_ms(0.5);
    report.add({"fsync of this disk, p50", fsync_ms, "ms"});
    BenchHostOptions options;
    options.max_running = 1'000'000;
    BenchHost host(folder.path(), std::move(options));
    for (const std::size_t others : {0, 1000}) {
        const auto what = std::to_string(others) + " others waiting";
        report.progress(what);
        auto samples =
            measure(host, report.quick() ? others / 10 : others, report.quick() ? 20 : 500);
        const double p50 = samples.percentile_ms(0.5);
        report.add(
            {what + ", report -> client, p50", p50, "ms", {}, {}, "fsync p50", p50 / fsync_ms});
        Figure p99{what + ", report -> client, p99", samples.percentile_ms(0.99), "ms"};
        p99.at_most = 20;
        report.add(std::move(p99));
    }
    return report.finish();
}
