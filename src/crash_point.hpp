// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CRASH_POINT_HPP
#define SPARKHOST_SRC_CRASH_POINT_HPP

// Where tools/crash-campaign ends a process. In any other build the macro is nothing.
//
// SPARKHOST_CRASH_AT=name:n ends the process at the n-th passage of the point. Where
// SPARKHOST_CRASH_TOKEN names a file, only the process that takes it away does so, and says there
// who it was and in which folder: the supervisors of many applications run at the same time.

#include <map>
#include <string>

#ifdef SPARKHOST_CRASH_POINTS

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#define SPARKHOST_CRASH_POINT(name) ::sparkhost::detail::pass_crash_point(name)

namespace sparkhost::detail {

/// True for one process only. Renamed, not removed: so that it says who was first.
inline bool take_crash_token() {
    const char* const token = std::getenv("SPARKHOST_CRASH_TOKEN");
    if (token == nullptr) {
        return true;
    }
    const std::string taken = std::string(token) + ".taken";
    if (std::rename(token, taken.c_str()) != 0) {
        return false;
    }
    char folder[4096]{};
    const bool known = ::getcwd(folder, sizeof folder) != nullptr;
    const auto line = std::to_string(::getpid()) + " " + (known ? folder : "?") + "\n";
    const int file = ::open(taken.c_str(), O_WRONLY | O_CLOEXEC);
    [[maybe_unused]] const auto size = ::write(file, line.data(), line.size());
    return true;
}

inline void pass_crash_point(std::string_view name) {
    static std::atomic<long> passages{0};
    const char* const value = std::getenv("SPARKHOST_CRASH_AT");
    const std::string_view wanted(value == nullptr ? "" : value);
    if (!wanted.starts_with(name) || wanted.substr(name.size(), 1) != ":") {
        return;
    }
    if (++passages == std::atol(value + name.size() + 1) && take_crash_token()) {
        ::kill(::getpid(), SIGKILL);
    }
}

/// For a program that is started with an environment of its own.
inline std::map<std::string, std::string> crash_point_environment() {
    std::map<std::string, std::string> environment;
    for (const char* name : {"SPARKHOST_CRASH_AT", "SPARKHOST_CRASH_TOKEN"}) {
        if (const char* value = std::getenv(name)) {
            environment[name] = value;
        }
    }
    return environment;
}

}  // namespace sparkhost::detail

#else

#define SPARKHOST_CRASH_POINT(name) static_cast<void>(0)

namespace sparkhost::detail {

inline std::map<std::string, std::string> crash_point_environment() {
    return {};
}

}  // namespace sparkhost::detail

#endif

#endif
