// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/store.hpp"

#include "storages/sqlite/failure.hpp"
#include "storages/sqlite/schema.hpp"

#include "crash_point.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace sparkhost::detail::sqlite {

namespace {

constexpr int busy_wait_ms = 5000;  // for someone looking at the file with another tool

/// Batches may carry secrets: a new database is for its owner only. SQLite gives its log and
/// index files the permissions of the database.
void make_private_file(const std::string& path) {
    int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor >= 0)
        ::close(descriptor);  // SQLite reports what else may be wrong
}

SQLite::Database connect(const std::string& path, const std::string& vfs) {
    int flags = SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX;
    SQLite::Database database(path, flags, busy_wait_ms, vfs);
    database.exec(
        "PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;"
        "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0");
    return database;
}

void keep_log_at_close(SQLite::Database& database) {
    sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

/// Everything in the log goes to the database, synced, and the log is emptied.
void move_log(SQLite::Database& database) {
    if (database.execAndGet("PRAGMA wal_checkpoint(TRUNCATE)").getInt() != 0)
        throw Exception(Error(Errc::storage_failed,
                              "another program holds the database: end it (checkpoint is busy)"));
}

/// Cheap on purpose: whether the file has all of its pages. `PRAGMA quick_check` is for people.
Result<void> check_size(SQLite::Database& database, const std::string& path) {
    auto pages = database.execAndGet("PRAGMA page_count").getInt64();
    auto page_size = database.execAndGet("PRAGMA page_size").getInt64();
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0 || file.st_size < pages * page_size)
        return Error(Errc::storage_failed, "the database is damaged: " + path +
                                               " is shorter than it should be; "
                                               "restore it from a backup");
    return ok();
}

/// Every page, but not what indexes say: seconds for a store of a hundred thousand batches.
Result<void> check_pages(SQLite::Database& database) {
    auto found = database.execAndGet("PRAGMA quick_check(1)").getString();
    if (found == "ok")
        return ok();
    return Error(Errc::storage_failed,
                 "the database is damaged: restore it from a backup (" + found + ")");
}

/// What is answered must not go back to an earlier state under the same numbers.
Result<void> check_known(SQLite::Database& database, const StoreInfo& known) {
    auto uuid = database.execAndGet("SELECT value FROM meta WHERE name = 'uuid'").getString();
    auto last = database.execAndGet("SELECT value FROM counters WHERE name = 'last_sequence'");
    if (uuid != known.uuid)
        return Error(Errc::storage_failed,
                     "this is another store than the one that was open: put that one back, or end "
                     "this program before another takes its place");
    if (last.getInt64() < known.last_sequence)
        return Error(Errc::storage_failed,
                     "the store lacks what has been stored in it (event " +
                         std::to_string(known.last_sequence) + "; it ends with " +
                         std::to_string(last.getInt64()) +
                         "): put its files back, or end this program before a backup takes their "
                         "place");
    return ok();
}

/// The connection that makes sure that the file is ours, whole, and of today's schema.
Result<SQLite::Database> prepare(const OpenRequest& request) {
    const auto& path = request.path;
    auto database = connect(path, request.vfs);
    auto identity = identify(database, migrations().size());
    if (!identity) {
        keep_log_at_close(database);  // a stranger's
        return identity.error();
    }
    if (database.execAndGet("PRAGMA journal_mode = WAL").getString() != "wal")
        return Error(Errc::storage_failed, "the file system of " + path +
                                               " does not allow a write-ahead log: choose a "
                                               "folder on a local disk");
    keep_log_at_close(database);  // until it is known to be sound
    if (request.known) {
        if (identity->fresh)
            return Error(Errc::storage_failed, "the store has been emptied: put it back");
        if (auto same = check_known(database, *request.known); !same)
            return same.error();
    }
    migrate(database, *identity, migrations());
    SPARKHOST_CRASH_POINT("sqlite.open.migrated");
    move_log(database);
    SPARKHOST_CRASH_POINT("sqlite.open.log_moved");
    if (auto whole = check_size(database, path); !whole)
        return whole.error();
    if (request.check_pages) {
        if (auto whole = check_pages(database); !whole)
            return whole.error();
    }
    sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    return database;
}

Result<std::unique_ptr<Store>> connect_all(const OpenRequest& request) {
    const auto& [path, vfs, log, known, check] = request;
    if (auto rewritten = rewrite_log(path, vfs, log); !rewritten)
        return rewritten.error();
    SPARKHOST_CRASH_POINT("sqlite.open.log_rewritten");
    auto first = prepare(request);
    if (!first)
        return first.error();
    auto for_reading = connect(path, vfs);
    for_reading.exec("PRAGMA query_only = ON");
    auto store =
        std::make_unique<Store>(std::move(*first), std::move(for_reading), connect(path, vfs));
    store->info = store->writer.info();
    store->info.uuid = store->reader.uuid();
    store->guard = FileGuard(path);
    return store;
}

}  // namespace

Store::Store(SQLite::Database for_writing, SQLite::Database for_reading,
             SQLite::Database for_checkpoints)
    : writer(std::move(for_writing)),
      reader(std::move(for_reading)),
      checkpoints(std::move(for_checkpoints)) {}

void Store::distrust() {
    keep_log_at_close(writer.database());
    keep_log_at_close(reader.database());
    keep_log_at_close(checkpoints);
}

Result<std::unique_ptr<Store>> open_store(const OpenRequest& request) {
    const auto& path = request.path;
    if (!request.known)
        make_private_file(path);
    auto attempt = [&]() -> Result<std::unique_ptr<Store>> {
        try {
            return connect_all(request);
        } catch (const std::exception& failure) {
            return classify(failure, Stage::reading);
        }
    };
    auto store = attempt();
    if (!store)
        return Error(Errc::storage_failed, "cannot open " + path + ": " + store.error().detail);
    return store;
}

}  // namespace sparkhost::detail::sqlite
