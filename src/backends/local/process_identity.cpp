// SPDX-License-Identifier: Apache-2.0
#include "backends/local/process_identity.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>

#include <fcntl.h>
#include <unistd.h>

namespace sparkhost::detail {

namespace proc {

/// The beginning of a file of /proc, which is made anew by each open(2); empty when it is gone.
std::string read_start(const char* path) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return {};
    }
    std::array<char, 1024> buffer;
    ssize_t size = 0;
    do {
        size = ::read(fd, buffer.data(), buffer.size());
    } while (size < 0 && errno == EINTR);
    ::close(fd);
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

/// The next blank-separated word of `text`, which is cut off it.
std::string_view take_word(std::string_view& text) {
    const auto begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) {
        text = {};
        return {};
    }
    text.remove_prefix(begin);
    const auto word = text.substr(0, text.find_first_of(" \n"));
    text.remove_prefix(word.size());
    return word;
}

template <class Number>
bool take_number(std::string_view& text, Number& number) {
    const auto word = take_word(text);
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    return error == std::errc() && end == word.data() + word.size() && !word.empty();
}

}  // namespace proc

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
    ProcessStat stat;
    const auto name_end = text.rfind(')');
    if (name_end == std::string_view::npos || !proc::take_number(text, stat.pid)) {
        return std::nullopt;
    }
    text = text.substr(text.rfind(')') + 1);
    const auto state = proc::take_word(text);
    if (state.size() != 1 || !proc::take_number(text, stat.parent) ||
        !proc::take_number(text, stat.group)) {
        return std::nullopt;
    }
    stat.state = state.front();
    constexpr int between = 16;  // from field 6, the session, to field 21
    for (int i = 0; i < between; ++i) {
        proc::take_word(text);
    }
    if (!proc::take_number(text, stat.start_time)) {
        return std::nullopt;
    }
    return stat;
}

std::optional<ProcessStat> read_process_stat(pid_t pid) {
    const auto path = "/proc/" + std::to_string(pid) + "/stat";
    return parse_process_stat(proc::read_start(path.c_str()));
}

std::optional<std::uint64_t> read_start_time(pid_t pid) {
    const auto stat = read_process_stat(pid);
    return stat ? std::optional(stat->start_time) : std::nullopt;
}

std::string boot_id() {
    const auto text = proc::read_start("/proc/sys/kernel/random/boot_id");
    return text.substr(0, text.find('\n'));
}

bool is_alive(const ProcessIdentity& process) {
    if (process.pid <= 0 || process.boot_id != boot_id()) {
        return false;
    }
    const auto stat = read_process_stat(process.pid);
    return stat && stat->start_time == process.start_time && stat->state != 'Z' &&
           stat->state != 'X';
}

}  // namespace sparkhost::detail
