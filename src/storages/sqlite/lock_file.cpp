// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/lock_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace sparkhost::detail::sqlite {

namespace {

constexpr const char* open_mark = " open";

std::string read_holder(int descriptor) {
    std::array<char, 32> text{};
    auto size = ::pread(descriptor, text.data(), text.size() - 1, 0);
    return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

/// The process, for whoever finds the store in use.
bool write_holder(int descriptor, const std::string& mark) noexcept {
    auto text = std::to_string(::getpid()) + mark + "\n";
    return ::ftruncate(descriptor, 0) == 0 &&
           ::pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

std::string holders_pid(int descriptor) {
    auto holder = read_holder(descriptor);
    holder.resize(std::min(holder.size(), holder.find_first_not_of("0123456789")));
    return holder;
}

std::string lock_holder(int descriptor) {
    auto holder = holders_pid(descriptor);
    return holder.empty() ? "another process" : "process " + holder;
}

/// A host that was killed while it started a program leaves a copy of itself for a moment, between
/// fork and exec, and that has the lock.
bool is_left_by_the_dead(int descriptor) {
    auto holder = std::atoi(holders_pid(descriptor).c_str());
    return holder > 0 && ::kill(holder, 0) != 0 && errno == ESRCH;
}

bool take_lock(int descriptor) {
    constexpr int attempts = 100;
    constexpr int pause_ms = 20;
    for (int attempt = 1;; ++attempt) {
        if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            return true;
        const int failure = errno;
        if (failure != EWOULDBLOCK || attempt == attempts || !is_left_by_the_dead(descriptor)) {
            errno = failure;
            return false;
        }
        ::poll(nullptr, 0, pause_ms);  // nobody tells when it has gone
    }
}

Error cannot_lock(const std::string& path, int error) {
    std::string advice;
    if (error == ENOENT || error == ENOTDIR)
        advice = ": its folder does not exist; make it or choose another path";
    else if (error == EACCES || error == EPERM || error == EROFS)
        advice = ": give this user the right to write in its folder or choose another path";
    return Error(Errc::storage_failed,
                 "cannot make the lock file " + path + " (" + std::strerror(error) + ")" + advice);
}

}  // namespace

LockFile::~LockFile() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

bool LockFile::in_place(const std::string& database) const noexcept {
    struct stat named {};
    struct stat locked {};
    return ::stat((database + ".lock").c_str(), &named) == 0 &&
           ::fstat(descriptor_, &locked) == 0 && named.st_dev == locked.st_dev &&
           named.st_ino == locked.st_ino;
}

void LockFile::mark_open(const std::string& database) const noexcept {
    // The name of the log first: after a power cut the mark must not be there without it.
    auto slash = database.find_last_of('/');
    auto folder = slash == std::string::npos ? "." : database.substr(0, slash + 1);
    int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    if (descriptor >= 0)
        ::close(descriptor);
    if (synced)
        write_holder(descriptor_, open_mark);
}

void LockFile::mark_closed() const noexcept {
    // Before SQLite removes the log, for the same reason.
    write_holder(descriptor_, "");
    ::fdatasync(descriptor_);
}

Result<LockFile> LockFile::acquire(const std::string& database) {
    auto path = database + ".lock";
    LockFile lock;
    lock.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock.descriptor_ < 0)
        return cannot_lock(path, errno);
    if (!take_lock(lock.descriptor_)) {
        if (errno != EWOULDBLOCK)
            return cannot_lock(path, errno);
        return Error(Errc::storage_failed, "the store " + database + " is in use by " +
                                               lock_holder(lock.descriptor_) +
                                               ": stop that one or choose another path");
    }
    lock.left_open_ = read_holder(lock.descriptor_).find(open_mark) != std::string::npos;
    if (!write_holder(lock.descriptor_, lock.left_open_ ? open_mark : ""))
        return cannot_lock(path, errno);  // the disk may be full: nothing else would work either
    return lock;
}

}  // namespace sparkhost::detail::sqlite
