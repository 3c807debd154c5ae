// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_SUPERVISOR_SUPERVISOR_HPP
#define SPARKHOST_SRC_SUPERVISOR_SUPERVISOR_HPP

#include "supervisor/child.hpp"
#include "supervisor/control_socket.hpp"
#include "supervisor/ending_machine.hpp"
#include "supervisor/journal_file.hpp"
#include "supervisor/launcher_socket.hpp"
#include "supervisor/ticket.hpp"

#include <chrono>
#include <csignal>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>

namespace sparkhost::supervisor {

/// One ticket's life, from the claim to `ended`: a single thread that sleeps in poll(2) and does
/// nothing unless something happens.
class Supervisor {
public:
    /// `signals` is a signalfd for SIGCHLD, SIGTERM and SIGINT. Preconditions: the claim is ours.
    Supervisor(Ticket ticket, LauncherSocket launcher, Fd signals);

    /// Starts the child, or journals why not.
    void start();

    /// Returns when `ended` is durable and told.
    void run();

private:
    using Clock = std::chrono::steady_clock;

    void fail_start(int error, const std::string& what);
    void add_end(detail::JournalEnd end, int number);

    std::vector<pollfd> collect() const;
    int timeout() const;
    void on_signals();
    void on_start_result();
    void on_listeners(const std::vector<pollfd>& polled);
    void on_launcher(const pollfd& polled);
    void request_kill();
    void reap();
    void perform(EndingMachine::Step step);
    void finish_if_over(bool children_left);

    Ticket ticket_;
    JournalFile journal_;
    ControlSocket control_;
    LauncherSocket launcher_;
    Fd signals_;
    Child child_{};
    EndingMachine ending_;
    std::optional<siginfo_t> child_end_{};
    detail::LauncherMessage last_message_{};
    std::size_t launcher_lines_{0};
    bool exec_failed_{false};
    bool kill_requested_{false};
    bool ended_{false};
    bool accept_paused_{false};
};

}  // namespace sparkhost::supervisor

#endif
