// SPDX-License-Identifier: Apache-2.0
// Uses something of every library.
#include "run_a_batch.hpp"

#include <sparkhost/backends/local.hpp>
#include <sparkhost/rest/router.hpp>
#include <sparkhost/storages/memory.hpp>
#include <sparkhost/storages/sqlite.hpp>
#include <sparkhost/testing/manual_clock.hpp>

#include <filesystem>
#include <stdexcept>

namespace {

/// Whether the factories of the plug-ins are linked and refuse options without a path.
bool plugins_are_there() {
    boost::asio::io_context io;
    const sparkhost::testing::ManualClock clock;
    int refused = 0;
    try {
        sparkhost::make_local_backend(io.get_executor(), sparkhost::LocalBackendOptions());
    } catch (const std::invalid_argument&) {
        ++refused;
    }
    try {
        sparkhost::make_sqlite_storage(sparkhost::SqliteStorageOptions());
    } catch (const std::invalid_argument&) {
        ++refused;
    }
    return refused == 2 && clock.now() > sparkhost::Timestamp();
}

}  // namespace

int main() {
    const auto folder = std::filesystem::current_path() / "consumer_data";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    sparkhost::SqliteStorageOptions options{.path = (folder / "jobs.db").string()};
    auto mount = [](sparkhost::Host& host) { const sparkhost::rest::Router router(host); };
    const bool good = plugins_are_there() && run_a_batch(sparkhost::make_memory_storage()) == 0 &&
                      run_a_batch(sparkhost::make_sqlite_storage(options), mount) == 0;
    std::filesystem::remove_all(folder);
    return good ? 0 : 1;
}
