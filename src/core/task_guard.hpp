// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_TASK_GUARD_HPP
#define SPARKHOST_SRC_CORE_TASK_GUARD_HPP

namespace sparkhost {

class HostImpl;

/// Counts a piece of work that run() must not end before.
class TaskGuard {
public:
    explicit TaskGuard(HostImpl& host);
    ~TaskGuard();
    TaskGuard(const TaskGuard&) = delete;
    TaskGuard& operator=(const TaskGuard&) = delete;

private:
    HostImpl& host_;
};

}  // namespace sparkhost

#endif
