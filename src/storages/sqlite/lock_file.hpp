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
    LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    LockFile& operator=(LockFile&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~LockFile();

    bool held() const noexcept { return descriptor_ >= 0; }

    /// Errors: storage_failed – held by someone (named by process id), or the folder is missing
    /// or not writable.
    static Result<LockFile> acquire(const std::string& database);

private:
    int descriptor_{-1};
};

}  // namespace sparkhost::detail::sqlite

#endif
