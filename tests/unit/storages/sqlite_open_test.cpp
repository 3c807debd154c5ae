// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/schema.hpp"
#include "unit/storages/sqlite_bench.hpp"

#include <SQLiteCpp/Database.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

namespace {

using namespace sparkhost;
namespace fs = std::filesystem;
namespace sqlite = sparkhost::detail::sqlite;

bool says(const Error& error, const std::string& words) {
    BOOST_TEST_INFO(error.detail);
    return error.is(Errc::storage_failed) && error.detail.find(words) != std::string::npos;
}

/// A store with a few records, closed.
void make_store(test::SqliteBench& bench) {
    bench.open().value();
    for (int i = 0; i < 20; ++i)
        bench.commit(test::insert_of(std::string(2000, 'x'))).value();
    bench.storage.reset();
}

void edit(test::SqliteBench& bench, const std::string& sql) {
    SQLite::Database database(bench.options.path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(sql);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sqlite_open)

BOOST_AUTO_TEST_CASE(wrong_options_throw) {
    BOOST_CHECK_THROW(make_sqlite_storage({}), std::invalid_argument);
    BOOST_CHECK_THROW(make_sqlite_storage({.path = "x", .max_group = 0}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(making_a_handle_touches_no_file) {
    test::SqliteBench bench;
    auto storage = make_sqlite_storage(bench.options);
    BOOST_TEST(fs::is_empty(bench.folder.path()));
}

BOOST_AUTO_TEST_CASE(an_unknown_vfs_is_refused) {
    test::SqliteBench bench;
    bench.options.vfs = "no such thing";
    BOOST_TEST(says(bench.open().error(), "no such thing"));
}

BOOST_AUTO_TEST_CASE(a_missing_folder_is_named) {
    test::SqliteBench bench;
    bench.options.path = (bench.folder / "not/there.db").string();
    BOOST_TEST(says(bench.open().error(), "not/there.db"));
    BOOST_TEST(says(bench.reopen().error(), "its folder does not exist"));
}

BOOST_AUTO_TEST_CASE(a_folder_without_write_permission_is_refused) {
    if (::geteuid() == 0)
        return;  // root may write everywhere
    test::SqliteBench bench;
    fs::permissions(bench.folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    BOOST_TEST(says(bench.open().error(), "the right to write"));
    fs::permissions(bench.folder.path(), fs::perms::owner_all);
}

BOOST_AUTO_TEST_CASE(a_folder_in_place_of_the_file_is_refused) {
    test::SqliteBench bench;
    fs::create_directory(bench.options.path);
    BOOST_TEST(says(bench.open().error(), "cannot open"));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_database_is_refused_and_left_alone) {
    test::SqliteBench bench;
    auto text = std::string(10'000, 'x');
    bench.folder.write("jobs.db", text);
    BOOST_TEST(says(bench.open().error(), "not an SQLite database"));
    BOOST_TEST(test::read_text(bench.options.path) == text);
}

BOOST_AUTO_TEST_CASE(a_strangers_database_is_refused_and_left_alone) {
    test::SqliteBench bench;
    edit(bench, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
    auto before = test::read_text(bench.options.path);
    BOOST_TEST(says(bench.open().error(), "another program"));
    BOOST_TEST((before == test::read_text(bench.options.path)));
    BOOST_TEST(!fs::exists(bench.options.path + "-wal"));
}

BOOST_AUTO_TEST_CASE(an_empty_file_becomes_a_store) {
    test::SqliteBench bench;
    bench.folder.write("jobs.db", "");
    BOOST_TEST(bench.open().value().uuid.size() == 36U);
}

BOOST_AUTO_TEST_CASE(a_store_of_a_newer_version_is_refused) {
    test::SqliteBench bench;
    make_store(bench);
    edit(bench, "PRAGMA user_version = 7");
    auto error = bench.open().error();
    BOOST_TEST(says(error, "made by a newer sparkhost (schema 7, this one knows 1)"));
    BOOST_TEST(says(error, "use that version or another file"));
}

BOOST_AUTO_TEST_CASE(a_truncated_file_is_refused) {
    test::SqliteBench bench;
    make_store(bench);
    for (auto size : {fs::file_size(bench.options.path) - 4096, std::uintmax_t{5000}}) {
        fs::resize_file(bench.options.path, size);
        BOOST_TEST(says(bench.open().error(), "damaged"));
    }
}

BOOST_AUTO_TEST_CASE(a_store_without_its_tables_is_refused) {
    test::SqliteBench bench;
    make_store(bench);
    edit(bench, "DROP TABLE buckets");
    BOOST_TEST(says(bench.open().error(), "buckets"));
}

BOOST_AUTO_TEST_CASE(the_refusal_of_a_second_opener_names_path_and_process) {
    test::SqliteBench first;
    first.open().value();
    test::SqliteBench second;
    second.options.path = first.options.path;
    auto error = second.open().error();
    BOOST_TEST(says(error, first.options.path));
    BOOST_TEST(says(error, "process " + std::to_string(::getpid())));
    first.storage.reset();
    second.open().value();
}

BOOST_AUTO_TEST_CASE(a_lock_that_a_killed_host_has_left_with_a_copy_of_itself_is_waited_for) {
    test::SqliteBench bench;
    const int file = ::open((bench.options.path + ".lock").c_str(), O_RDWR | O_CREAT, 0600);
    BOOST_REQUIRE(::flock(file, LOCK_EX | LOCK_NB) == 0);
    const pid_t host = ::fork();  // its number is that of nobody when it has been reaped
    if (host == 0)
        ::_exit(0);
    const auto text = std::to_string(host) + "\n";
    BOOST_REQUIRE(::pwrite(file, text.data(), text.size(), 0) > 0);
    BOOST_REQUIRE(::waitpid(host, nullptr, 0) == host);
    const pid_t copy = ::fork();
    if (copy == 0) {
        ::poll(nullptr, 0, 200);  // on its way to exec
        ::_exit(0);
    }
    ::close(file);
    BOOST_TEST(bench.open().has_value());
    ::waitpid(copy, nullptr, 0);
}

BOOST_AUTO_TEST_CASE(a_failed_open_gives_the_lock_back) {
    test::SqliteBench bench;
    bench.folder.write("jobs.db", std::string(10'000, 'x'));
    BOOST_TEST(!bench.open().has_value());
    test::SqliteBench other;
    other.options.path = bench.options.path;
    fs::remove(bench.options.path);
    BOOST_TEST(other.open().has_value());
}

BOOST_AUTO_TEST_CASE(files_are_for_their_owner_only) {
    test::SqliteBench bench;
    bench.open().value();
    bench.commit(test::insert_of("x")).value();
    for (auto suffix : {"", "-wal", "-shm", ".lock"}) {
        auto others = fs::perms::group_all | fs::perms::others_all;
        auto mode = fs::status(bench.options.path + suffix).permissions();
        BOOST_TEST_CONTEXT("file " << suffix)
        BOOST_TEST(static_cast<int>(mode & others) == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_clean_close_leaves_one_file_and_the_lock) {
    test::SqliteBench bench;
    make_store(bench);
    BOOST_TEST(!fs::exists(bench.options.path + "-wal"));
    BOOST_TEST(!fs::exists(bench.options.path + "-shm"));
    BOOST_TEST(fs::exists(bench.options.path));
}

BOOST_AUTO_TEST_CASE(migrations_are_taken_from_where_the_database_is) {
    SQLite::Database database(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    const std::vector<const char*> steps{"CREATE TABLE meta (name, value); CREATE TABLE one (a)",
                                         "INSERT INTO one VALUES (2)",
                                         "INSERT INTO one VALUES (3)"};
    auto first = std::span(steps).first(1);
    sqlite::migrate(database, sqlite::identify(database, 1).value(), first);
    BOOST_TEST(database.execAndGet("PRAGMA user_version").getInt() == 1);
    auto uuid = database.execAndGet("SELECT value FROM meta").getString();
    sqlite::migrate(database, sqlite::identify(database, 3).value(), steps);
    BOOST_TEST(database.execAndGet("PRAGMA user_version").getInt() == 3);
    BOOST_TEST(database.execAndGet("SELECT sum(a) FROM one").getInt() == 5);
    BOOST_TEST(database.execAndGet("SELECT value FROM meta").getString() == uuid);
    BOOST_TEST(sqlite::identify(database, 2).error().is(Errc::storage_failed));
}

BOOST_AUTO_TEST_CASE(row_numbers_keep_kinds_apart) {
    for (auto key : {RecordKey{RecordKind::batch, 0}, RecordKey{RecordKind::batch, 123'456'789},
                     RecordKey{static_cast<RecordKind>(300), (std::int64_t{1} << 48) - 1}})
        BOOST_TEST((sqlite::key_of(sqlite::row_of(key)) == key));
    BOOST_TEST(sqlite::row_of({RecordKind::batch, (std::int64_t{1} << 48) - 1}) <
               sqlite::row_of({static_cast<RecordKind>(2), 0}));
    BOOST_TEST(!sqlite::is_possible({RecordKind::batch, -1}));
    BOOST_TEST(!sqlite::is_possible({RecordKind::batch, std::int64_t{1} << 48}));
}

BOOST_AUTO_TEST_SUITE_END()
