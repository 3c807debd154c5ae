// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BENCHMARKS_SUPPORT_PROCESS_HPP
#define SPARKHOST_BENCHMARKS_SUPPORT_PROCESS_HPP

#include <string>
#include <vector>

#include <sys/types.h>

namespace sparkhost::bench {

/// Resident memory of a process, MB (10^6 bytes).
double resident_mb(pid_t pid);

/// CPU time this process has used, seconds.
double cpu_seconds();

/// A child process whose stdout is read line by line; ended with SIGTERM.
class ChildProcess {
public:
    explicit ChildProcess(std::vector<std::string> arguments);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    /// Waits for the next line; empty at the end of its output.
    std::string read_line();
    pid_t pid() const { return pid_; }

private:
    pid_t pid_{-1};
    int output_{-1};
};

/// The server program built beside this benchmark.
std::string server_program();

}  // namespace sparkhost::bench

#endif
