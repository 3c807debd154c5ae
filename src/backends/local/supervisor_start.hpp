// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_SUPERVISOR_START_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_SUPERVISOR_START_HPP

#include "backends/common/posix_file.hpp"

#include <sparkhost/error.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace sparkhost::detail::local {

namespace asio = boost::asio;

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

/// Starts a supervisor for the ticket's folder, as nobody's child: it outlives the host, and must
/// not be left a zombie in a process that goes on without one. Gives the reading end of its
/// stdout. Blocking.
Result<UniqueFd> start_supervisor(const SupervisorProgram& program,
                                  const std::string& ticket_folder);

/// Its first line, "claimed", "taken" or "error …"; empty: it ended, or was silent for too long.
asio::awaitable<std::string> read_answer(UniqueFd answers);

}  // namespace sparkhost::detail::local

#endif
