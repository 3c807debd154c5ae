// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_LOG_REWRITE_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_LOG_REWRITE_HPP

#include <sparkhost/error.hpp>

#include <string>

namespace sparkhost::detail::sqlite {

/// Writes the bytes of a left-over write-ahead log to the log again and syncs it.
///
/// After a failed fsync the kernel may hold log pages that it calls clean but that never got to
/// the disk. A checkpoint would sync the log (which then "succeeds"), copy it into the database
/// and, were the power cut in the middle, leave a new database beside an older log that recovery
/// would lay over it. Written again, the pages are dirty again, and the sync means something.
///
/// Does nothing if there is no log, or if the database is not one of ours. No connection may
/// be open. Errors: storage_failed, also where a log is `expected` and there is none.
enum class Log { may_be_there, must_be_there };
Result<void> rewrite_log(const std::string& path, const std::string& vfs, Log expected);

}  // namespace sparkhost::detail::sqlite

#endif
