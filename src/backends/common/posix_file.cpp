// SPDX-License-Identifier: Apache-2.0
#include "backends/common/posix_file.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <sys/stat.h>

namespace sparkhost::detail {

namespace {

/// What passes when somebody makes room is told apart: it is worth another try.
Errc code_of(int error) {
    switch (error) {
        case ENOENT:
            return Errc::not_found;
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case EMFILE:
        case ENFILE:
        case ENOMEM:
            return Errc::rejected;
        default:
            return Errc::backend_failed;
    }
}

}  // namespace

Error errno_error(std::string_view what, const std::string& path, int error) {
    std::string text = "cannot ";
    text.append(what).append(" ").append(path).append(": ");
    text += std::generic_category().message(error);
    return Error(code_of(error), std::move(text));
}

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
    UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (!fd) {
        return errno_error("open", path, errno);
    }
    return fd;
}

namespace {

Result<std::string> read_descriptor(int fd, const std::string& path, std::size_t limit) {
    std::string content;
    char buffer[64 * 1024];
    for (;;) {
        ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno_error("read", path, errno);
        }
        if (got == 0) {
            return content;
        }
        content.append(buffer, static_cast<std::size_t>(got));
        if (content.size() > limit) {
            return Error(Errc::backend_failed, path + " is larger than is sensible");
        }
    }
}

std::string parent_folder(const std::string& path) {
    auto slash = path.find_last_of('/');
    if (slash == std::string::npos) {
        return ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t limit) {
    auto fd = open_file(path, O_RDONLY);
    if (!fd) {
        return fd.error();
    }
    return read_descriptor(fd->get(), path, limit);
}

Result<std::string> read_file_tail(const std::string& path, std::size_t size) {
    auto fd = open_file(path, O_RDONLY);
    if (!fd) {
        return fd.error();
    }
    struct stat status {};
    if (::fstat(fd->get(), &status) != 0) {
        return errno_error("read", path, errno);
    }
    auto length = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
    std::string tail(std::min(length, size), '\0');
    ssize_t got = 0;
    do {
        got =
            ::pread(fd->get(), tail.data(), tail.size(), static_cast<off_t>(length - tail.size()));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno_error("read", path, errno);
    }
    tail.resize(static_cast<std::size_t>(got));
    return tail;
}

Result<void> write_fully(int fd, std::string_view content, const std::string& path) {
    while (!content.empty()) {
        ssize_t wrote = ::write(fd, content.data(), content.size());
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            return errno_error("write", path, errno);
        }
        content.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return ok();
}

Result<void> sync_folder(const std::string& path) {
    auto fd = open_file(path, O_RDONLY | O_DIRECTORY);
    if (!fd) {
        return fd.error();
    }
    if (::fsync(fd->get()) != 0) {
        return errno_error("sync", path, errno);
    }
    return ok();
}

Result<void> write_file_durably(const std::string& path, std::string_view content) {
    // of its own, for others may be writing the same file at the same time
    static std::atomic<unsigned> counter{0};
    const std::string temporary =
        path + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(counter.fetch_add(1));
    auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (!fd) {
        return fd.error();
    }
    if (auto written = write_fully(fd->get(), content, temporary); !written) {
        return written;
    }
    if (::fsync(fd->get()) != 0) {
        return errno_error("sync", temporary, errno);
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        return errno_error("rename", temporary, errno);
    }
    return sync_folder(parent_folder(path));
}

Result<void> make_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) == 0 || (errno == EEXIST && is_folder(path))) {
        return ok();
    }
    if (errno != ENOENT) {
        return errno_error("make the folder", path, errno);
    }
    std::string parent = parent_folder(path);
    if (parent == path) {
        return errno_error("make the folder", path, ENOENT);
    }
    if (auto made = make_folder(parent); !made) {
        return made;
    }
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return errno_error("make the folder", path, errno);
    }
    return ok();
}

Result<void> remove_tree(const std::string& path) {
    // std::filesystem works with openat and O_NOFOLLOW here: a link is removed, not followed. It
    // stops at what somebody else has just removed (a supervisor its socket), and leaves the rest.
    constexpr int max_rounds = 10'000;
    std::error_code error;
    for (int round = 0; round < max_rounds; ++round) {
        std::filesystem::remove_all(path, error);
        if (error != std::errc::no_such_file_or_directory) {
            break;
        }
    }
    if (error) {
        return Error(Errc::backend_failed, "cannot remove " + path + ": " + error.message());
    }
    return ok();
}

bool file_exists(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0;
}

bool is_folder(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace sparkhost::detail
