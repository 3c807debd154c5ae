// SPDX-License-Identifier: Apache-2.0
#include "supervisor/child.hpp"

#include "crash_point.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sparkhost::supervisor {

namespace {

struct Start {
    std::vector<char*> arguments;
    std::vector<char*> environment;
    const char* directory;
    int output;
    int gate;
    int result;
    pid_t parent;
};

/// Pointers as execve wants them; `texts` must outlive them.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (const auto& text : texts) {
        result.push_back(const_cast<char*>(text.c_str()));
    }
    result.push_back(nullptr);
    return result;
}

std::string_view variable_name(std::string_view variable) {
    return variable.substr(0, variable.find('='));
}

std::vector<std::string> merge(const std::vector<std::string>& environment,
                               const std::vector<std::string>& variables) {
    std::vector<std::string> merged;
    for (const auto& variable : environment) {
        bool overruled = false;
        for (const auto& other : variables) {
            overruled = overruled || variable_name(other) == variable_name(variable);
        }
        if (!overruled) {
            merged.push_back(variable);
        }
    }
    merged.insert(merged.end(), variables.begin(), variables.end());
    return merged;
}

[[noreturn]] void report(const Start& start, StartFailure::Step step) {
    const StartFailure failure{.error = errno, .step = step};
    [[maybe_unused]] const auto size = ::write(start.result, &failure, sizeof failure);
    ::_exit(127);
}

/// In the child, between fork and execve: nothing here allocates.
[[noreturn]] void become(const Start& start) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != start.parent) {
        ::_exit(127);  // the parent was gone before the signal was asked for
    }
    for (int signal = 1; signal < NSIG; ++signal) {
        struct sigaction action {};
        action.sa_handler = SIG_DFL;
        ::sigaction(signal, &action, nullptr);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    char go = 0;
    ssize_t size = 0;
    do {
        size = ::read(start.gate, &go, 1);
    } while (size < 0 && errno == EINTR);
    if (size != 1) {
        ::_exit(127);
    }
    if (::chdir(start.directory) != 0) {
        report(start, StartFailure::Step::directory);
    }
    // stdin is /dev/null already
    if (::dup2(start.output, STDOUT_FILENO) < 0 || ::dup2(start.output, STDERR_FILENO) < 0) {
        report(start, StartFailure::Step::program);
    }
    SPARKHOST_CRASH_POINT("supervisor.child.exec");
    ::execve(start.arguments.front(), start.arguments.data(), start.environment.data());
    report(start, StartFailure::Step::program);
}

bool make_pipe(Fd& reader, Fd& writer) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return false;
    }
    reader = Fd(ends[0]);
    writer = Fd(ends[1]);
    return true;
}

}  // namespace

bool Child::make(const detail::LaunchPlan& plan, const std::vector<std::string>& variables,
                 const Fd& output) {
    Fd gate_reader;
    Fd result_writer;
    if (!make_pipe(gate_reader, gate_) || !make_pipe(result_, result_writer)) {
        return false;
    }
    const auto environment = merge(plan.environment, variables);
    const Start start{.arguments = pointers(plan.arguments),
                      .environment = pointers(environment),
                      .directory = plan.directory.c_str(),
                      .output = output.get(),
                      .gate = gate_reader.get(),
                      .result = result_writer.get(),
                      .parent = ::getpid()};
    pid_ = ::fork();
    if (pid_ == 0) {
        gate_.close();  // or it would keep its own gate from ever closing
        become(start);
    }
    if (pid_ > 0) {
        ::setpgid(pid_, pid_);  // both do it, so neither can be too late
    }
    return pid_ > 0;
}

void Child::release() {
    [[maybe_unused]] const auto size = ::write(gate_.get(), "g", 1);
    gate_.close();
}

bool Child::read_result(StartFailure& failure) {
    ssize_t size = 0;
    do {
        size = ::read(result_.get(), &failure, sizeof failure);
    } while (size < 0 && errno == EINTR);
    result_.close();
    return size != sizeof failure;
}

}  // namespace sparkhost::supervisor
