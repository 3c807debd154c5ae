// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/shared_files.hpp"

#include "backends/common/posix_file.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>

#include <sys/stat.h>

namespace sparkhost::detail::yarn {

namespace {

constexpr std::size_t copied_at_once = 1u << 20;

/// A file under a name of its own until it is complete.
class DraftFile {
public:
    explicit DraftFile(const std::string& path) : path_(path) {
        static std::atomic<unsigned> counter{0};
        draft_ = path + ".tmp." + std::to_string(::getpid()) + "." +
                 std::to_string(counter.fetch_add(1));
    }
    ~DraftFile() {
        if (fd_) {
            ::unlink(draft_.c_str());
        }
    }
    DraftFile(const DraftFile&) = delete;
    DraftFile& operator=(const DraftFile&) = delete;

    Result<void> open() {
        auto opened = open_file(draft_, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (!opened) {
            return opened.error();
        }
        fd_ = std::move(*opened);
        return ok();
    }

    Result<void> append(std::string_view bytes) { return write_fully(fd_.get(), bytes, draft_); }

    Result<FileStatus> publish() {
        // whole seconds: what is finer, some versions of Java see and others do not
        struct stat status {};
        if (::fchmod(fd_.get(), 0644) != 0 || ::fstat(fd_.get(), &status) != 0) {
            return errno_error("write", draft_, errno);
        }
        const timespec second{status.st_mtim.tv_sec, 0};
        const timespec times[2] = {second, second};
        if (::futimens(fd_.get(), times) != 0 || ::fsync(fd_.get()) != 0) {
            return errno_error("write", draft_, errno);
        }
        if (::rename(draft_.c_str(), path_.c_str()) != 0) {
            return errno_error("rename", draft_, errno);
        }
        fd_.reset();
        return FileStatus{status.st_size, std::int64_t{second.tv_sec} * 1000};
    }

private:
    std::string path_;
    std::string draft_{};
    UniqueFd fd_{};
};

Result<void> copy_bytes(DraftFile& to, int from, const std::string& path) {
    std::string buffer(copied_at_once, '\0');
    for (;;) {
        const ssize_t got = ::read(from, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno_error("read", path, errno);
        }
        if (got == 0) {
            return ok();
        }
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
        if (auto written = to.append(bytes); !written) {
            return written;
        }
    }
}

}  // namespace

Result<FileStatus> write_shared_file(const std::string& path, std::string_view bytes) {
    DraftFile draft(path);
    if (auto opened = draft.open(); !opened) {
        return opened.error();
    }
    if (auto written = draft.append(bytes); !written) {
        return written.error();
    }
    return draft.publish();
}

Result<FileStatus> copy_shared_file(const std::string& path, const std::string& from) {
    auto source = open_file(from, O_RDONLY);
    if (!source) {
        return source.error();
    }
    DraftFile draft(path);
    if (auto opened = draft.open(); !opened) {
        return opened.error();
    }
    if (auto copied = copy_bytes(draft, source->get(), from); !copied) {
        return copied.error();
    }
    return draft.publish();
}

Result<FileStatus> shared_file_status(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return errno_error("look at", path, errno);
    }
    if (S_ISDIR(status.st_mode)) {
        return Error(Errc::backend_failed, "cannot look at " + path + ": it is a folder");
    }
    return FileStatus{status.st_size, std::int64_t{status.st_mtim.tv_sec} * 1000 +
                                          status.st_mtim.tv_nsec / 1'000'000};
}

}  // namespace sparkhost::detail::yarn
