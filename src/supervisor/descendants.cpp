// SPDX-License-Identifier: Apache-2.0
#include "supervisor/descendants.hpp"

#include "supervisor/fd.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sparkhost::supervisor {

namespace {

std::vector<detail::ProcessStat> find_all() {
    std::vector<detail::ProcessStat> all;
    DIR* const folder = ::opendir("/proc");
    if (folder == nullptr) {
        return all;
    }
    while (const dirent* const entry = ::readdir(folder)) {
        pid_t pid = 0;
        const char* const end = entry->d_name + std::strlen(entry->d_name);
        const auto parsed = std::from_chars(entry->d_name, end, pid);
        if (parsed.ec != std::errc() || parsed.ptr != end) {
            continue;
        }
        if (const auto stat = detail::read_process_stat(pid)) {
            all.push_back(*stat);
        }
    }
    ::closedir(folder);
    return all;
}

int send(const detail::ProcessStat& process, int signal) {
    // A descriptor first, then a look whether it is still the process that was found: so the
    // signal cannot hit a stranger to whom the number has been given meanwhile.
    const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
    if (!handle) {
        return errno == ENOSYS ? ::kill(process.pid, signal) : -1;
    }
    if (detail::read_start_time(process.pid) != process.start_time) {
        errno = ESRCH;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_pidfd_send_signal, handle.get(), signal, nullptr, 0));
}

}  // namespace

std::vector<detail::ProcessStat> find_descendants() {
    const auto all = find_all();
    std::vector<pid_t> parents{::getpid()};
    std::vector<detail::ProcessStat> found;
    for (std::size_t i = 0; i < parents.size(); ++i) {
        for (const auto& process : all) {
            // the walk is no snapshot: numbers given anew meanwhile could make a circle
            if (process.parent == parents[i] &&
                std::find(parents.begin(), parents.end(), process.pid) == parents.end()) {
                parents.push_back(process.pid);
                if (process.state != 'Z' && process.state != 'X') {
                    found.push_back(process);
                }
            }
        }
    }
    return found;
}

SignalResult signal_descendants(int signal) {
    SignalResult result;
    for (const auto& process : find_descendants()) {
        const bool refused = send(process, signal) != 0 && errno == EPERM;
        ++(refused ? result.refused : result.signaled);
    }
    return result;
}

}  // namespace sparkhost::supervisor
