// SPDX-License-Identifier: Apache-2.0
#include "supervisor/ticket.hpp"

#include "crash_point.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace sparkhost::supervisor {

namespace {

constexpr std::size_t max_launch = 16 * 1024 * 1024;

bool fail(std::string& fault, std::string_view what) {
    const int error = errno;
    fault = what;
    fault += ": ";
    fault += std::strerror(error);
    return false;
}

bool enter(const std::string& folder, Ticket& ticket, std::string& fault) {
    std::string_view path = folder;
    while (path.size() > 1 && path.back() == '/') {
        path.remove_suffix(1);
    }
    ticket.name = path.substr(path.rfind('/') + 1);
    if (path.front() != '/' || ticket.name.empty() || ticket.name == "." || ticket.name == "..") {
        fault = "the ticket's folder must be an absolute path that ends in the ticket's name";
        return false;
    }
    return ::chdir(folder.c_str()) == 0 || fail(fault, "cannot enter " + folder);
}

bool read_launch(Ticket& ticket, std::string& fault) {
    const Fd file(::open("launch", O_RDONLY | O_CLOEXEC));
    if (!file) {
        return fail(fault, "cannot open launch");
    }
    std::string text;
    std::array<char, 4096> buffer;
    for (;;) {
        const auto size = ::read(file.get(), buffer.data(), buffer.size());
        if (size == 0) {
            break;
        }
        if (size < 0 && errno != EINTR) {
            return fail(fault, "cannot read launch");
        }
        text.append(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
        if (text.size() > max_launch) {
            fault = "launch is too large";
            return false;
        }
    }
    auto plan = detail::decode_launch(text, fault);
    if (!plan) {
        fault = "launch cannot be used: " + fault;
        return false;
    }
    ticket.plan = *plan;
    return true;
}

bool listen_on_control(Ticket& ticket, std::string& fault) {
    ticket.control_name = "control." + std::to_string(ticket.self.pid);
    // one that is there is a leftover: no two processes have this pid
    ::unlink(ticket.control_name.c_str());
    ticket.control = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, ticket.control_name.c_str(), ticket.control_name.size() + 1);
    return (ticket.control &&
            ::bind(ticket.control.get(), reinterpret_cast<const sockaddr*>(&address),
                   sizeof address) == 0 &&
            ::chmod(ticket.control_name.c_str(), 0600) == 0 &&
            ::listen(ticket.control.get(), 16) == 0) ||
           fail(fault, "cannot listen on " + ticket.control_name);
}

bool open_files(Ticket& ticket, std::string& fault) {
    constexpr int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
    // not truncated, not written to: until the claim is ours it may be another's
    ticket.journal = Fd(::open("journal", flags, 0600));
    if (!ticket.journal) {
        return fail(fault, "cannot open journal");
    }
    ticket.output = Fd(::open(ticket.plan.output.c_str(), flags | O_APPEND | O_NOCTTY, 0600));
    return static_cast<bool>(ticket.output) || fail(fault, "cannot open " + ticket.plan.output);
}

/// link(2) makes `claim` appear complete, and to exactly one of all who try.
Taking link_claim(const Ticket& ticket, std::string& fault) {
    const auto name = "claim." + std::to_string(ticket.self.pid);
    const Fd file(::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file || !write_fully(file.get(), detail::format_claim({.supervisor = ticket.self})) ||
        ::fsync(file.get()) != 0) {
        fail(fault, "cannot write " + name);
        ::unlink(name.c_str());
        return Taking::failed;
    }
    const bool linked = ::link(name.c_str(), "claim") == 0;
    const bool taken = !linked && errno == EEXIST;
    SPARKHOST_CRASH_POINT("supervisor.claim.linked");
    if (!linked && !taken) {
        fail(fault, "cannot make claim");
    }
    ::unlink(name.c_str());
    if (linked) {
        return Taking::claimed;
    }
    return taken ? Taking::taken : Taking::failed;
}

}  // namespace

bool sync_working_directory() {
    const Fd folder(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return folder && ::fsync(folder.get()) == 0;
}

bool write_fully(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto size = ::write(fd, bytes.data(), bytes.size());
        if (size < 0 && errno != EINTR) {
            return false;
        }
        bytes.remove_prefix(size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return true;
}

bool open_ticket(const std::string& folder, Ticket& ticket, std::string& fault) {
    ticket.self = {.pid = ::getpid(),
                   .start_time = detail::read_start_time(::getpid()).value_or(0),
                   .boot_id = detail::boot_id()};
    if (ticket.self.start_time == 0 || ticket.self.boot_id.empty()) {
        fault = "cannot read /proc";
        return false;
    }
    return enter(folder, ticket, fault) && read_launch(ticket, fault) &&
           open_files(ticket, fault) && listen_on_control(ticket, fault);
}

Taking claim_ticket(const Ticket& ticket, std::string& fault) {
    const auto taking = link_claim(ticket, fault);
    if (taking != Taking::claimed) {
        ::unlink(ticket.control_name.c_str());
    }
    return taking;
}

}  // namespace sparkhost::supervisor
