// SPDX-License-Identifier: Apache-2.0
#include "backends/local/process_start.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>

#include <cerrno>
#include <csignal>
#include <mutex>
#include <optional>

#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace sparkhost::detail::local {

namespace {

namespace process = boost::process::v2;

/// What happens between fork and exec. Boost 1.81's own launcher leaves descriptors open that lie
/// below its error pipe and calls exit(), with the host's atexit functions, when exec fails.
class CleanChild {
public:
    CleanChild(const ProcessStart& start, int null) : start_(start), null_(null) {}

    boost::system::error_code on_setup(process::posix::default_launcher& launcher,
                                       const process::filesystem::path&, const char* const*) const {
        if (start_.kept >= 0) {
            launcher.fd_whitelist.push_back(start_.kept);
        }
        return {};
    }

    boost::system::error_code on_exec_setup(process::posix::default_launcher&,
                                            const process::filesystem::path&,
                                            const char* const*) const {
        reset_signals();
        if (start_.niceness != 0) {
            ::setpriority(PRIO_PROCESS, 0, start_.niceness);
        }
        if (start_.own_group) {
            ::setpgid(0, 0);
        }
        if (!start_.directory.empty() && ::chdir(start_.directory.c_str()) != 0) {
            return {errno, boost::system::system_category()};
        }
        if (start_.ends_with_host) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        }
        if (start_.orphan) {
            const pid_t program = ::_Fork();  // runs no atfork handler of the host's
            if (program < 0) {
                return {errno, boost::system::system_category()};
            }
            if (program > 0) {
                ::_exit(0);
            }
        }
        bool bound = ::dup2(null_, STDIN_FILENO) >= 0 &&
                     ::dup2(start_.output < 0 ? null_ : start_.output, STDOUT_FILENO) >= 0 &&
                     ::dup2(start_.error < 0 ? null_ : start_.error, STDERR_FILENO) >= 0;
        if (!bound || ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
            return {errno, boost::system::system_category()};
        }
        return {};
    }

    template <class... Ignored>
    void on_exec_error(Ignored&&...) const {
        ::_exit(127);
    }

private:
    static void reset_signals() {
        // ignored signals and the mask would survive exec
        for (int number = 1; number < NSIG; ++number) {
            ::signal(number, SIG_DFL);
        }
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
    }

    const ProcessStart& start_;
    int null_;
};

std::vector<std::string> environment_words(const Environment& environment) {
    std::vector<std::string> words;
    for (const auto& [name, value] : environment) {
        words.push_back(name + "=" + value);
    }
    return words;
}

Result<UniqueFd> open_null() {
    auto null = open_file("/dev/null", O_RDWR);
    if (null && null->get() < 3) {
        // the host runs without standard descriptors: stay clear of the dup2 targets
        int fd = ::fcntl(null->get(), F_DUPFD_CLOEXEC, 3);
        if (fd < 0) {
            return errno_error("duplicate", "/dev/null", errno);
        }
        null->reset(fd);
    }
    return null;
}

/// For the child between us and an orphan, whose whole life is one system call.
void wait_and_reap(const UniqueFd& handle) {
    siginfo_t info{};
    while (handle &&
           ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(handle.get()), &info,
                    WEXITED) < 0 &&
           errno == EINTR) {
    }
}

}  // namespace

Result<StartedProcess> start_process(const ProcessStart& start) {
    auto null = open_null();
    if (!null) {
        return null.error();
    }
    auto words = environment_words(start.environment);
    std::vector<const char*> pointers;
    for (const auto& word : words) {
        pointers.push_back(word.c_str());
    }
    pointers.push_back(nullptr);

    // Boost tells the executor's context about the fork. A context of its own, known to no other
    // thread, keeps the child from touching the host's reactor. One start at a time: a pipe of
    // the launcher's must not leak into a sibling.
    static std::mutex one_at_a_time;
    std::lock_guard lock(one_at_a_time);
    boost::asio::io_context context;
    process::posix::default_launcher launcher;
    launcher.env = pointers.data();
    boost::system::error_code error;
    StartedProcess started;
    try {
        auto child = launcher(context.get_executor(), error, start.program, start.arguments,
                              CleanChild(start, null->get()));
        if (!error) {
            started.pid = child.id();
            started.handle.reset(static_cast<int>(::syscall(SYS_pidfd_open, child.id(), 0U)));
        }
        child.detach();
    } catch (const boost::system::system_error&) {
        started.pid = launcher.pid;  // no pidfd: the host application has reaped the child already
    }
    if (error) {
        if (launcher.pid > 0) {
            ::waitpid(launcher.pid, nullptr, 0);  // the child whose exec failed
        }
        return Error(Errc::backend_failed,
                     "cannot execute " + start.program + ": " + error.message());
    }
    if (start.orphan) {
        wait_and_reap(started.handle);
        return StartedProcess{};
    }
    return started;
}

int reap_process(const StartedProcess& process) {
    if (!process.handle) {
        return -1;
    }
    siginfo_t info{};
    int waited = 0;
    do {
        waited = ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process.handle.get()),
                          &info, WEXITED | WNOHANG);
    } while (waited < 0 && errno == EINTR);
    if (waited != 0 || info.si_pid == 0) {
        return -1;
    }
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

namespace {

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return errno_error("make", "a pipe", errno);
    }
    Pipe pipe;
    pipe.read.reset(ends[0]);
    pipe.write.reset(ends[1]);
    return pipe;
}

int milliseconds_left(std::chrono::steady_clock::time_point deadline) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

/// Reads both ends until they are closed; false when the deadline came first.
bool drain(UniqueFd& out, UniqueFd& err, ProgramOutput& output,
           std::chrono::steady_clock::time_point deadline) {
    constexpr std::size_t enough = 1u << 20;
    while (out || err) {
        pollfd watched[2] = {{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}};
        int ready = ::poll(watched, 2, milliseconds_left(deadline));
        if (ready == 0) {
            return false;
        }
        for (int i = 0; ready > 0 && i < 2; ++i) {
            UniqueFd& end = i == 0 ? out : err;
            if (!end || watched[i].revents == 0) {
                continue;
            }
            char buffer[4096];
            ssize_t got = ::read(end.get(), buffer, sizeof buffer);
            std::string& text = i == 0 ? output.out : output.err;
            if (got == 0 || (got < 0 && errno != EINTR)) {
                end.reset();
            } else if (got > 0 && text.size() < enough) {
                text.append(buffer, static_cast<std::size_t>(got));
            }
        }
    }
    return true;
}

}  // namespace

Result<ProgramOutput> run_program(ProcessStart start, std::chrono::milliseconds limit) {
    auto out = make_pipe();
    auto err = make_pipe();
    if (!out || !err) {
        return out ? err.error() : out.error();
    }
    start.output = out->write.get();
    start.error = err->write.get();
    start.own_group = true;
    auto started = start_process(start);
    if (!started) {
        return started.error();
    }
    out->write.reset();
    err->write.reset();
    ProgramOutput output;
    const auto deadline = std::chrono::steady_clock::now() + limit;
    bool closed = drain(out->read, err->read, output, deadline);
    pollfd over{started->handle.get(), POLLIN, 0};
    bool ended = closed && (!started->handle || ::poll(&over, 1, milliseconds_left(deadline)) > 0);
    if (!ended) {
        if (started->handle) {
            ::kill(-started->pid, SIGKILL);  // not reaped yet: the number is still its own
            ::poll(&over, 1, -1);
        }
        reap_process(*started);
        return Error(Errc::backend_failed, start.program + " has not answered in time");
    }
    output.status = reap_process(*started);
    return output;
}

}  // namespace sparkhost::detail::local
