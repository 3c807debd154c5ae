// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_SUPERVISOR_START_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_SUPERVISOR_START_HPP

#include "backends/local/posix_file.hpp"
#include "backends/local/process_start.hpp"

#include <sparkhost/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/descriptor.hpp>

#include <map>
#include <memory>
#include <string>

namespace sparkhost::detail::local {

namespace asio = boost::asio;

struct StartedSupervisor {
    StartedProcess process{};
    UniqueFd answers{};  ///< reading end of its stdout
};

/// The program that becomes each application's supervisor. Immutable once loaded.
struct SupervisorProgram {
    std::string path{};    ///< what is executed; for the carried program a /proc/self/fd/N
    UniqueFd memory{};     ///< the carried program, existing in memory only
    std::string folder{};  ///< where a copy is put if memory must not be executed
};

/// `program`, or the one carried inside the library when that is empty. Blocking.
/// Errors: backend_failed – it cannot be executed at all.
Result<std::shared_ptr<const SupervisorProgram>> load_supervisor(const std::string& program,
                                                                 const std::string& work_dir);

/// Starts a supervisor for the ticket's folder. Blocking.
Result<StartedSupervisor> start_supervisor(const SupervisorProgram& program,
                                           const std::string& ticket_folder);

/// Its first line, "claimed", "taken" or "error …"; empty: it ended, or was silent for too long.
asio::awaitable<std::string> read_answer(UniqueFd answers);

/// Takes the exit statuses of our supervisors, so that none is left a zombie. Touches no other
/// child of the process and no signal handler. For one strand.
class ChildReaper {
public:
    ChildReaper() = default;
    ChildReaper(const ChildReaper&) = delete;
    ChildReaper& operator=(const ChildReaper&) = delete;
    ~ChildReaper() { forget_ended(); }

    /// From now on until stop(), each child is reaped as soon as it has ended.
    void start(asio::any_io_executor strand);
    void stop();

    void add(StartedProcess process);

private:
    struct Child;
    void watch(const std::shared_ptr<Child>& child);
    void forget_ended();

    asio::any_io_executor strand_{};
    std::map<pid_t, std::shared_ptr<Child>> children_{};
};

}  // namespace sparkhost::detail::local

#endif
