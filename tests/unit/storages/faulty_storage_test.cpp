// SPDX-License-Identifier: Apache-2.0
#include "support/run.hpp"

#include <sparkhost/storages/memory.hpp>
#include <sparkhost/testing/faulty_storage.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace sparkhost;
using testing::StorageFault;
using testing::StorageFaults;

struct FaultyBench {
    std::shared_ptr<StorageFaults> faults = std::make_shared<StorageFaults>();
    std::shared_ptr<Storage> inner = make_memory_storage();
    std::unique_ptr<Storage> storage = testing::make_faulty_storage(inner, faults);

    FaultyBench() { open().value(); }
    Result<StoreInfo> open() {
        return test::run([&] { return storage->open({}); });
    }
    Result<CommitResult> commit() {
        return test::run([&] { return storage->commit(one_insert()); });
    }
    Result<Page> list(Storage& from) {
        return test::run([&] { return from.list({}); });
    }
    std::int64_t written() { return list(*inner).value().total; }

    static Transaction one_insert() {
        Transaction transaction;
        transaction.inserts.emplace_back();
        return transaction;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(faulty_storage)

BOOST_AUTO_TEST_CASE(fails_once_after_so_many_operations) {
    for (std::size_t after = 0; after < 4; ++after) {
        FaultyBench bench;
        bench.faults->plan({.after = after});
        for (std::size_t i = 0; i < 6; ++i) {
            auto result = bench.commit();
            BOOST_TEST(result.has_value() == (i != after));
            BOOST_TEST(bench.faults->happened() == (i >= after));
        }
        BOOST_TEST(bench.written() == 5);
        BOOST_TEST(bench.faults->operations() == 6U);
    }
}

BOOST_AUTO_TEST_CASE(fails_until_healed_when_told_to_repeat) {
    FaultyBench bench;
    bench.faults->plan({.after = 1, .repeat = true});
    BOOST_TEST(bench.commit().has_value());
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(bench.commit().error().is(Errc::storage_failed));
    bench.faults->heal();
    BOOST_TEST(bench.commit().has_value());
}

BOOST_AUTO_TEST_CASE(reads_can_be_left_out) {
    FaultyBench bench;
    bench.faults->plan({.commits_only = true});
    BOOST_TEST(bench.list(*bench.storage).has_value());
    BOOST_TEST(bench.commit().error().is(Errc::storage_failed));
    bench.faults->plan({});
    BOOST_TEST(bench.list(*bench.storage).error().is(Errc::storage_failed));
}

BOOST_AUTO_TEST_CASE(indeterminate_poisons_until_opened_again) {
    for (auto fault : {StorageFault::indeterminate_written, StorageFault::indeterminate_lost}) {
        FaultyBench bench;
        bench.faults->plan({.fault = fault});
        BOOST_TEST(bench.commit().error().is(Errc::indeterminate));
        BOOST_TEST(bench.commit().error().is(Errc::indeterminate));
        BOOST_TEST(bench.list(*bench.storage).error().is(Errc::indeterminate));
        BOOST_TEST(bench.open().has_value());
        BOOST_TEST(bench.written() == (fault == StorageFault::indeterminate_written ? 1 : 0));
        BOOST_TEST(bench.commit().has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_failing_open_does_not_cure) {
    FaultyBench bench;
    bench.faults->plan({.fault = StorageFault::indeterminate_lost, .repeat = true});
    BOOST_TEST(bench.commit().error().is(Errc::indeterminate));
    BOOST_TEST(bench.open().error().is(Errc::storage_failed));
    BOOST_TEST(bench.commit().error().is(Errc::indeterminate));
    bench.faults->heal();
    BOOST_TEST(bench.commit().error().is(Errc::indeterminate));
    BOOST_TEST(bench.open().has_value());
    BOOST_TEST(bench.commit().has_value());
}

BOOST_AUTO_TEST_CASE(held_commits_wait_at_the_gate) {
    for (auto point : {StorageFaults::Hold::before_writing, StorageFaults::Hold::after_writing}) {
        FaultyBench bench;
        bench.faults->hold_commits(point);
        boost::asio::io_context loop;
        int completed = 0;
        for (int i = 0; i < 3; ++i)
            boost::asio::co_spawn(loop, bench.storage->commit(FaultyBench::one_insert()),
                                  [&](std::exception_ptr, Result<CommitResult> result) {
                                      completed += result ? 1 : 0;
                                  });
        bool seen = false;
        boost::asio::co_spawn(loop, bench.faults->until_held(3),
                              [&](std::exception_ptr) { seen = true; });
        while (!seen)
            loop.run_one();
        BOOST_TEST(completed == 0);
        BOOST_TEST(bench.written() == (point == StorageFaults::Hold::after_writing ? 3 : 0));
        BOOST_TEST(bench.faults->let_one_go());
        while (completed < 1)
            loop.run_one();
        BOOST_TEST(bench.faults->held() == 2U);
        bench.faults->let_go();
        loop.run();
        BOOST_TEST(completed == 3);
        BOOST_TEST(bench.written() == 3);
        BOOST_TEST(!bench.faults->let_one_go());
    }
}

BOOST_AUTO_TEST_SUITE_END()
