// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/file_guard.hpp"

#include <sys/stat.h>

namespace sparkhost::detail::sqlite {

FileGuard::FileGuard(const std::string& database)
    : files_{File{database}, File{database + "-wal"}, File{database + "-shm"}} {
    for (auto& file : files_) {
        struct stat found {};
        if (::stat(file.path.c_str(), &found) == 0) {
            file.device = found.st_dev;
            file.number = found.st_ino;
        }
    }
}

bool FileGuard::in_place(const File& file) {
    struct stat found {};
    return ::stat(file.path.c_str(), &found) == 0 && found.st_dev == file.device &&
           found.st_ino == file.number;
}

FileGuard::Finding FileGuard::look() const {
    if (!in_place(files_[0]))
        return Finding::database_gone;
    return in_place(files_[1]) && in_place(files_[2]) ? Finding::in_place : Finding::log_gone;
}

Error FileGuard::error(Finding finding) const {
    if (finding == Finding::log_gone)
        return Error(Errc::indeterminate, files_[1].path + " or " + files_[2].path +
                                              " has been removed or replaced while it was in use: "
                                              "leave the files of a running store alone");
    return Error(Errc::indeterminate,
                 files_[0].path +
                     " has been removed, moved or replaced while it was in use: put it back, or "
                     "end this program before another file takes its place");
}

}  // namespace sparkhost::detail::sqlite
