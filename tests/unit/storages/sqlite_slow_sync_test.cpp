// SPDX-License-Identifier: Apache-2.0
#include "unit/storages/sqlite_bench.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <exception>
#include <future>
#include <optional>
#include <utility>

namespace {

using namespace sparkhost;

/// Holds the next sync until it is opened.
struct SyncGate {
    std::promise<void> reached;
    std::promise<void> opened;
    std::shared_future<void> open{opened.get_future()};
    bool first{true};

    void hold(test::SqliteBench& bench) {
        bench.vfs.on_sync([this] {
            if (std::exchange(first, false)) {
                reached.set_value();
                open.wait_for(test::patience);
            }
        });
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sqlite_slow_sync)

BOOST_AUTO_TEST_CASE(reads_do_not_wait_for_a_sync_and_do_not_see_what_it_is_for) {
    test::SqliteBench bench;
    bench.open().value();
    bench.commit(test::insert_of("first")).value();
    SyncGate gate;
    gate.hold(bench);
    std::optional<Result<CommitResult>> answer;
    boost::asio::co_spawn(
        bench.io, bench.storage->commit(test::update_of(0, 1, "b")),
        [&](std::exception_ptr, Result<CommitResult> result) { answer = std::move(result); });
    bench.io.restart();
    bench.io.poll();
    BOOST_TEST_REQUIRE(
        (gate.reached.get_future().wait_for(test::patience) == std::future_status::ready));
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(bench.find(0).value().version == 1);
        BOOST_TEST(bench.list().value().total == 1);
        BOOST_TEST(bench.events().value().size() == 1U);
    }
    BOOST_TEST(!answer.has_value());
    gate.opened.set_value();
    test::drain(bench.io);
    BOOST_TEST(answer.value().has_value());
    BOOST_TEST(bench.find(0).value().version == 2);
    bench.vfs.on_sync({});
}

BOOST_AUTO_TEST_CASE(what_arrives_during_a_slow_sync_shares_the_next_one) {
    test::SqliteBench bench;
    bench.open().value();
    bench.commit(test::insert_of("first")).value();
    SyncGate gate;
    gate.hold(bench);
    const auto before = bench.vfs.syncs();
    const auto groups = bench.storage->stats().disk_commits;
    std::size_t stored = 0;
    for (int i = 0; i < 200; ++i) {
        boost::asio::co_spawn(bench.io, bench.storage->commit(test::insert_of("x")),
                              [&](std::exception_ptr, Result<CommitResult> result) {
                                  stored += result.has_value() ? 1 : 0;
                              });
    }
    bench.io.restart();
    bench.io.poll();
    BOOST_TEST_REQUIRE(
        (gate.reached.get_future().wait_for(test::patience) == std::future_status::ready));
    BOOST_TEST(stored == 0U);
    gate.opened.set_value();
    test::drain(bench.io);
    BOOST_TEST(stored == 200U);
    // 200 one after another would be 200 syncs
    BOOST_TEST(bench.vfs.syncs() - before <= 6U);
    BOOST_TEST(bench.storage->stats().disk_commits - groups <= 2U);
    bench.vfs.on_sync({});
}

BOOST_AUTO_TEST_SUITE_END()
