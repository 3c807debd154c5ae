// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_SUPERVISOR_FD_HPP
#define SPARKHOST_SRC_SUPERVISOR_FD_HPP

#include <string_view>
#include <utility>

#include <unistd.h>

namespace sparkhost::supervisor {

/// Owns a file descriptor.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) noexcept : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        close();
        fd_ = std::exchange(other.fd_, -1);
        return *this;
    }
    ~Fd() { close(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    void close() noexcept {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

private:
    int fd_{-1};
};

/// Writes everything to a file or a blocking descriptor; false, with errno, when it cannot.
bool write_fully(int fd, std::string_view bytes);

}  // namespace sparkhost::supervisor

#endif
