// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_STORAGES_SQLITE_PAGING_HPP
#define SPARKHOST_SRC_STORAGES_SQLITE_PAGING_HPP

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace sparkhost::detail::sqlite {

/// How many live matches a stretch of bucket_width ids has.
struct BucketCount {
    std::int64_t bucket{0};
    std::int64_t live{0};
};

/// Where to begin walking, and how many matches to skip from there.
struct Start {
    /// Exclusive bounds of the ids to walk.
    std::int64_t above{-1};
    std::int64_t below{std::numeric_limits<std::int64_t>::max()};
    std::int64_t skip{0};
};

/// Leaps over whole buckets instead of walking `offset` matches. `buckets` ascend. Empty: the
/// offset lies beyond the last match. Pure.
std::optional<Start> find_start(std::span<const BucketCount> buckets, std::int64_t offset,
                                bool newest_first);

/// Merges ids from several sorted walks: skips, then takes so many, in the order asked. Pure.
std::vector<std::int64_t> merge_ids(std::vector<std::int64_t> ids, std::int64_t skip,
                                    std::int64_t take, bool newest_first);

}  // namespace sparkhost::detail::sqlite

#endif
