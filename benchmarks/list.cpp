// SPDX-License-Identifier: Apache-2.0

// GET /batches?from=…&size=100 over 1 000 000 batches that have ended: first, middle and last
// page, beside a bare keyset read of the same page.

#include "support/bench_host.hpp"
#include "support/load.hpp"
#include "support/report.hpp"

#include <sqlite3.h>

#include <chrono>

namespace {

using namespace sparkhost::bench;

/// Milliseconds (p50) of reading 100 rows by their key from the same file.
double bare_page(const std::string& path, std::int64_t first, int rounds) {
    sqlite3* database = nullptr;
    sqlite3_stmt* select = nullptr;
    sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr);
    if (sqlite3_prepare_v2(database,
                           "SELECT body FROM records WHERE rowid >= ? ORDER BY rowid LIMIT 100", -1,
                           &select, nullptr) != SQLITE_OK) {
        throw std::runtime_error(sqlite3_errmsg(database));
    }
    Samples samples;
    for (int round = 0; round < rounds; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        sqlite3_bind_int64(select, 1, first);
        while (sqlite3_step(select) == SQLITE_ROW) {
            (void)sqlite3_column_text(select, 0);
        }
        sqlite3_reset(select);
        samples.add(std::chrono::steady_clock::now() - begin);
    }
    sqlite3_finalize(select);
    sqlite3_close(database);
    return samples.percentile_ms(0.5);
}

}  // namespace

int main(int argc, char** argv) {
    Report report("list", argc, argv);
    const std::int64_t count = report.quick() ? 20'000 : 1'000'000;
    const WorkFolder folder;
    const auto path = folder.path() + "/bench.db";
    fill_store(path, count, [&](std::int64_t done) {
        if (done % 200'000 == 0) {
            report.progress("filling the store: " + std::to_string(done) + " of " +
                            std::to_string(count));
        }
    });
    BenchHost host(folder.path(), {});
    const std::pair<const char*, std::int64_t> pages[] = {
        {"first page", 0}, {"middle page", count / 2}, {"last page", count - 100}};
    for (const auto& [name, from] : pages) {
        report.progress(name);
        LoadPlan plan;
        plan.port = host.port();
        plan.duration = std::chrono::milliseconds(report.quick() ? 300 : 3000);
        plan.request = [from = from](std::size_t, std::size_t) {
            return get_request("/batches?from=" + std::to_string(from) + "&size=100");
        };
        auto result = run_load(std::move(plan));
        const double bare = bare_page(path, from, 200);
        const double p50 = result.latency.percentile_ms(0.5);
        report.add({std::string(name) + " of 100, p50",
                    p50,
                    "ms",
                    {},
                    {},
                    "bare keyset read",
                    p50 / bare});
        Figure p99{std::string(name) + " of 100, p99", result.latency.percentile_ms(0.99), "ms"};
        p99.at_most = 5;
        report.add(std::move(p99));
    }
    return report.finish();
}
