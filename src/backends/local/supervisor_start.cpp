// SPDX-License-Identifier: Apache-2.0
#include "backends/local/supervisor_start.hpp"

#include "backends/local/supervisor_image.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string_view>

#include <sys/mman.h>
#include <sys/stat.h>

namespace sparkhost::detail::local {

namespace {

constexpr std::chrono::seconds answer_limit{30};
constexpr std::size_t longest_answer = 8192;

// of Linux 6.3; where the kernel does not know it, memory files are executable anyway
constexpr unsigned memory_may_execute = 0x0010U;

/// The carried program as a file that exists in memory only.
Result<UniqueFd> supervisor_in_memory() {
    constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    UniqueFd memory(::memfd_create("sparkhost-supervisor", flags | memory_may_execute));
    if (!memory && errno == EINVAL) {
        memory.reset(::memfd_create("sparkhost-supervisor", flags));
    }
    if (!memory) {
        return errno_error("make", "a file in memory", errno);
    }
    if (auto written = write_fully(memory.get(), supervisor_image(), "a file in memory");
        !written) {
        return written.error();
    }
    ::fchmod(memory.get(), 0500);
    ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    // what is open for writing cannot be executed ("text file busy")
    return open_file("/proc/self/fd/" + std::to_string(memory.get()), O_RDONLY);
}

Result<std::string> supervisor_in_folder(const std::string& work_dir) {
    const std::string path = work_dir + "/sparkhost-supervisor";
    auto there = read_whole_file(path);
    if (!there || *there != supervisor_image()) {
        if (auto written = write_file_durably(path, supervisor_image()); !written) {
            return written.error();
        }
    }
    if (::chmod(path.c_str(), 0500) != 0) {
        return errno_error("make executable", path, errno);
    }
    return path;
}

}  // namespace

Result<std::shared_ptr<const SupervisorProgram>> load_supervisor(const std::string& program,
                                                                 const std::string& work_dir) {
    auto loaded = std::make_shared<SupervisorProgram>();
    loaded->path = program;
    if (!program.empty()) {
        if (::access(program.c_str(), X_OK) != 0) {
            return errno_error("execute LocalBackendOptions::supervisor", program, errno);
        }
        return std::shared_ptr<const SupervisorProgram>(loaded);
    }
    loaded->folder = work_dir;
    if (auto memory = supervisor_in_memory(); memory) {
        loaded->memory = std::move(*memory);
        loaded->path = "/proc/self/fd/" + std::to_string(loaded->memory.get());
        return std::shared_ptr<const SupervisorProgram>(loaded);
    }
    auto path = supervisor_in_folder(work_dir);
    if (!path) {
        return path.error();
    }
    loaded->path = *path;
    return std::shared_ptr<const SupervisorProgram>(loaded);
}

Result<StartedSupervisor> start_supervisor(const SupervisorProgram& program,
                                           const std::string& ticket_folder) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return errno_error("make", "a pipe", errno);
    }
    StartedSupervisor started;
    started.answers.reset(ends[0]);
    UniqueFd writing(ends[1]);
    ProcessStart start;
    start.program = program.path;
    start.arguments = {ticket_folder};
    start.output = writing.get();
    start.kept = program.memory.get();
    auto process = start_process(start);
    if (!process && program.memory) {
        auto path = supervisor_in_folder(program.folder);
        if (!path) {
            return path.error();
        }
        start.program = *path;
        start.kept = -1;
        process = start_process(start);
    }
    if (!process) {
        return process.error();
    }
    started.process = std::move(*process);
    return started;
}

asio::awaitable<std::string> read_answer(UniqueFd answers) {
    auto strand = co_await asio::this_coro::executor;
    // shared with the timer's handler, which may run after this coroutine has gone
    auto stream = std::make_shared<asio::posix::stream_descriptor>(strand, answers.release());
    asio::steady_timer limit(strand, answer_limit);
    limit.async_wait([stream](boost::system::error_code stopped) {
        if (!stopped) {
            boost::system::error_code ignored;
            stream->close(ignored);
        }
    });
    std::string answer;
    char buffer[512];
    while (answer.find('\n') == std::string::npos && answer.size() < longest_answer) {
        boost::system::error_code failed;
        std::size_t got = co_await stream->async_read_some(
            asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, failed));
        if (failed) {
            break;
        }
        answer.append(buffer, got);
    }
    const auto end = answer.find('\n');
    co_return end == std::string::npos ? std::string() : answer.substr(0, end);
}

struct ChildReaper::Child {
    StartedProcess process{};
    std::optional<asio::posix::stream_descriptor> handle{};
};

void ChildReaper::start(asio::any_io_executor strand) {
    strand_ = std::move(strand);
    for (auto& [pid, child] : children_) {
        watch(child);
    }
}

void ChildReaper::stop() {
    strand_ = {};
    for (auto& [pid, child] : children_) {
        child->handle.reset();
    }
}

void ChildReaper::forget_ended() {
    std::erase_if(children_, [](const auto& entry) {
        const StartedProcess& known = entry.second->process;
        return !known.handle || reap_process(known) >= 0;
    });
}

void ChildReaper::add(StartedProcess process) {
    if (!process.handle) {
        return;  // somebody else has reaped it already
    }
    forget_ended();
    auto child = std::make_shared<Child>();
    const pid_t pid = process.pid;
    child->process = std::move(process);
    children_.insert_or_assign(pid, child);
    if (strand_) {
        watch(child);
    }
}

void ChildReaper::watch(const std::shared_ptr<Child>& child) {
    int copy = ::fcntl(child->process.handle.get(), F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
        return;  // reaped with the next start
    }
    child->handle.emplace(strand_, copy);
    child->handle->async_wait(asio::posix::stream_descriptor::wait_read,
                              [child](boost::system::error_code stopped) {
                                  if (!stopped) {
                                      reap_process(child->process);
                                      child->process.handle.reset();
                                      child->handle.reset();
                                  }
                              });
}

}  // namespace sparkhost::detail::local
