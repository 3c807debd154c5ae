// SPDX-License-Identifier: Apache-2.0
#include "backends/local/leftovers.hpp"

#include "backends/common/posix_file.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <system_error>

#include <sys/syscall.h>
#include <unistd.h>

namespace sparkhost::detail::local {

namespace {

constexpr std::size_t max_environment = 8u << 20;

void kill_journalled_group(const std::vector<JournalEntry>& journal) {
    for (const auto& entry : journal) {
        if (entry.word != JournalWord::process || entry.process.pid <= 1) {
            continue;
        }
        // without its leader the group's number may by now belong to somebody else
        auto start_time = read_start_time(entry.process.pid);
        if (start_time && *start_time == entry.process.start_time) {
            ::kill(-entry.process.pid, SIGKILL);
        }
    }
}

bool belongs_to_ticket(const std::string& pid, const std::string& ticket) {
    auto environment = read_whole_file("/proc/" + pid + "/environ", max_environment);
    return environment && names_ticket(*environment, ticket);
}

bool kill_if_of_ticket(const std::string& pid, const std::string& ticket) {
    pid_t number = 0;
    auto [end, error] = std::from_chars(pid.data(), pid.data() + pid.size(), number);
    if (error != std::errc() || end != pid.data() + pid.size() || number == ::getpid()) {
        return false;
    }
    if (!belongs_to_ticket(pid, ticket)) {
        return false;
    }
    // looked at again behind the handle: only then is it certainly the process we hold
    UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, number, 0U)));
    if (!handle || !belongs_to_ticket(pid, ticket)) {
        return false;
    }
    return ::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0U) == 0;
}

int kill_all_of_ticket(const std::string& ticket) {
    int killed = 0;
    std::error_code error;
    std::filesystem::directory_iterator entry("/proc", error);
    for (std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
        killed += kill_if_of_ticket(entry->path().filename().string(), ticket) ? 1 : 0;
    }
    return killed;
}

}  // namespace

bool names_ticket(std::string_view environment, const std::string& ticket) {
    const std::string wanted = "SPARKHOST_TICKET=" + ticket;
    while (!environment.empty()) {
        auto end = std::min(environment.find('\0'), environment.size());
        if (environment.substr(0, end) == wanted) {
            return true;
        }
        environment.remove_prefix(std::min(end + 1, environment.size()));
    }
    return false;
}

int end_leftovers(const std::string& ticket, const std::vector<JournalEntry>& journal) {
    kill_journalled_group(journal);
    // a process may fork while we look: go on until nothing is found; bounded, for what is
    // stuck in the kernel cannot be ended by anybody
    constexpr int max_rounds = 50;
    int total = 0;
    for (int round = 0; round < max_rounds; ++round) {
        int killed = kill_all_of_ticket(ticket);
        total += killed;
        if (killed == 0) {
            break;
        }
    }
    return total;
}

}  // namespace sparkhost::detail::local
