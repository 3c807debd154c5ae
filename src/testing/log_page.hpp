// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_TESTING_LOG_PAGE_HPP
#define SPARKHOST_SRC_TESTING_LOG_PAGE_HPP

#include <sparkhost/backend.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace sparkhost::detail::fake {

/// Number of the first line asked for.
inline std::int64_t first_line(std::int64_t offset, std::size_t total) {
    const auto lines = static_cast<std::int64_t>(total);
    return offset >= 0 ? offset : std::max<std::int64_t>(0, lines + offset);
}

inline LogPage page_of(const std::vector<std::string>& log, const LogRequest& request) {
    LogPage page;
    page.offset = first_line(request.offset, log.size());
    page.total = static_cast<std::int64_t>(log.size());
    std::size_t bytes = 0;
    for (auto at = static_cast<std::size_t>(page.offset);
         at < log.size() && page.lines.size() < request.limit; ++at) {
        bytes += log[at].size();
        if (!page.lines.empty() && bytes > request.max_bytes) {
            break;
        }
        page.lines.push_back(log[at]);
    }
    return page;
}

}  // namespace sparkhost::detail::fake

#endif
