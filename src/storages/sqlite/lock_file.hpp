// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_LOCK_FILE_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_LOCK_FILE_HPP

#include <sparkhost/error.hpp>

#include <string>
#include <utility>

namespace sparkhost::detail::sqlite {

/// `<database>.lock`, held with flock() for as long as this object lives. It excludes other
/// processes and other handles of the same process, and ends with the process. The file stays:
/// removing it would let two openers lock two different files of the same name.
class LockFile {
public:
    LockFile() = default;
    LockFile(LockFile&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), left_open_(other.left_open_) {}
    LockFile& operator=(LockFile&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        std::swap(left_open_, other.left_open_);
        return *this;
    }
    ~LockFile();

    bool held() const noexcept { return descriptor_ >= 0; }

    /// Whether the name still leads to the file that is locked. If not, another opener can have
    /// locked another file of this name.
    bool in_place(const std::string& database) const noexcept;

    /// The store is open: from now on there is a log, until mark_closed(). What cannot be written
    /// down is left out, and the next opener expects none.
    void mark_open(const std::string& database) const noexcept;
    void mark_closed() const noexcept;

    /// Whether whoever had the lock last ended between the two: the log must still be there.
    bool left_open() const noexcept { return left_open_; }

    /// Errors: storage_failed – held by someone (named by process id), or the folder is missing
    /// or not writable.
    static Result<LockFile> acquire(const std::string& database);

private:
    int descriptor_{-1};
    bool left_open_{false};
};

}  // namespace sparkhost::detail::sqlite

#endif
