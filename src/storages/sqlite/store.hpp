// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_STORE_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_STORE_HPP

#include "storages/sqlite/file_guard.hpp"
#include "storages/sqlite/log_rewrite.hpp"
#include "storages/sqlite/reader.hpp"
#include "storages/sqlite/writer.hpp"

#include <memory>
#include <optional>
#include <string>

namespace sparkhost::detail::sqlite {

/// The open connections of one database file: one to write, one to read, one to move the log
/// into the database while the others work.
struct Store {
    Store(SQLite::Database for_writing, SQLite::Database for_reading,
          SQLite::Database for_checkpoints);

    /// Does not touch the file when it closes, as a close would otherwise do a checkpoint on
    /// data that a failed fsync has made doubtful.
    void distrust();

    Writer writer;
    Reader reader;
    SQLite::Database checkpoints;
    StoreInfo info;
    FileGuard guard;
};

struct OpenRequest {
    std::string path{};
    std::string vfs{};
    Log log{Log::may_be_there};
    /// Opened again: it must be the same store, with all that has been acknowledged since.
    std::optional<StoreInfo> known{};
    bool check_pages{false};  ///< reads all of it: it has been found damaged
};

/// Opens or makes the database. Blocks. Errors: storage_failed, with what to do.
Result<std::unique_ptr<Store>> open_store(const OpenRequest& request);

}  // namespace sparkhost::detail::sqlite

#endif
