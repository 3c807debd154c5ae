// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_STORE_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_STORE_HPP

#include "storages/sqlite/reader.hpp"
#include "storages/sqlite/writer.hpp"

#include <memory>
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
};

/// Opens or makes the database. Blocks. Errors: storage_failed, with what to do.
Result<std::unique_ptr<Store>> open_store(const std::string& path, const std::string& vfs);

}  // namespace sparkhost::detail::sqlite

#endif
