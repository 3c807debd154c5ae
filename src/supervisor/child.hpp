// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_SUPERVISOR_CHILD_HPP
#define SPARKHOST_SRC_SUPERVISOR_CHILD_HPP

#include "backends/local/journal.hpp"
#include "supervisor/fd.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace sparkhost::supervisor {

/// How far the child came when it could not start.
struct StartFailure {
    enum class Step { directory, program };
    int error{0};  ///< errno
    Step step{Step::program};
};

/// The driver's process: made, then held back until it is released. It dies with its maker.
class Child {
public:
    /// False with errno. `variables` are added to the plan's environment and win over it.
    bool make(const detail::LaunchPlan& plan, const std::vector<std::string>& variables,
              const Fd& output);

    /// Lets it run. Without, it is gone without a trace when this process is.
    void release();

    pid_t pid() const { return pid_; }

    /// Becomes readable when it is known whether the program runs; -1 after read_result.
    int result_fd() const { return result_.get(); }

    /// True: the program runs. Precondition: result_fd() is readable.
    bool read_result(StartFailure& failure);

private:
    pid_t pid_{-1};
    Fd gate_{};
    Fd result_{};
};

}  // namespace sparkhost::supervisor

#endif
