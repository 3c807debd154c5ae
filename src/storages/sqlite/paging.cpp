// SPDX-License-Identifier: Apache-2.0
#include "storages/sqlite/paging.hpp"

#include "storages/sqlite/schema.hpp"

#include <algorithm>
#include <functional>

namespace sparkhost::detail::sqlite {

std::optional<Start> find_start(std::span<const BucketCount> buckets, std::int64_t offset,
                                bool newest_first) {
    while (!buckets.empty()) {
        auto& next = newest_first ? buckets.back() : buckets.front();
        if (offset < next.live) {
            Start start;
            start.skip = offset;
            if (newest_first)
                start.below = (next.bucket + 1) * bucket_width;
            else
                start.above = next.bucket * bucket_width - 1;
            return start;
        }
        offset -= next.live;
        buckets = newest_first ? buckets.first(buckets.size() - 1) : buckets.subspan(1);
    }
    return std::nullopt;
}

std::vector<std::int64_t> merge_ids(std::vector<std::int64_t> ids, std::int64_t skip,
                                    std::int64_t take, bool newest_first) {
    if (newest_first)
        std::sort(ids.begin(), ids.end(), std::greater<>());
    else
        std::sort(ids.begin(), ids.end());
    auto size = static_cast<std::int64_t>(ids.size());
    auto from = std::min(skip, size);
    auto to = from + std::min(take, size - from);
    return {ids.begin() + from, ids.begin() + to};
}

}  // namespace sparkhost::detail::sqlite
