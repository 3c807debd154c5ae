// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_FILE_GUARD_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_FILE_GUARD_HPP

#include <sparkhost/error.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace sparkhost::detail::sqlite {

/// Notices that somebody has removed, moved or replaced files of a store while it is open.
///
/// SQLite keeps its descriptors and would go on writing to files that no name leads to: every
/// commit would succeed, and be gone with the process. A look is three calls of stat.
class FileGuard {
public:
    enum class Finding {
        in_place,
        log_gone,       ///< the log or its index: what it holds is still in our hands
        database_gone,  ///< the database itself
    };

    FileGuard() = default;
    /// Remembers which files have the names now.
    explicit FileGuard(const std::string& database);

    Finding look() const;
    /// What to tell. Errc::indeterminate, as what has just been written is in no file.
    Error error(Finding finding) const;

private:
    struct File {
        std::string path{};
        std::uint64_t device{0};
        std::uint64_t number{0};
    };
    static bool in_place(const File& file);

    std::array<File, 3> files_{};  ///< the database, its log, the log's index
};

}  // namespace sparkhost::detail::sqlite

#endif
