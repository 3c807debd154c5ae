// SPDX-License-Identifier: Apache-2.0
#include "unit/local/supervised.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sparkhost::test {

namespace {

constexpr int patience_ms = 60'000;

void wait_readable(int fd) {
    pollfd polled{.fd = fd, .events = POLLIN, .revents = 0};
    int count = 0;
    do {
        count = ::poll(&polled, 1, patience_ms);
    } while (count < 0 && errno == EINTR);
    BOOST_REQUIRE_MESSAGE(count == 1, "nothing came in time");
}

}  // namespace

LineStream::LineStream(LineStream&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

LineStream& LineStream::operator=(LineStream&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    buffer_ = std::move(other.buffer_);
    return *this;
}

LineStream::~LineStream() {
    close();
}

void LineStream::close() {
    if (fd_ >= 0) {
        ::close(std::exchange(fd_, -1));
    }
}

bool LineStream::fill() {
    wait_readable(fd_);
    std::array<char, 4096> bytes;
    const auto size = ::read(fd_, bytes.data(), bytes.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (size <= 0) {
        return false;
    }
    buffer_.append(bytes.data(), static_cast<std::size_t>(size));
    return true;
}

std::string LineStream::line() {
    auto end = buffer_.find('\n');
    for (; end == std::string::npos; end = buffer_.find('\n')) {
        BOOST_REQUIRE_MESSAGE(fill(), "the stream ended after '" << buffer_ << "'");
    }
    auto text = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return text;
}

std::string LineStream::rest() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
}

std::string LineStream::bytes(std::size_t size) {
    while (buffer_.size() < size) {
        BOOST_REQUIRE_MESSAGE(fill(), "the stream ended after " << buffer_.size() << " bytes");
    }
    auto text = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return text;
}

bool LineStream::at_end() {
    return buffer_.empty() && !fill();
}

void LineStream::write(std::string_view text) {
    const auto size = ::write(fd_, text.data(), text.size());
    BOOST_REQUIRE(size == static_cast<ssize_t>(text.size()));
}

Gate::Gate(const std::filesystem::path& path)
    : out_path_(path.string() + ".out"), in_path_(path.string() + ".in") {
    BOOST_REQUIRE(::mkfifo(out_path_.c_str(), 0600) == 0);
    BOOST_REQUIRE(::mkfifo(in_path_.c_str(), 0600) == 0);
    out_ = LineStream(::open(out_path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    in_ = LineStream(::open(in_path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
}

pid_t start_supervisor(const std::string& folder, int output) {
    const auto parent = ::getpid();
    const auto pid = ::fork();
    BOOST_REQUIRE(pid >= 0);
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent || ::dup2(output, STDOUT_FILENO) < 0) {
            ::_exit(126);
        }
        std::array<char*, 3> arguments{const_cast<char*>("sparkhost-supervisor"),
                                       const_cast<char*>(folder.c_str()), nullptr};
        ::execv(SPARKHOST_SUPERVISOR_PROGRAM, arguments.data());
        ::_exit(127);
    }
    return pid;
}

void wait_until_gone(pid_t pid) {
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (fd >= 0) {
        const LineStream process(fd);
        wait_readable(fd);
    }
}

Supervised::Supervised(std::string name) : folder_(dir_.path() / name) {
    std::filesystem::create_directories(folder_ / "work");
    plan_.directory = folder_ / "work";
    plan_.output = folder_ / "driver.log";
    plan_.grace = std::chrono::seconds{60};
}

Supervised::~Supervised() {
    if (pid_ <= 0) {
        return;
    }
    // its descendants first: it alone knows them
    std::string fault;
    ::kill(pid_, SIGTERM);
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    pollfd polled{.fd = fd, .events = POLLIN, .revents = 0};
    if (fd < 0 || ::poll(&polled, 1, 10'000) != 1) {
        ::kill(pid_, SIGKILL);
    }
    if (fd >= 0) {
        ::close(fd);
    }
    ::waitpid(pid_, nullptr, 0);
}

void Supervised::script(const std::string& text) {
    plan_.arguments = {"/bin/sh", "-c", text};
    plan_.environment = {"PATH=/usr/bin:/bin"};
}

void Supervised::write_launch() {
    dir_.write(folder_.filename().string() + "/launch", detail::encode_launch(plan_));
}

std::string Supervised::start() {
    write_launch();
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    answers_ = LineStream(ends[0]);
    pid_ = start_supervisor(folder_.string(), ends[1]);
    ::close(ends[1]);
    return answers_.line();
}

LineStream Supervised::connect() const {
    // the socket's path may be longer than an address can hold
    const int folder = ::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    LineStream socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto path =
        "/proc/self/fd/" + std::to_string(folder) + "/control." + std::to_string(pid_);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const int result =
        ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(folder);
    BOOST_REQUIRE_MESSAGE(result == 0, "cannot connect: " << std::strerror(errno));
    return socket;
}

void Supervised::send_kill() const {
    connect().write("kill\n");
}

void Supervised::signal(int number) const {
    BOOST_REQUIRE(::kill(pid_, number) == 0);
}

int Supervised::wait() {
    wait_until_gone(pid_);
    int status = 0;
    BOOST_REQUIRE(::waitpid(std::exchange(pid_, -1), &status, 0) > 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string Supervised::journal_text() const {
    return read_text(folder_ / "journal");
}

std::vector<std::string> Supervised::journal() const {
    return told(journal_text());
}

std::string Supervised::output() const {
    return read_text(plan_.output);
}

pid_t Supervised::child() const {
    for (const auto& entry : detail::parse_journal(journal_text())) {
        if (entry.word == detail::JournalWord::process) {
            return entry.process.pid;
        }
    }
    return -1;
}

std::vector<std::string> told(std::string_view journal) {
    std::vector<std::string> lines;
    for (auto entry : detail::parse_journal(journal)) {
        const bool names_process = entry.word == detail::JournalWord::claimed ||
                                   entry.word == detail::JournalWord::process;
        auto line = detail::format_journal_line(entry);
        line = line.substr(line.find(' ') + 1);
        line.pop_back();
        lines.push_back(names_process ? line.substr(0, line.find(' ')) : line);
    }
    return lines;
}

}  // namespace sparkhost::test
