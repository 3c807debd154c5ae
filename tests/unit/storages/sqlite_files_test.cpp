// SPDX-License-Identifier: Apache-2.0

// What people and programs do to the files of a store: while it is open, and between two opens.

#include "unit/storages/sqlite_bench.hpp"

#include <sqlite3.h>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

namespace {

using namespace sparkhost;
namespace fs = std::filesystem;

bool contains(const Error& error, const std::string& words) {
    BOOST_TEST_INFO(error.detail);
    return error.detail.find(words) != std::string::npos;
}

struct OpenStore : test::SqliteBench {
    OpenStore() {
        open().value();
        for (int i = 0; i < 20; ++i)
            commit(test::insert_of(std::string(2000, 'x'))).value();
    }
    std::string file(const std::string& suffix = {}) const { return options.path + suffix; }
    std::int64_t records() { return list().value().total; }
    /// The bytes stay in the same file.
    static void overwrite(const std::string& path, const std::string& content) {
        std::ofstream(path, std::ios::binary | std::ios::in)
            .write(content.data(), static_cast<std::streamsize>(content.size()));
    }
};

struct Mishap {
    std::string name;
    std::function<void(OpenStore&)> happen;
    std::string told;     ///< by the operations that meet it
    std::string refusal;  ///< by open(), where that cannot heal it
    std::function<void(OpenStore&)> undo;
};

std::vector<Mishap> mishaps() {
    auto remove = [](std::string suffix) {
        return [suffix](OpenStore& store) { fs::remove(store.file(suffix)); };
    };
    auto move_away = [](OpenStore& store) { fs::rename(store.file(), store.file(".away")); };
    auto move_back = [](OpenStore& store) { fs::rename(store.file(".away"), store.file()); };
    auto replace = [](OpenStore& store) {
        fs::rename(store.file(), store.file(".away"));
        fs::copy_file(store.file(".away"), store.file());
    };
    return {
        {"moved", move_away, "moved or replaced", "put it back", move_back},
        {"replaced", replace, "moved or replaced", "put it back", move_back},
        {"log removed", remove("-wal"), "-wal", {}, {}},
        {"index of the log removed", remove("-shm"), "-shm", {}, {}},
        {"lock removed", remove(".lock"), ".lock", {}, {}},
    };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sqlite_files)

BOOST_AUTO_TEST_CASE(nobody_is_told_success_for_what_went_into_a_file_without_a_name) {
    for (const auto& mishap : mishaps()) {
        BOOST_TEST_CONTEXT(mishap.name) {
            OpenStore store;
            mishap.happen(store);
            auto told = store.commit(test::insert_of("into nothing?")).error();
            BOOST_TEST(told.is(Errc::indeterminate));
            BOOST_TEST(contains(told, mishap.told));
            BOOST_TEST(store.find(0).error().is(Errc::indeterminate));
            BOOST_TEST(!store.storage->stats().healthy);
            if (!mishap.refusal.empty()) {
                const bool there = fs::exists(store.file());
                for (int i = 0; i < 2; ++i) {
                    auto refused = store.reopen().error();
                    BOOST_TEST(refused.is(Errc::storage_failed));
                    BOOST_TEST(contains(refused, mishap.refusal));
                }
                BOOST_TEST(fs::exists(store.file()) == there);  // no new store in its place
                mishap.undo(store);
            }
            store.reopen().value();
            BOOST_TEST(store.records() >= 20);
            BOOST_TEST(store.find(19).value().body.size() == 2000U);
            store.commit(test::insert_of("again")).value();
            const auto whole = store.records();
            store.open().value();
            BOOST_TEST(store.records() == whole);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_read_notices_it_too) {
    for (const auto& mishap : mishaps()) {
        BOOST_TEST_CONTEXT(mishap.name) {
            OpenStore store;
            mishap.happen(store);
            BOOST_TEST(store.list().error().is(Errc::indeterminate));
            BOOST_TEST(store.storage->stats()
                           .failures_by_kind[static_cast<std::size_t>(StorageFailure::moved)] ==
                       1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_a_removed_log_held_is_on_the_disk_after_reopening) {
    OpenStore store;
    fs::remove(store.file("-wal"));
    BOOST_TEST(store.list().error().is(Errc::indeterminate));
    store.reopen().value();
    BOOST_TEST(store.records() == 20);
    test::SqliteBench after_power_cut;
    test::restore(store.vfs.cut_power(test::Unsynced::lost),
                  after_power_cut.folder.path().string());
    after_power_cut.open().value();
    BOOST_TEST(after_power_cut.list().value().total == 20);
}

BOOST_AUTO_TEST_CASE(a_backup_put_in_place_of_a_running_store_is_refused) {
    OpenStore store;
    store.open().value();  // all of it is in the database
    auto backup = test::read_text(store.file());
    store.commit(test::insert_of("newer")).value();
    store.open().value();
    store.commit(test::insert_of("newest")).value();
    store.vfs.plan({test::FaultVfs::bit(test::FaultVfs::Op::sync), 0, SQLITE_IOERR_FSYNC, false});
    BOOST_TEST(store.commit(test::insert_of("?")).error().is(Errc::indeterminate));
    auto today = test::read_text(store.file());
    auto log = test::read_text(store.file("-wal"));
    OpenStore::overwrite(store.file(), backup);
    OpenStore::overwrite(store.file("-wal"), std::string(log.size(), '\0'));
    auto refused = store.reopen().error();
    BOOST_TEST(refused.is(Errc::storage_failed));
    BOOST_TEST(contains(refused, "lacks what has been stored"));
    OpenStore::overwrite(store.file(), today);
    OpenStore::overwrite(store.file("-wal"), log);
    store.reopen().value();
    BOOST_TEST(store.records() >= 22);
}

BOOST_AUTO_TEST_CASE(a_store_that_was_left_open_must_still_have_its_log) {
    OpenStore store;
    test::SqliteBench next;
    for (auto suffix : {"", "-wal", ".lock"})  // as a kill -9 leaves them
        fs::copy_file(store.file(suffix), next.options.path + suffix);
    fs::remove(next.options.path + "-wal");
    for (int i = 0; i < 2; ++i) {
        auto refused = next.open().error();
        BOOST_TEST(refused.is(Errc::storage_failed));
        BOOST_TEST(contains(refused, "jobs.db-wal is missing"));
        BOOST_TEST(contains(refused, "remove " + next.options.path + ".lock"));
    }
    fs::copy_file(store.file("-wal"), next.options.path + "-wal");
    next.open().value();
    BOOST_TEST(next.list().value().total == 20);
    next.open().value();  // closed in order meanwhile: there need be none
    BOOST_TEST(next.list().value().total == 20);
}

BOOST_AUTO_TEST_CASE(a_store_that_is_closed_while_it_has_work_is_closed_in_order) {
    test::SqliteBench store;
    auto much = test::insert_of(std::string(2000, 'x'));
    much.inserts.resize(5000, much.inserts[0]);
    for (int i = 0; i < 10; ++i) {
        store.open().value();        // refused where the last one was not
        store.commit(much).value();  // the log is moved to the database behind it
        store.storage.reset();
        BOOST_TEST(test::read_text(store.options.path + ".lock").find("open") == std::string::npos);
        store.io.restart();
        store.io.run();
    }
}

BOOST_AUTO_TEST_CASE(a_log_may_be_empty) {
    OpenStore store;
    store.open().value();  // nothing has been written since
    test::SqliteBench next;
    for (auto suffix : {"", "-wal", ".lock"})
        fs::copy_file(store.file(suffix), next.options.path + suffix);
    BOOST_TEST(fs::file_size(next.options.path + "-wal") == 0U);
    next.open().value();
    BOOST_TEST(next.list().value().total == 20);
}

BOOST_AUTO_TEST_CASE(the_log_may_go_where_the_lock_goes_too) {
    OpenStore store;
    store.open().value();
    test::SqliteBench next;
    fs::copy_file(store.file(), next.options.path);
    next.open().value();
    BOOST_TEST(next.list().value().total == 20);
}

BOOST_AUTO_TEST_CASE(a_page_that_makes_no_sense_stops_the_store_until_all_of_it_is_sound) {
    OpenStore store;
    store.open().value();  // the log is in the database now, and the cache is empty
    auto sound = test::read_text(store.file());
    auto damaged = sound;
    for (std::size_t page = 2; page * 4096 < damaged.size(); ++page)
        damaged.replace(page * 4096, 64, std::string(64, '\x5a'));
    OpenStore::overwrite(store.file(), damaged);
    BOOST_TEST(store.find(7).error().is(Errc::indeterminate));
    BOOST_TEST(store.commit(test::insert_of("x")).error().is(Errc::indeterminate));
    BOOST_TEST(!store.storage->stats().healthy);
    for (int i = 0; i < 2; ++i) {
        auto refused = store.reopen().error();
        BOOST_TEST(refused.is(Errc::storage_failed));
        BOOST_TEST(contains(refused, "damaged"));
        BOOST_TEST(contains(refused, "restore it from a backup"));
        BOOST_TEST(contains(refused, store.file()));
    }
    OpenStore::overwrite(store.file(), sound);
    store.reopen().value();
    BOOST_TEST(store.records() == 20);
}

BOOST_AUTO_TEST_CASE(a_probe_tells_whether_the_disk_takes_anything) {
    OpenStore store;
    auto probe = [&] { return test::run_on(store.io, [&] { return store.storage->probe(); }); };
    probe().value();
    store.vfs.plan({test::FaultVfs::bit(test::FaultVfs::Op::write), 0, SQLITE_FULL, true});
    BOOST_TEST(probe().error().is(Errc::storage_failed));
    BOOST_TEST(!store.storage->stats().healthy);
    store.vfs.heal();
    probe().value();
    BOOST_TEST(store.storage->stats().healthy);
    const auto before = store.events().value().size();
    probe().value();
    BOOST_TEST(store.events().value().size() == before);
    fs::remove(store.file("-wal"));
    BOOST_TEST(probe().error().is(Errc::indeterminate));
}

BOOST_AUTO_TEST_SUITE_END()
