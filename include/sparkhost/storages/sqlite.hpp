// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_STORAGES_SQLITE_HPP
#define SPARKHOST_STORAGES_SQLITE_HPP

#include <sparkhost/storage.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace sparkhost {

struct SqliteStorageOptions {
    // --- behaviour ---
    /// Database file; its folder must exist and be writable. `<path>.lock` beside it is locked
    /// while the store is open. Required.
    std::string path{};

    // --- performance ---
    /// Transactions that may share one disk transaction. Must be greater than zero. Default: 512.
    std::size_t max_group{512};

    /// Name of the SQLite VFS to use; empty: SQLite's default. For fault injection.
    std::string vfs{};
};

/// Keeps records in one SQLite file (WAL, synchronous=FULL, group commit). Reads have a
/// connection of their own and never wait for a disk write.
/// Throws std::invalid_argument when an option breaks its rule; touches no file before open().
/// Other programs may read the file meanwhile, but not write it. Deep offsets cost the same as the
/// first page, unless joined with an owner or a cursor.
/// Lifetime: its destructor closes the file and gives the lock back; it waits for the disk
/// operation in progress, if there is one, and answers what is queued with storage_failed.
std::unique_ptr<Storage> make_sqlite_storage(SqliteStorageOptions options);

}  // namespace sparkhost

#endif
