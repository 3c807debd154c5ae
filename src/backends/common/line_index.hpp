// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_LINE_INDEX_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_LINE_INDEX_HPP

#include <sparkhost/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sparkhost::detail {

/// Finds lines of a growing file by their number. Remembers where every 1024th line begins and
/// reads only what has been added since the last time. Not thread-safe; everything blocks.
class LineIndex {
public:
    static constexpr std::int64_t stride = 1024;
    static constexpr std::size_t longest_line = 64 * 1024;

    /// Reads on to the file's present end. A file that is another one or has become shorter is
    /// read anew.
    Result<void> update(int fd);

    /// Lines that end in '\n'.
    std::int64_t complete_lines() const noexcept { return lines_; }
    /// Whether something follows the last '\n'.
    bool has_unfinished_line() const noexcept { return size_ > line_begin_; }

    /// At most `limit` lines from number `first` on, and no more once they have `max_bytes`
    /// together (at least one). Without '\n' and '\r' before it; what is no UTF-8 is U+FFFD; of a
    /// line longer than longest_line only the beginning, and a note how much is missing.
    /// Precondition: `last` is at most complete_lines(), or one more with an unfinished line.
    Result<std::vector<std::string>> read(int fd, std::int64_t first, std::int64_t last,
                                          std::size_t limit, std::size_t max_bytes) const;

private:
    void scan(const char* data, std::size_t size);

    std::vector<off_t> begins_{0};  ///< of lines 0, stride, 2 * stride …
    std::int64_t lines_{0};
    off_t line_begin_{0};  ///< of the line behind the last '\n'
    off_t size_{0};        ///< how far the file has been read
    dev_t device_{0};
    ino_t inode_{0};
};

}  // namespace sparkhost::detail

#endif
