// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_LOG_PLAN_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_LOG_PLAN_HPP

namespace sparkhost::detail::sqlite {

/// When to move the write-ahead log into the database. Pure.
///
/// Moving beside the commits costs them little, but never catches up while they go on, so the
/// log would only grow. Once little is left, the writer moves that rest between two groups; the
/// next commit then starts the log anew.
class LogPlan {
public:
    static constexpr int step = 1000;       ///< pages worth a move beside the commits
    static constexpr int restart = 2000;    ///< from here on the writer may finish
    static constexpr int rest = 500;        ///< pages the writer may stop for
    static constexpr int ceiling = 16'000;  ///< from here on it stops for any number

    /// After a commit: the log has this many pages.
    void committed(int pages) noexcept {
        if (pages < pages_) {  // it has started anew
            moved_ = 0;
            next_finish_ = restart;
        }
        pages_ = pages;
    }

    /// After a move: so many pages of the log are in the database. A stale, greater number can
    /// come from a move that began before the log was started anew.
    void moved(int pages) noexcept { moved_ = pages <= pages_ ? pages : 0; }

    /// After the writer tried to finish: readers may have kept the log from starting anew.
    void finished() noexcept { next_finish_ = pages_ + step; }

    /// A move failed: not at once again.
    void failed() noexcept { moved_ = pages_; }

    bool wants_move() const noexcept { return pages_ - moved_ >= step; }
    bool wants_finish() const noexcept {
        return pages_ >= next_finish_ && (pages_ - moved_ <= rest || pages_ >= ceiling);
    }

private:
    int pages_{0};
    int moved_{0};
    int next_finish_{restart};
};

}  // namespace sparkhost::detail::sqlite

#endif
