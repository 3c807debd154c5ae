// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace server {

void make_data_dir(const std::string& dir) {
    std::error_code failure;
    std::filesystem::create_directories(std::filesystem::path(dir).parent_path(), failure);
    if (::mkdir(dir.c_str(), 0700) == 0) {
        return;
    }
    const std::error_code problem(errno, std::generic_category());
    if (!std::filesystem::is_directory(dir, failure)) {
        throw std::runtime_error(
            "cannot make the folder " + dir + ": " +
            (problem == std::errc::file_exists ? "it is not a folder" : problem.message()));
    }
}

void leave_init_behind() {
    if (::getpid() != 1) {
        return;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, &before);
    const pid_t server = ::fork();
    if (server < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot fork");
    }
    if (server == 0) {
        ::setpgid(0, 0);  // a terminal's signals reach it through its init, once
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
        return;
    }
    for (;;) {
        int signal = 0;
        ::sigwait(&all, &signal);
        if (signal != SIGCHLD) {
            ::kill(server, signal);
            continue;
        }
        int status = 0;
        for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            if (ended == server) {
                ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
            }
        }
    }
}

void survive_failed_writes() {
    ::signal(SIGXFSZ, SIG_IGN);
    ::signal(SIGPIPE, SIG_IGN);
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

std::size_t descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<std::size_t>(limit.rlim_cur);
}

namespace {

extern "C" void end_now(int) {
    constexpr char words[] = "sparkhost-server: what was under way does not end; leaving it\n";
    (void)!::write(STDERR_FILENO, words, sizeof(words) - 1);
    ::_exit(1);
}

void set_alarm(std::chrono::milliseconds time) {
    itimerval timer{};
    timer.it_value.tv_sec = static_cast<time_t>(time.count() / 1000);
    timer.it_value.tv_usec = static_cast<suseconds_t>(time.count() % 1000 * 1000);
    ::setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

void end_within(std::chrono::milliseconds time) {
    std::signal(SIGALRM, &end_now);
    set_alarm(time);
}

void cancel_end() {
    set_alarm(std::chrono::milliseconds(0));
}

}  // namespace server
