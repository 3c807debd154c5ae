// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/log_rewrite.hpp"

#include "storages/sqlite/failure.hpp"
#include "storages/sqlite/schema.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace sparkhost::detail::sqlite {

namespace {

using FileName = std::unique_ptr<const char, void (*)(const char*)>;

/// A file opened through an SQLite VFS, so that faults and power cuts can be simulated.
class VfsFile {
public:
    explicit VfsFile(sqlite3_vfs& vfs)
        : memory_(static_cast<std::size_t>(vfs.szOsFile)),
          file_(reinterpret_cast<sqlite3_file*>(memory_.data())) {}
    ~VfsFile() {
        if (file_->pMethods)
            file_->pMethods->xClose(file_);
    }
    VfsFile(const VfsFile&) = delete;
    VfsFile& operator=(const VfsFile&) = delete;

    sqlite3_file* get() noexcept { return file_; }
    const sqlite3_io_methods& operator*() noexcept { return *file_->pMethods; }

private:
    std::vector<std::byte> memory_;  // zeroed; operator new aligns it for every type
    sqlite3_file* file_;
};

int open_file(sqlite3_vfs& vfs, const char* name, int flags, VfsFile& file) {
    int ignored = 0;
    return vfs.xOpen(&vfs, name, file.get(), flags, &ignored);
}

bool has_our_header(sqlite3_vfs& vfs, const char* name) {
    constexpr sqlite3_int64 application_id_offset = 68;  // SQLite file format, section 1.3
    VfsFile file(vfs);
    std::array<unsigned char, 4> found{};
    if (open_file(vfs, name, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, file) != SQLITE_OK)
        return false;
    if ((*file).xRead(file.get(), found.data(), found.size(), application_id_offset) != SQLITE_OK)
        return false;
    std::uint32_t id = 0;
    for (auto byte : found)
        id = id << 8 | byte;
    return id == static_cast<std::uint32_t>(application_id);
}

int rewrite_file(sqlite3_vfs& vfs, const char* name) {
    constexpr sqlite3_int64 chunk = 1 << 16;  // SQLite's unix VFS does not write 128 KiB at once
    VfsFile file(vfs);
    auto code = open_file(vfs, name, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, file);
    if (code != SQLITE_OK)
        return code;
    sqlite3_int64 size = 0;
    code = (*file).xFileSize(file.get(), &size);
    std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(size, chunk)));
    for (sqlite3_int64 at = 0; at < size && code == SQLITE_OK; at += chunk) {
        auto count = static_cast<int>(std::min(chunk, size - at));
        code = (*file).xRead(file.get(), buffer.data(), count, at);
        if (code == SQLITE_OK)
            code = (*file).xWrite(file.get(), buffer.data(), count, at);
    }
    return code == SQLITE_OK ? (*file).xSync(file.get(), SQLITE_SYNC_FULL) : code;
}

Error log_is_missing(const std::string& path, const std::string& log) {
    return Error(Errc::storage_failed,
                 "the log " + log +
                     " is missing, and with it what was stored last: the last server ended "
                     "without closing the store. Put the log back. If nothing is lost (another "
                     "program, such as sqlite3, has opened the store since, and has moved the log "
                     "into it) or losing it is right (after a backup was restored), remove " +
                     path + ".lock and start again");
}

}  // namespace

Result<void> rewrite_log(const std::string& path, const std::string& vfs, Log expected) {
    auto* system = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
    if (!system)
        return Error(Errc::storage_failed, "there is no SQLite VFS called " + vfs);
    auto log = path + "-wal";
    int exists = 0;
    system->xAccess(system, log.c_str(), SQLITE_ACCESS_EXISTS, &exists);
    FileName name(sqlite3_create_filename(path.c_str(), "", log.c_str(), 0, nullptr),
                  [](const char* text) { sqlite3_free_filename(const_cast<char*>(text)); });
    if ((!exists && expected == Log::may_be_there) || !has_our_header(*system, name.get()))
        return ok();
    if (!exists)  // or it is empty: SQLite makes no difference
        return ::access(log.c_str(), F_OK) == 0 ? ok() : log_is_missing(path, log);
    auto code = rewrite_file(*system, sqlite3_filename_wal(name.get()));
    if (code == SQLITE_OK)
        return ok();
    auto error = classify(code, Stage::reading, "while writing " + log + " again");
    return Error(Errc::storage_failed, error.detail);
}

}  // namespace sparkhost::detail::sqlite
