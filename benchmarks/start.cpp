// SPDX-License-Identifier: Apache-2.0

// The server program with an empty store and with 1 000 000 batches: spawn to the line that says
// it is ready, and its memory then. Needs Spark for the server's local backend (SPARK_HOME).

#include "support/bench_host.hpp"
#include "support/process.hpp"
#include "support/report.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace {

using namespace sparkhost::bench;

struct Started {
    Samples ready{};
    double resident{0};
};

Started measure(const std::string& data_dir, int rounds) {
    const char* spark = std::getenv("SPARKHOST_TEST_SPARK35");
    Started started;
    for (int round = 0; round < rounds; ++round) {
        std::vector<std::string> arguments{server_program(), "--listen", "127.0.0.1:0",
                                           "--data-dir",     data_dir,   "--log-level",
                                           "error"};
        if (spark) {
            arguments.insert(arguments.end(), {"--spark-home", spark});
        }
        const auto begin = std::chrono::steady_clock::now();
        ChildProcess server(arguments);
        if (server.read_line().find("listening on") == std::string::npos) {
            throw std::runtime_error("the server did not start");
        }
        started.ready.add(std::chrono::steady_clock::now() - begin);
        started.resident = resident_mb(server.pid());
    }
    return started;
}

/// The least that starting a program costs here.
Samples measure_spawn(int rounds) {
    Samples samples;
    for (int round = 0; round < rounds; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        ChildProcess echo({"/bin/echo", "ready"});
        (void)echo.read_line();
        samples.add(std::chrono::steady_clock::now() - begin);
    }
    return samples;
}

}  // namespace

int main(int argc, char** argv) {
    Report report("start", argc, argv);
    const int rounds = report.quick() ? 3 : 15;
    const std::int64_t count = report.quick() ? 10'000 : 1'000'000;
    auto spawn = measure_spawn(rounds);
    const double spawn_ms = spawn.percentile_ms(0.5);
    report.add({"spawn of /bin/echo, p50", spawn_ms, "ms"});
    for (const bool full : {false, true}) {
        const WorkFolder folder;
        if (full) {
            fill_store(folder.path() + "/sparkhost.db", count, [&](std::int64_t done) {
                if (done % 200'000 == 0) {
                    report.progress("filling the store: " + std::to_string(done));
                }
            });
        }
        const std::string what = full ? std::to_string(count) + " batches" : "empty store";
        report.progress(what);
        auto started = measure(folder.path(), rounds);
        const double p50 = started.ready.percentile_ms(0.5);
        Figure ready{what + ", spawn -> ready, p50", p50, "ms"};
        ready.at_most = 100;
        ready.baseline = "spawn of /bin/echo";
        ready.ratio = p50 / spawn_ms;
        report.add(std::move(ready));
        Figure memory{what + ", resident memory", started.resident, "MB"};
        memory.at_most = 20;
        report.add(std::move(memory));
    }
    return report.finish();
}
