// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_FAILURE_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_FAILURE_HPP

#include <sparkhost/error.hpp>
#include <sparkhost/storage.hpp>

#include <exception>
#include <string>
#include <utility>

namespace sparkhost::detail::sqlite {

/// Where a failure met us: it decides whether anything can have been written.
enum class Stage {
    reading,     ///< nothing was to be written
    writing,     ///< before COMMIT: SQLite rolls back
    committing,  ///< in COMMIT
    syncing      ///< in a checkpoint
};

/// An error, and which figure counts it.
struct Failure : Error {
    Failure(Error error, StorageFailure of) : Error(std::move(error)), kind(of) {}
    StorageFailure kind{StorageFailure::other};
};

/// What a failed SQLite call means, by its extended result code. Pure.
///
/// In COMMIT, an I/O error leaves open whether the log has got the transaction: indeterminate.
/// A failed fsync is indeterminate wherever it happens: the kernel may have dropped the pages
/// and call them clean, so a later fsync that succeeds proves nothing. Once a page turns out to be
/// damaged, nothing that was read can be trusted: indeterminate, too.
Failure classify(int extended_code, Stage stage, const std::string& words);

/// The same for an exception from SQLiteCpp, or any other.
Failure classify(const std::exception& failure, Stage stage);

}  // namespace sparkhost::detail::sqlite

#endif
