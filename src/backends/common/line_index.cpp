// SPDX-License-Identifier: Apache-2.0
#include "backends/common/line_index.hpp"

#include "backends/common/posix_file.hpp"
#include "backends/common/utf8.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/stat.h>

namespace sparkhost::detail {

namespace {

ssize_t read_at(int fd, char* buffer, std::size_t size, off_t offset) {
    ssize_t got = 0;
    do {
        got = ::pread(fd, buffer, size, offset);
    } while (got < 0 && errno == EINTR);
    return got;
}

/// Reads the file piece by piece and gives out lines, cut where they are too long.
class LineCursor {
public:
    LineCursor(int fd, off_t begin, off_t end) : fd_(fd), offset_(begin), end_(end) {}

    /// False at the end of the file, or when it cannot be read (`failed`).
    bool next(std::string& line, std::size_t keep) {
        line.clear();
        std::size_t dropped = 0;
        bool any = false;
        while (fill()) {
            any = true;
            const char* begin = buffer_.data() + used_;
            const std::size_t left = filled_ - used_;
            const auto* newline = static_cast<const char*>(std::memchr(begin, '\n', left));
            const std::size_t piece =
                newline == nullptr ? left : static_cast<std::size_t>(newline - begin);
            const std::size_t taken = std::min(piece, keep - std::min(keep, line.size()));
            line.append(begin, taken);
            dropped += piece - taken;
            used_ += piece;
            if (newline != nullptr) {
                ++used_;
                break;
            }
        }
        if (dropped > 0) {
            dropped_note_ = " [" + std::to_string(dropped) + " bytes more]";
        } else {
            dropped_note_.clear();
        }
        return any;
    }

    const std::string& dropped_note() const noexcept { return dropped_note_; }
    bool failed() const noexcept { return failed_; }

private:
    bool fill() {
        if (used_ < filled_) {
            return true;
        }
        used_ = filled_ = 0;
        const auto wanted = static_cast<std::size_t>(
            std::min<off_t>(static_cast<off_t>(buffer_.size()), end_ - offset_));
        ssize_t got = wanted == 0 ? 0 : read_at(fd_, buffer_.data(), wanted, offset_);
        failed_ = failed_ || got < 0;
        if (got <= 0) {
            return false;
        }
        filled_ = static_cast<std::size_t>(got);
        offset_ += got;
        return true;
    }

    int fd_;
    off_t offset_;
    off_t end_;
    std::vector<char> buffer_ = std::vector<char>(64 * 1024);
    std::size_t used_{0};
    std::size_t filled_{0};
    bool failed_{false};
    std::string dropped_note_{};
};

/// Cuts an unfinished UTF-8 character off the end of a line that was cut by its length.
void drop_partial_character(std::string& line) {
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0u) == 0x80u) {
        line.pop_back();
    }
    if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xC0u) {
        line.pop_back();
    }
}

}  // namespace

void LineIndex::scan(const char* data, std::size_t size) {
    const char* position = data;
    const char* end = data + size;
    while (const auto* newline = static_cast<const char*>(
               std::memchr(position, '\n', static_cast<std::size_t>(end - position)))) {
        position = newline + 1;
        line_begin_ = size_ + (position - data);
        if (++lines_ % stride == 0) {
            begins_.push_back(line_begin_);
        }
        if (position == end) {
            break;
        }
    }
    size_ += static_cast<off_t>(size);
}

Result<void> LineIndex::update(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        return errno_error("read", "the log", errno);
    }
    if (status.st_dev != device_ || status.st_ino != inode_ || status.st_size < size_) {
        *this = LineIndex();
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
    if (status.st_size == size_) {
        return ok();
    }
    const off_t piece = std::min<off_t>(status.st_size - size_, 1 << 20);
    std::vector<char> buffer(static_cast<std::size_t>(piece));
    while (size_ < status.st_size) {
        ssize_t got = read_at(fd, buffer.data(), buffer.size(), size_);
        if (got < 0) {
            return errno_error("read", "the log", errno);
        }
        if (got == 0) {
            break;
        }
        scan(buffer.data(), static_cast<std::size_t>(got));
    }
    return ok();
}

Result<std::vector<std::string>> LineIndex::read(int fd, std::int64_t first, std::int64_t last,
                                                 std::size_t limit, std::size_t max_bytes) const {
    std::vector<std::string> lines;
    if (first < 0 || first >= last || limit == 0) {
        return lines;
    }
    const auto entry = static_cast<std::size_t>(first / stride);
    LineCursor cursor(fd, begins_[entry], size_);
    std::string line;
    for (std::int64_t skipped = first % stride; skipped > 0; --skipped) {
        if (!cursor.next(line, 0)) {
            break;
        }
    }
    std::size_t bytes = 0;
    for (std::int64_t number = first; number < last && lines.size() < limit; ++number) {
        if (!cursor.next(line, longest_line)) {
            break;
        }
        const bool cut = !cursor.dropped_note().empty();
        if (cut) {
            drop_partial_character(line);
        } else if (line.ends_with('\r')) {
            line.pop_back();
        }
        std::string clean = valid_utf8(line);
        if (cut) {
            clean += cursor.dropped_note();
        }
        bytes += clean.size();
        if (!lines.empty() && bytes > max_bytes) {
            break;
        }
        lines.push_back(std::move(clean));
    }
    if (cursor.failed()) {
        return errno_error("read", "the log", EIO);
    }
    return lines;
}

}  // namespace sparkhost::detail
