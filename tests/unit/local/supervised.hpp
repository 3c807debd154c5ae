// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_LOCAL_SUPERVISED_HPP
#define SPARKHOST_TESTS_UNIT_LOCAL_SUPERVISED_HPP

// The real supervisor program on drivers that are shell scripts.

#include "backends/local/journal.hpp"
#include "support/temp_dir.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace sparkhost::test {

/// A descriptor to read lines from and write to, that never waits without end: a test fails when
/// nothing comes for a minute.
class LineStream {
public:
    LineStream() = default;
    explicit LineStream(int fd) : fd_(fd) {}
    LineStream(LineStream&& other) noexcept;
    LineStream& operator=(LineStream&& other) noexcept;
    ~LineStream();

    int fd() const { return fd_; }
    void close();

    /// The next line without its '\n'; fails the test at the end of the stream.
    std::string line();
    /// Everything up to the end of the stream.
    std::string rest();
    /// Exactly so many bytes.
    std::string bytes(std::size_t size);
    /// True when the stream is at its end, now or soon.
    bool at_end();
    void write(std::string_view text);

private:
    bool fill();

    int fd_{-1};
    std::string buffer_{};
};

/// Two named pipes, by which a script and a test wait for each other.
class Gate {
public:
    explicit Gate(const std::filesystem::path& path);

    /// For the script: `echo text > out`, `read x < in`.
    const std::string& out() const { return out_path_; }
    const std::string& in() const { return in_path_; }

    /// What the script tells next.
    std::string line() { return out_.line(); }
    /// Lets a script that reads, now or later, go on.
    void open() { in_.write("go\n"); }

private:
    std::string out_path_;
    std::string in_path_;
    LineStream out_;
    LineStream in_;
};

/// One ticket and its supervisor. Nothing of it is left when the test is over.
class Supervised {
public:
    explicit Supervised(std::string name = "ticket");
    ~Supervised();
    Supervised(const Supervised&) = delete;
    Supervised& operator=(const Supervised&) = delete;

    const TempDir& dir() const { return dir_; }
    const std::filesystem::path& folder() const { return folder_; }
    detail::LaunchPlan& plan() { return plan_; }
    /// The driver: /bin/sh -c script, with PATH.
    void script(const std::string& text);

    void write_launch();
    /// write_launch, then the program; its first line.
    std::string start();
    pid_t pid() const { return pid_; }

    /// A connection to the control socket.
    LineStream connect() const;
    void send_kill() const;
    void signal(int number) const;

    /// Waits for the program's end; its exit status, or minus the signal.
    int wait();

    std::string journal_text() const;
    /// The journal, told: words and rests, without times and process numbers.
    std::vector<std::string> journal() const;
    std::string output() const;
    /// The process that was journaled.
    pid_t child() const;

private:
    TempDir dir_{};
    std::filesystem::path folder_;
    detail::LaunchPlan plan_{};
    pid_t pid_{-1};
    LineStream answers_{};
};

/// Words and rests of journal lines, without times and process numbers.
std::vector<std::string> told(std::string_view journal);

/// Starts the supervisor on a folder; its output is written to `output`.
pid_t start_supervisor(const std::string& folder, int output);

/// Waits until the process is gone (over and reaped, or a zombie).
void wait_until_gone(pid_t pid);

}  // namespace sparkhost::test

#endif
