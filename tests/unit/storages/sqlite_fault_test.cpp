// SPDX-License-Identifier: Apache-2.0
#include "unit/storages/sqlite_bench.hpp"

#include <sqlite3.h>

#include <boost/test/unit_test.hpp>

namespace {

using namespace sparkhost;
using test::FaultVfs;
using Op = FaultVfs::Op;

/// Everything that counts in the store agrees with everything else.
void check_consistent(test::SqliteBench& bench) {
    Query query;
    query.limit = 100'000;
    auto page = bench.list(query).value();
    BOOST_TEST(page.total == static_cast<std::int64_t>(page.records.size()));
    std::int64_t owned = 0;
    for (auto state : {"a", "b", "c"}) {
        query.states = {state};
        query.owner = "ann";
        owned += bench.list(query).value().total;
    }
    BOOST_TEST(owned == page.total);
    std::int64_t events = 0;
    for (auto& record : page.records)
        events += record.version;
    auto found = bench.events().value();
    BOOST_TEST(static_cast<std::int64_t>(found.size()) == events);
    for (std::size_t i = 0; i < found.size(); ++i)
        BOOST_TEST(found[i].sequence == static_cast<std::int64_t>(i + 1));
}

/// A few groups with inserts and updates. Gives the number of commits that were acknowledged,
/// and checks that every failure is one of `allowed`.
int work(test::SqliteBench& bench, const std::vector<Errc>& allowed) {
    int acknowledged = 0;
    for (int round = 0; round < 3; ++round) {
        std::vector<Transaction> group;
        for (int i = 0; i < 5; ++i)
            group.push_back(test::insert_of(std::string(2000, 'x')));
        group.push_back(test::update_of(0, round + 1, "b"));
        for (auto& result : bench.commit_all(std::move(group))) {
            acknowledged += result ? 1 : 0;
            if (!result && !result.error().is(Errc::conflict))
                BOOST_TEST(std::count_if(allowed.begin(), allowed.end(),
                                         [&](Errc code) { return result.error().is(code); }) == 1,
                           result.error().text());
        }
    }
    return acknowledged;
}

std::int64_t written(test::SqliteBench& bench) {
    return static_cast<std::int64_t>(bench.events().value().size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sqlite_faults)

BOOST_AUTO_TEST_CASE(a_full_disk_fails_commits_and_harms_nothing) {
    for (std::size_t after = 0;; ++after) {
        BOOST_TEST_CONTEXT("after " << after << " writes") {
            test::SqliteBench bench;
            bench.open().value();
            bench.commit(test::insert_of("first")).value();
            bench.vfs.plan({FaultVfs::bit(Op::write), after, SQLITE_FULL, true});
            auto acknowledged = work(bench, {Errc::storage_failed});
            auto happened = bench.vfs.happened();
            BOOST_TEST(bench.storage->stats().healthy == !happened);
            bench.vfs.heal();
            BOOST_TEST(written(bench) == 1 + acknowledged);
            check_consistent(bench);
            bench.commit(test::insert_of("it works again")).value();
            BOOST_TEST(bench.storage->stats().healthy);
            bench.open().value();
            BOOST_TEST(written(bench) == 2 + acknowledged);
            check_consistent(bench);
            if (!happened)
                return;
        }
    }
}

BOOST_AUTO_TEST_CASE(a_failing_write_in_a_commit_is_indeterminate_until_reopened) {
    for (auto repeat : {false, true})
        for (std::size_t after = 0;; ++after) {
            BOOST_TEST_CONTEXT("after " << after << " writes") {
                test::SqliteBench bench;
                bench.open().value();
                bench.commit(test::insert_of("first")).value();
                bench.vfs.plan({FaultVfs::bit(Op::write), after, SQLITE_IOERR_WRITE, repeat});
                auto acknowledged = work(bench, {Errc::indeterminate, Errc::storage_failed});
                auto happened = bench.vfs.happened();
                bench.vfs.heal();
                if (happened)
                    BOOST_TEST(bench.find(0).error().is(Errc::indeterminate));
                bench.reopen().value();
                BOOST_TEST(written(bench) >= 1 + acknowledged);
                check_consistent(bench);
                bench.commit(test::insert_of("it works again")).value();
                if (!happened)
                    break;
            }
        }
}

BOOST_AUTO_TEST_CASE(a_failed_sync_is_indeterminate_until_reopened) {
    for (std::size_t after = 0;; ++after) {
        BOOST_TEST_CONTEXT("after " << after << " syncs") {
            test::SqliteBench bench;
            bench.open().value();
            bench.commit(test::insert_of("first")).value();
            bench.vfs.plan({FaultVfs::bit(Op::sync), after, SQLITE_IOERR_FSYNC, false});
            auto acknowledged = work(bench, {Errc::indeterminate});
            if (!bench.vfs.happened())
                return;
            BOOST_TEST(bench.commit(test::insert_of("no")).error().is(Errc::indeterminate));
            BOOST_TEST(bench.list().error().is(Errc::indeterminate));
            BOOST_TEST(bench.events().error().is(Errc::indeterminate));
            BOOST_TEST(bench.prune({}).error().is(Errc::indeterminate));
            BOOST_TEST(!bench.storage->stats().healthy);
            bench.reopen().value();
            auto events = written(bench);
            BOOST_TEST(events >= 1 + acknowledged);
            check_consistent(bench);
            // What is read now is durable: the page cache is of no help after this.
            test::SqliteBench after_power_cut;
            test::restore(bench.vfs.cut_power(test::Unsynced::lost),
                          after_power_cut.folder.path().string());
            after_power_cut.open().value();
            BOOST_TEST(written(after_power_cut) == events);
            check_consistent(after_power_cut);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_be_reopened_stays_poisoned) {
    test::SqliteBench bench;
    bench.open().value();
    bench.vfs.plan({FaultVfs::bit(Op::sync), 0, SQLITE_IOERR_FSYNC, true});
    BOOST_TEST(bench.commit(test::insert_of("x")).error().is(Errc::indeterminate));
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(bench.reopen().error().is(Errc::storage_failed));
        BOOST_TEST(bench.find(0).error().is(Errc::indeterminate));
    }
    bench.vfs.heal();
    bench.reopen().value();
    check_consistent(bench);
}

BOOST_AUTO_TEST_CASE(every_step_of_making_a_store_may_fail) {
    for (auto op : {Op::open, Op::write, Op::sync, Op::read, Op::truncate})
        for (std::size_t after = 0;; ++after) {
            BOOST_TEST_CONTEXT("operation " << static_cast<int>(op) << " after " << after) {
                test::SqliteBench bench;
                bench.vfs.plan({FaultVfs::bit(op), after, SQLITE_IOERR, true});
                auto opened = bench.open();
                auto happened = bench.vfs.happened();
                if (!opened)
                    BOOST_TEST(opened.error().is(Errc::storage_failed));
                bench.vfs.heal();
                bench.open().value();
                check_consistent(bench);
                bench.commit(test::insert_of("x")).value();
                if (!happened)
                    break;
            }
        }
}

BOOST_AUTO_TEST_CASE(a_failing_read_harms_one_call) {
    test::SqliteBench bench;
    bench.open().value();
    for (int i = 0; i < 50; ++i)
        bench.commit(test::insert_of(std::string(3000, 'x'))).value();
    bench.open().value();  // with an empty cache
    bench.vfs.plan({FaultVfs::bit(Op::read), 0, SQLITE_IOERR_READ, false});
    BOOST_TEST(bench.find(30).error().is(Errc::storage_failed));
    BOOST_TEST(bench.vfs.happened());
    bench.find(30).value();
    check_consistent(bench);
}

BOOST_AUTO_TEST_CASE(a_failing_prune_can_be_repeated) {
    test::SqliteBench bench;
    bench.open().value();
    for (int i = 0; i < 5; ++i)
        bench.commit(test::insert_of("x")).value();
    bench.vfs.plan({FaultVfs::bit(Op::write), 0, SQLITE_FULL, false});
    BOOST_TEST(bench.prune({3, {}}).error().is(Errc::storage_failed));
    BOOST_TEST(bench.events().value().size() == 5U);
    BOOST_TEST(bench.prune({3, {}}).value() == 4);
}

BOOST_AUTO_TEST_SUITE_END()
