// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_PROCESS_IDENTITY_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_PROCESS_IDENTITY_HPP

// A process by a name that is never used again, as Linux' /proc gives it (proc(5)). Needs neither
// Boost nor exceptions: the supervisor shares it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace sparkhost::detail {

/// Process numbers are used again, on one machine never together with the same start time, and
/// start times count from the boot.
struct ProcessIdentity {
    pid_t pid{0};
    std::uint64_t start_time{0};  ///< clock ticks since boot
    std::string boot_id{};        ///< empty where the context says which boot

    bool operator==(const ProcessIdentity&) const = default;
};

/// What is needed of /proc/<pid>/stat.
struct ProcessStat {
    pid_t pid{0};
    char state{'?'};  ///< 'Z': over, but not yet reaped
    pid_t parent{0};
    pid_t group{0};
    std::uint64_t start_time{0};
};

/// Reads the line of /proc/<pid>/stat; the program's name in it may contain anything.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// Nothing when there is no such process (any more).
std::optional<ProcessStat> read_process_stat(pid_t pid);

/// Nothing when there is no such process. A process that is over but not reaped still has one.
std::optional<std::uint64_t> read_start_time(pid_t pid);

/// This boot's id; empty when /proc cannot be read.
std::string boot_id();

/// True while exactly this process exists and is not over. Of another boot, none is.
bool is_alive(const ProcessIdentity& process);

}  // namespace sparkhost::detail

#endif
