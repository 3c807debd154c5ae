// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_POSIX_FILE_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_POSIX_FILE_HPP

// Files as durable steps need them: every failure is an Error that names the path.

#include <sparkhost/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace sparkhost::detail {

/// Owns a file descriptor.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        reset(std::exchange(other.fd_, -1));
        return *this;
    }
    ~UniqueFd() { reset(); }

    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    void reset(int fd = -1) noexcept {
        if (fd_ >= 0) {
            ::close(fd_);
        }
        fd_ = fd;
    }

private:
    int fd_{-1};
};

/// "cannot <what> <path>: <errno's text>" as backend_failed; not_found for ENOENT.
Error errno_error(std::string_view what, const std::string& path, int error);

/// open(2) with O_CLOEXEC.
Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0600);

/// The whole file; `limit` guards against being fed without end.
Result<std::string> read_whole_file(const std::string& path, std::size_t limit = 64u << 20);

/// The last `size` bytes of the file, or all of it.
Result<std::string> read_file_tail(const std::string& path, std::size_t size);

/// Writes `content` to a temporary file (0600), syncs it, renames it to `path` and syncs the
/// folder: afterwards the file is there completely or not at all, also after a power cut.
Result<void> write_file_durably(const std::string& path, std::string_view content);

/// Writes everything, also after interruptions.
Result<void> write_fully(int fd, std::string_view content, const std::string& path);

Result<void> sync_folder(const std::string& path);

/// Makes the folder (0700) and its parents; success when it is there already.
Result<void> make_folder(const std::string& path);

/// Removes a file or a whole tree; symbolic links are removed, never followed. Success when it
/// is not there.
Result<void> remove_tree(const std::string& path);

bool file_exists(const std::string& path);
bool is_folder(const std::string& path);

}  // namespace sparkhost::detail

#endif
