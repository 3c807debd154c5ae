// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_PROCESS_START_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_PROCESS_START_HPP

// Starting other programs. Blocking; for the blocking executor.

#include "backends/common/posix_file.hpp"
#include "backends/local/java_command.hpp"

#include <sparkhost/error.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sparkhost::detail::local {

struct ProcessStart {
    std::string program{};
    std::vector<std::string> arguments{};  ///< without the program's own name
    Environment environment{};             ///< complete: nothing is inherited
    int output{-1};                        ///< descriptor for stdout; -1: /dev/null
    int error{-1};                         ///< descriptor for stderr; -1: /dev/null
    int kept{-1};             ///< the descriptor a /proc/self/fd/N program is executed through
    std::string directory{};  ///< working directory; empty: this process's own
    int niceness{0};
    bool own_group{false};       ///< a process group of its own, named by its pid
    bool ends_with_host{false};  ///< killed when the thread that started it is gone
    bool orphan{false};          ///< nobody's child: init's, who takes its exit status
};

struct StartedProcess {
    pid_t pid{-1};      ///< of an orphan: not known
    UniqueFd handle{};  ///< pidfd; empty for an orphan, and when it was reaped before we could look
};

/// Starts a child, or an orphan, with default signals, an empty signal mask, stdin from /dev/null
/// and no other descriptor of this process. Errors: backend_failed – the program cannot be
/// executed; `detail` says why.
Result<StartedProcess> start_process(const ProcessStart& start);

/// Takes the child's exit status away from the kernel if it is over. Never looks at another
/// process, and does no harm when the host application has reaped the child itself.
/// Returns the status (128 + signal), or -1 while it runs or when somebody else has taken it.
int reap_process(const StartedProcess& process);

struct ProgramOutput {
    int status{-1};  ///< -1: not known
    std::string out{};
    std::string err{};
};

/// Runs a program to its end, at most for `limit`; then it and what it has started are killed.
Result<ProgramOutput> run_program(ProcessStart start, std::chrono::milliseconds limit);

}  // namespace sparkhost::detail::local

#endif
