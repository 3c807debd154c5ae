// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_INTEGRATION_PROCESS_VIEW_HPP
#define SPARKHOST_TESTS_INTEGRATION_PROCESS_VIEW_HPP

#include "support/run.hpp"

#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace sparkhost::test {

/// What belongs to this process, as /proc and the C library tell it at one moment.
struct ProcessView {
    std::set<std::string> threads{};      ///< their numbers
    std::vector<std::string> signals{};   ///< lines of /proc/self/status: blocked, ignored, caught
    std::set<std::string> descriptors{};  ///< "3 -> socket:[…]"
    std::set<std::string> children{};     ///< pids, zombies too
    std::vector<std::string> surroundings{};  ///< folder, umask, locale, environment

    static ProcessView now();

private:
    static bool is_ending(const std::filesystem::path& task);
    static std::set<std::string> open_descriptors();
    static std::vector<std::string> lines_of_status();
};

inline std::set<std::string> ProcessView::open_descriptors() {
    std::set<std::string> found;
    const std::filesystem::path folder("/proc/self/fd");
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::error_code gone;  // the iterator's own is not open any more when it is read
        const auto target = std::filesystem::read_symlink(entry.path(), gone);
        if (!gone && target != "/proc/" + std::to_string(::getpid()) + "/fd") {
            found.insert(entry.path().filename().string() + " -> " + target.string());
        }
    }
    return found;
}

/// A thread that has been joined may still be seen for a moment: who joins it is woken before the
/// kernel has put it away.
inline bool ProcessView::is_ending(const std::filesystem::path& task) {
    constexpr unsigned exiting = 0x4;  // PF_EXITING, set before the one who joins is woken
    std::ifstream file(task / "stat");
    std::string text;
    std::getline(file, text);
    std::istringstream rest(text.substr(text.rfind(')') + 1));  // proc(5): flags are the ninth
    std::string skipped;
    for (int field = 3; field < 9; ++field) {
        rest >> skipped;
    }
    unsigned flags = exiting;  // unless it says otherwise: it may have gone by now
    rest >> flags;
    return (flags & exiting) != 0;
}

inline std::vector<std::string> ProcessView::lines_of_status() {
    std::vector<std::string> lines;
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("SigBlk") || line.starts_with("SigIgn") ||
            line.starts_with("SigCgt")) {
            lines.push_back(line);
        }
    }
    return lines;
}

inline ProcessView ProcessView::now() {
    ProcessView view;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        if (!is_ending(task.path())) {
            view.threads.insert(task.path().filename().string());
        }
        std::ifstream children(task.path() / "children");
        for (std::string pid; children >> pid;) {
            view.children.insert(pid);
        }
    }
    view.signals = lines_of_status();
    view.descriptors = open_descriptors();
    const auto mask = ::umask(0);
    ::umask(mask);
    view.surroundings = {std::filesystem::current_path(), "umask " + std::to_string(mask),
                         std::setlocale(LC_ALL, nullptr)};
    for (char** variable = ::environ; *variable != nullptr; ++variable) {
        view.surroundings.emplace_back(*variable);
    }
    return view;
}

/// Sends stdout and stderr of this process to a file while it lives.
class OutputCapture {
public:
    OutputCapture() : file_(std::tmpfile()) {
        flush();
        for (int number : {1, 2}) {
            saved_.emplace_back(number, ::dup(number));
            ::dup2(::fileno(file_), number);
        }
    }
    ~OutputCapture() { restore(); }
    OutputCapture(const OutputCapture&) = delete;
    OutputCapture& operator=(const OutputCapture&) = delete;

    /// Ends the capture; gives what was written.
    std::string take() {
        restore();
        std::string text;
        std::rewind(file_);
        for (int letter = 0; (letter = std::fgetc(file_)) != EOF;) {
            text.push_back(static_cast<char>(letter));
        }
        std::fclose(std::exchange(file_, nullptr));
        return text;
    }

private:
    static void flush() {
        std::cout.flush();
        std::cerr.flush();
        std::fflush(nullptr);
    }
    void restore() {
        flush();
        for (const auto& [number, copy] : saved_) {
            ::dup2(copy, number);
            ::close(copy);
        }
        saved_.clear();
    }

    std::FILE* file_;
    std::vector<std::pair<int, int>> saved_{};
};

}  // namespace sparkhost::test

#endif
