// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_LOG_MACHINE_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_LOG_MACHINE_HPP

// How the two files of a driver become one log. Pure.

#include <cstdint>
#include <string>

namespace sparkhost::detail::guarded {

/// A part of one file, as the cluster gives it.
struct LogPiece {
    std::int64_t begin{0};
    std::int64_t end{0};    ///< behind its last byte
    std::int64_t total{0};  ///< bytes there are in the file
    std::string text{};     ///< what is no text has become something else, of another length
};

/// What of a piece is taken over, and from where to go on.
struct LogTake {
    std::string text{};    ///< whole lines
    std::int64_t next{0};  ///< the next piece begins here
    bool at_end{false};    ///< the file has no more now
    /// Ask again from `next`, for so many bytes: then it ends with a line. 0: as before.
    std::int64_t ask_for{0};
};

/// `final`: the file grows no more, its last line counts without its end, too.
LogTake take_lines(const LogPiece& piece, bool final);

}  // namespace sparkhost::detail::guarded

#endif
