// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_PROCESS_STATS_HPP
#define SPARKHOST_SRC_REST_PROCESS_STATS_HPP

#include <cstdint>
#include <optional>
#include <string_view>

namespace sparkhost::detail::rest {

/// What the kernel says about this process.
struct ProcessStats {
    double cpu_seconds{0};
    std::uint64_t resident_bytes{0};
    std::uint64_t threads{0};
    std::uint64_t open_files{0};
    double start_time{0};  ///< seconds since 1970; 0: not known
};

/// The columns of /proc/PID/stat that are wanted (proc(5)).
struct StatLine {
    std::uint64_t user_ticks{0};
    std::uint64_t system_ticks{0};
    std::uint64_t threads{0};
    std::uint64_t start_ticks{0};  ///< after boot
    std::uint64_t resident_pages{0};
};
std::optional<StatLine> parse_stat_line(std::string_view text);

/// Reads /proc/self; does not wait for a disk. Nothing where there is no /proc.
std::optional<ProcessStats> read_process_stats();

}  // namespace sparkhost::detail::rest

#endif
