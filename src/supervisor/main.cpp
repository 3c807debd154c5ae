// SPDX-License-Identifier: Apache-2.0

// sparkhost-supervisor <ticket folder>: runs one application and journals its life, so that it
// needs no host. docs/local_backend.md says what it and the host agree on.

#include "supervisor/supervisor.hpp"

#include "crash_point.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sparkhost::supervisor {

namespace {

constexpr const char* process_name = "sparkhost-super";  // 15 characters is what comm holds

void close_from(int first) {
    if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) {
        return;
    }
    DIR* const folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) {
        return;
    }
    while (const dirent* const entry = ::readdir(folder)) {
        const int fd = std::atoi(entry->d_name);
        if (fd >= first && fd != ::dirfd(folder)) {
            ::close(fd);
        }
    }
    ::closedir(folder);
}

/// Leaves 0 to 2 open, whatever of them the starter has closed, and nothing else.
void tidy_descriptors() {
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) {
            ::dup2(null, fd);
        }
    }
    ::dup2(null, STDIN_FILENO);
    close_from(STDERR_FILENO + 1);
}

void let_go_of_output() {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    ::dup2(null.get(), STDOUT_FILENO);
    ::dup2(null.get(), STDERR_FILENO);
}

/// From here on nothing the starter does, or its terminal, or its end, reaches this process.
Fd detach() {
    tidy_descriptors();
    ::setsid();  // fails where a shell has made a group of this process: then it stays so
    ::umask(077);
    ::prctl(PR_SET_NAME, process_name);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (const int signal : {SIGHUP, SIGPIPE, SIGXFSZ}) {
        ::signal(signal, SIG_IGN);
    }
    // ignored, children would be reaped unseen
    ::signal(SIGCHLD, SIG_DFL);
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) {
        ::sigaddset(&signals, signal);
    }
    ::sigprocmask(SIG_SETMASK, &signals, nullptr);
    return Fd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
}

void say(std::string line) {
    line += '\n';
    write_fully(STDOUT_FILENO, line);  // nobody may listen any more, and that is all right
}

int refuse(const std::string& fault) {
    say("error " + fault);
    return 1;
}

int supervise(const std::string& folder) {
    auto signals = detach();
    if (!signals) {
        return refuse(std::string("cannot receive signals: ") + std::strerror(errno));
    }
    Ticket ticket;
    std::string fault;
    if (!open_ticket(folder, ticket, fault)) {
        return refuse(fault);
    }
    LauncherSocket launcher;
    if (ticket.plan.launcher && !launcher.open()) {
        fault = std::strerror(errno);
        ::unlink(ticket.control_name.c_str());
        return refuse("cannot listen on 127.0.0.1: " + fault);
    }
    SPARKHOST_CRASH_POINT("supervisor.claim.before");
    switch (claim_ticket(ticket, fault)) {
        case Taking::failed:
            return refuse(fault);
        case Taking::taken:
            say("taken");
            return 0;
        case Taking::claimed:
            break;
    }
    Supervisor supervisor(std::move(ticket), std::move(launcher), std::move(signals));
    supervisor.start();
    SPARKHOST_CRASH_POINT("supervisor.start.done");
    say("claimed");
    SPARKHOST_CRASH_POINT("supervisor.start.said");
    let_go_of_output();
    supervisor.run();
    return 0;
}

}  // namespace

}  // namespace sparkhost::supervisor

int main(int argc, char** argv) {
    if (argc != 2) {
        return sparkhost::supervisor::refuse("usage: sparkhost-supervisor <ticket folder>");
    }
    return sparkhost::supervisor::supervise(argv[1]);
}
