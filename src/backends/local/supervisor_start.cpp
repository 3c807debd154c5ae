// SPDX-License-Identifier: Apache-2.0
#include "backends/local/supervisor_start.hpp"

#include "backends/local/process_start.hpp"
#include "backends/local/supervisor_image.hpp"

#include "crash_point.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <chrono>
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

Result<UniqueFd> start_supervisor(const SupervisorProgram& program,
                                  const std::string& ticket_folder) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return errno_error("make", "a pipe", errno);
    }
    UniqueFd answers(ends[0]);
    UniqueFd writing(ends[1]);
    ProcessStart start;
    start.program = program.path;
    start.arguments = {ticket_folder};
    start.environment = detail::crash_point_environment();
    start.output = writing.get();
    start.kept = program.memory.get();
    start.orphan = true;
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
    return answers;
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

}  // namespace sparkhost::detail::local
