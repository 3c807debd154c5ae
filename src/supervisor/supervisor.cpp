// SPDX-License-Identifier: Apache-2.0
#include "supervisor/supervisor.hpp"

#include "supervisor/descendants.hpp"

#include "crash_point.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sparkhost::supervisor {

namespace {

using detail::JournalEnd;
using detail::JournalWord;

/// Between tries to write to a full disk, and to accept while descriptors are lacking. Only
/// then is there anything that nobody announces.
constexpr std::chrono::milliseconds retry_interval{1000};

/// User code knows the secret and may say anything; the journal must not grow without end.
constexpr std::size_t max_launcher_lines = 256;

/// What a shell answers for a command that it cannot start.
constexpr int status_not_started = 127;

}  // namespace

Supervisor::Supervisor(Ticket ticket, LauncherSocket launcher, Fd signals)
    : ticket_(std::move(ticket)),
      journal_(std::move(ticket_.journal)),
      control_(std::move(ticket_.control)),
      launcher_(std::move(launcher)),
      signals_(std::move(signals)),
      ending_(ticket_.plan.grace) {}

void Supervisor::start() {
    SPARKHOST_CRASH_POINT("supervisor.claim.taken");
    journal_.add({.word = JournalWord::claimed, .process = ticket_.self});
    // before user code can run: after a power cut, the claim must still be there to stop a second
    if (!sync_working_directory()) {
        return fail_start(errno, "cannot sync the ticket's folder");
    }
    std::vector<std::string> variables{"SPARKHOST_TICKET=" + ticket_.name};
    if (ticket_.plan.launcher) {
        variables.push_back("_SPARK_LAUNCHER_PORT=" + launcher_.port());
        variables.push_back("_SPARK_LAUNCHER_SECRET=" + launcher_.secret());
    }
    if (!child_.make(ticket_.plan, variables, ticket_.output)) {
        return fail_start(errno, "cannot make a process");
    }
    SPARKHOST_CRASH_POINT("supervisor.child.made");
    const auto start_time = detail::read_start_time(child_.pid()).value_or(0);
    journal_.add(
        {.word = JournalWord::process, .process = {.pid = child_.pid(), .start_time = start_time}});
    if (!journal_.flush()) {
        const int error = errno;
        ::kill(child_.pid(), SIGKILL);  // it is still held back; reap() sees its end
        return fail_start(error, "cannot write the journal");
    }
    SPARKHOST_CRASH_POINT("supervisor.child.journalled");
    child_.release();
    SPARKHOST_CRASH_POINT("supervisor.child.released");
}

void Supervisor::fail_start(int error, const std::string& what) {
    exec_failed_ = true;
    journal_.add({.word = JournalWord::exec_failed,
                  .text = what + ": " + std::strerror(error),
                  .number = error});
    if (child_.pid() <= 0) {
        add_end(JournalEnd::failed, status_not_started);
    }
}

void Supervisor::add_end(JournalEnd end, int number) {
    journal_.add({.word = JournalWord::ended, .end = end, .number = number});
    ended_ = true;
}

void Supervisor::run() {
    for (;;) {
        journal_.flush();
        control_.tell(journal_.durable());
        if (ended_ && !journal_.has_pending()) {
            break;
        }
        auto polled = collect();
        const int count = ::poll(polled.data(), polled.size(), timeout());
        accept_paused_ = false;
        if (count > 0) {
            // listeners come last: a descriptor closed here is not given anew while it matters
            for (const auto& one : polled) {
                if (one.revents == 0) {
                    continue;
                }
                if (one.fd == signals_.get()) {
                    on_signals();
                } else if (one.fd == child_.result_fd()) {
                    on_start_result();
                } else {
                    on_launcher(one);
                    if (control_.serve(one)) {
                        request_kill();
                    }
                }
            }
            on_listeners(polled);
        }
        perform(ending_.on_time(Clock::now()));
    }
    SPARKHOST_CRASH_POINT("supervisor.end.journalled");
    // whoever has connected meanwhile gets everything, too
    control_.accept_peers();
    control_.tell(journal_.durable());
    ::unlink(ticket_.control_name.c_str());
}

std::vector<pollfd> Supervisor::collect() const {
    // what has happened to the child is told before what somebody has asked for since
    std::vector<pollfd> polled{{.fd = child_.result_fd(), .events = POLLIN, .revents = 0},
                               {.fd = signals_.get(), .events = POLLIN, .revents = 0}};
    control_.collect(polled, journal_.durable());
    launcher_.collect(polled);
    if (!accept_paused_) {
        polled.push_back({.fd = control_.listener(), .events = POLLIN, .revents = 0});
        polled.push_back({.fd = launcher_.listener(), .events = POLLIN, .revents = 0});
    }
    return polled;
}

int Supervisor::timeout() const {
    auto wait = std::chrono::milliseconds::max();
    if (journal_.has_pending() || accept_paused_) {
        wait = retry_interval;
    }
    if (const auto deadline = ending_.deadline()) {
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
        wait = std::clamp(rest, std::chrono::milliseconds::zero(), wait);
    }
    return wait == std::chrono::milliseconds::max() ? -1 : static_cast<int>(wait.count());
}

void Supervisor::on_listeners(const std::vector<pollfd>& polled) {
    for (const auto& one : polled) {
        if (one.revents == 0) {
            continue;
        }
        if (one.fd == control_.listener()) {
            accept_paused_ = !control_.accept_peers() || accept_paused_;
        } else if (one.fd == launcher_.listener()) {
            accept_paused_ = !launcher_.accept_connections() || accept_paused_;
        }
    }
}

void Supervisor::on_start_result() {
    StartFailure failure;
    if (child_.read_result(failure)) {
        if (!exec_failed_) {
            journal_.add({.word = JournalWord::started});
        }
        return;
    }
    const bool no_folder = failure.step == StartFailure::Step::directory;
    fail_start(failure.error, no_folder ? "cannot enter " + ticket_.plan.directory
                                        : "cannot run " + ticket_.plan.arguments.front());
}

void Supervisor::on_launcher(const pollfd& polled) {
    std::vector<detail::LauncherMessage> messages;
    launcher_.serve(polled, messages);
    for (const auto& message : messages) {
        auto word = JournalWord::connected;
        if (message.kind == detail::LauncherMessage::Kind::application) {
            word = JournalWord::application;
        } else if (message.kind == detail::LauncherMessage::Kind::state) {
            word = JournalWord::state;
        }
        const bool known = message.kind != detail::LauncherMessage::Kind::other;
        if (known && !(message == last_message_) && launcher_lines_ < max_launcher_lines) {
            ++launcher_lines_;
            last_message_ = message;
            journal_.add({.word = word, .text = message.text});
        }
    }
}

void Supervisor::request_kill() {
    if (kill_requested_ || ended_) {
        return;
    }
    kill_requested_ = true;
    journal_.add({.word = JournalWord::kill_requested});
    journal_.flush();  // a full disk must not keep anything alive: go on without
    SPARKHOST_CRASH_POINT("supervisor.kill.journalled");
    launcher_.stop();
    perform(ending_.on_kill_requested(Clock::now()));
    SPARKHOST_CRASH_POINT("supervisor.kill.signalled");
}

void Supervisor::on_signals() {
    signalfd_siginfo info{};
    bool child_changed = false;
    bool kill = false;
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
        (info.ssi_signo == SIGCHLD ? child_changed : kill) = true;
    }
    if (kill) {
        request_kill();
    }
    if (child_changed) {
        reap();
    }
}

void Supervisor::reap() {
    bool child_is_over = false;
    bool children_left = true;
    for (;;) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0) {
            children_left = errno != ECHILD;
            if (errno == EINTR) {
                continue;
            }
            break;
        }
        if (info.si_pid == 0) {
            break;
        }
        if (info.si_pid == child_.pid()) {
            child_is_over = true;
            child_end_ = info;
        }
    }
    if (children_left) {
        perform(child_is_over ? ending_.on_child_over(Clock::now()) : ending_.on_orphans());
    }
    finish_if_over(children_left);
}

void Supervisor::perform(EndingMachine::Step step) {
    const bool all =
        step == EndingMachine::Step::terminate_all || step == EndingMachine::Step::kill_all;
    const int signal = step == EndingMachine::Step::kill_all ? SIGKILL : SIGTERM;
    if (step == EndingMachine::Step::none || ended_) {
        return;
    }
    // once the child is reaped its number, and so its group's, may become another's
    if (!child_end_ && child_.pid() > 0) {
        ::kill(-child_.pid(), signal);
    }
    if (all) {
        const auto result = signal_descendants(signal);
        // what has become another user's is beyond this program, and not waited for
        const bool beyond_reach =
            step == EndingMachine::Step::kill_all && result.signaled == 0 && result.refused > 0;
        finish_if_over(!beyond_reach);
    }
}

void Supervisor::finish_if_over(bool children_left) {
    if (children_left || ended_ || !child_end_) {
        return;
    }
    if (child_.result_fd() >= 0) {
        on_start_result();
    }
    SPARKHOST_CRASH_POINT("supervisor.end.before");
    if (exec_failed_) {
        add_end(JournalEnd::failed, status_not_started);
    } else if (child_end_->si_code == CLD_EXITED) {
        add_end(JournalEnd::exited, child_end_->si_status);
    } else {
        add_end(JournalEnd::signaled, child_end_->si_status);
    }
}

}  // namespace sparkhost::supervisor
