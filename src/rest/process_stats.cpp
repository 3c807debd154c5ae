// SPDX-License-Identifier: Apache-2.0
#include "rest/process_stats.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace sparkhost::detail::rest {

namespace process_files {

std::string read_all(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::uint64_t boot_time() {
    const std::string text = read_all("/proc/stat");
    constexpr std::string_view label = "\nbtime ";
    std::uint64_t seconds = 0;
    if (const auto at = text.find(label); at != std::string::npos) {
        std::from_chars(text.data() + at + label.size(), text.data() + text.size(), seconds);
    }
    return seconds;
}

std::uint64_t count_open_files() {
    std::error_code failure;
    std::filesystem::directory_iterator files("/proc/self/fd", failure);
    // The iterator itself holds one.
    return failure ? 0 : static_cast<std::uint64_t>(std::distance(begin(files), end(files)) - 1);
}

}  // namespace process_files

std::optional<StatLine> parse_stat_line(std::string_view text) {
    // The second column is the command in brackets and may contain anything, brackets too.
    const auto bracket = text.rfind(')');
    if (bracket == std::string_view::npos) {
        return std::nullopt;
    }
    constexpr std::size_t wanted = 24;
    std::array<std::uint64_t, wanted + 1> columns{};
    std::size_t column = 3;
    std::string_view rest = text.substr(std::min(bracket + 2, text.size()));
    for (; column <= wanted && !rest.empty(); ++column) {
        const auto end = std::min(rest.find(' '), rest.size());
        std::from_chars(rest.data(), rest.data() + end, columns[column]);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (column <= wanted) {
        return std::nullopt;
    }
    return StatLine{.user_ticks = columns[14],
                    .system_ticks = columns[15],
                    .threads = columns[20],
                    .start_ticks = columns[22],
                    .resident_pages = columns[24]};
}

std::optional<ProcessStats> read_process_stats() {
    const auto line = parse_stat_line(process_files::read_all("/proc/self/stat"));
    if (!line) {
        return std::nullopt;
    }
    const auto ticks = static_cast<double>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
    const auto page = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_PAGESIZE)));
    static const std::uint64_t boot = process_files::boot_time();
    ProcessStats stats;
    stats.cpu_seconds = static_cast<double>(line->user_ticks + line->system_ticks) / ticks;
    stats.resident_bytes = line->resident_pages * page;
    stats.threads = line->threads;
    stats.open_files = process_files::count_open_files();
    stats.start_time =
        boot == 0 ? 0 : static_cast<double>(boot) + static_cast<double>(line->start_ticks) / ticks;
    return stats;
}

}  // namespace sparkhost::detail::rest
