// SPDX-License-Identifier: Apache-2.0
#include "unit/storages/sqlite_bench.hpp"

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <mutex>

namespace {

using namespace sparkhost;
using test::Unsynced;

/// What the disk would hold, and how many commits had been acknowledged by then.
struct Moment {
    test::FaultVfs::Disk disk;
    int acknowledged;
};

/// Commits pairs: record 2n and 2n + 1 are made together, with one event each.
Transaction pair_of_records() {
    auto transaction = test::insert_of(std::string(1500, 'x'));
    transaction.inserts.push_back(transaction.inserts[0]);
    transaction.events.push_back({{RecordKind::batch, -2}, {}, "made", {}});
    return transaction;
}

void check_whole(const Moment& moment) {
    test::SqliteBench bench;
    test::restore(moment.disk, bench.folder.path().string());
    bench.open().value();
    Query query;
    query.limit = 100'000;
    auto page = bench.list(query).value();
    BOOST_TEST(page.total == static_cast<std::int64_t>(page.records.size()));
    BOOST_TEST(page.total % 2 == 0);
    BOOST_TEST(page.total >= 2 * moment.acknowledged);
    BOOST_TEST(static_cast<std::int64_t>(bench.events().value().size()) == page.total);
    for (auto& record : page.records)
        BOOST_TEST(record.body.size() == 1500U);
    auto result = bench.commit(pair_of_records()).value();
    BOOST_TEST(result.ids.at(0) == page.total);
}

constexpr int pairs = 8;

/// Both records of a pair, which lie some pages apart.
std::pair<std::int64_t, std::int64_t> ids_of_pair(int pair) {
    return {pair, 2 * pairs - 1 - pair};
}

Transaction change_of_pair(int pair) {
    auto [first, second] = ids_of_pair(pair);
    auto transaction = test::update_of(first, 1, "a");
    transaction.updates.push_back(test::update_of(second, 1, "a").updates[0]);
    return transaction;
}

void check_changes(const Moment& moment) {
    test::SqliteBench bench;
    test::restore(moment.disk, bench.folder.path().string());
    bench.open().value();
    std::size_t changed = 0;
    for (int pair = 0; pair < pairs; ++pair) {
        auto [first, second] = ids_of_pair(pair);
        auto version = bench.find(first).value().version;
        BOOST_TEST(bench.find(second).value().version == version);
        BOOST_TEST((version == 2 || pair >= moment.acknowledged));
        changed += version == 2 ? 1 : 0;
    }
    BOOST_TEST(bench.events().value().size() == 2 * pairs + changed);
    SQLite::Database database(bench.options.path);
    BOOST_TEST(database.execAndGet("PRAGMA integrity_check").getString() == "ok");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sqlite_power_cut)

BOOST_AUTO_TEST_CASE(what_was_acknowledged_survives_at_every_sync) {
    std::vector<Moment> moments;
    std::atomic<int> acknowledged{0};
    {
        test::SqliteBench bench;
        bench.options.max_group = 4;
        bench.vfs.on_sync([&] {
            int before = acknowledged;
            for (auto unsynced : {Unsynced::lost, Unsynced::kept})
                moments.push_back({bench.vfs.cut_power(unsynced), before});
            for (std::uint32_t seed = 0; seed < 3; ++seed)
                moments.push_back({bench.vfs.cut_power(Unsynced::torn, seed), before});
        });
        bench.open().value();
        for (int round = 0; round < 4; ++round) {
            std::vector<Transaction> group(6, pair_of_records());
            for (auto& result : bench.commit_all(std::move(group)))
                acknowledged += result ? 1 : 0;
            if (round == 1)
                bench.reopen().value();  // syncs of a checkpoint are among them
        }
        BOOST_TEST(acknowledged == 24);
        bench.storage.reset();
        bench.vfs.on_sync({});
    }
    BOOST_TEST(moments.size() > 50U);
    for (std::size_t i = 0; i < moments.size(); ++i)
        BOOST_TEST_CONTEXT("moment " << i) {
            check_whole(moments[i]);
        }
}

// Each commit changes two pages that lie in the database and that no other commit changes: the
// checkpoint of the reopening writes over pages for which the log may have nothing to offer.
BOOST_AUTO_TEST_CASE(a_power_cut_while_reopening_after_a_failed_sync_loses_nothing) {
    for (std::size_t after = 0;; ++after) {
        test::SqliteBench bench;
        std::vector<Moment> moments;
        int acknowledged = 0;
        bench.open().value();
        for (int i = 0; i < pairs; ++i)
            bench.commit(pair_of_records()).value();
        bench.reopen().value();
        bench.vfs.plan({test::FaultVfs::bit(test::FaultVfs::Op::sync), after, SQLITE_IOERR_FSYNC});
        while (acknowledged < pairs && bench.commit(change_of_pair(acknowledged)))
            ++acknowledged;
        if (!bench.vfs.happened())
            return;
        bench.vfs.on_sync([&] {
            for (auto unsynced : {Unsynced::lost, Unsynced::kept})
                moments.push_back({bench.vfs.cut_power(unsynced), acknowledged});
            for (std::uint32_t seed = 0; seed < 10; ++seed)
                moments.push_back({bench.vfs.cut_power(Unsynced::torn, seed), acknowledged});
        });
        bench.reopen().value();
        bench.vfs.on_sync({});
        BOOST_TEST(moments.size() >= 12U);
        for (std::size_t i = 0; i < moments.size(); ++i)
            BOOST_TEST_CONTEXT("after " << after << " syncs, moment " << i)
        check_changes(moments[i]);
    }
}

BOOST_AUTO_TEST_SUITE_END()
