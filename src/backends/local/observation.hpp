// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_OBSERVATION_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_OBSERVATION_HPP

#include "backends/local/application_tracker.hpp"
#include "backends/local/ticket_folder.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sparkhost::detail::local {

/// What one look at a ticket's folder has shown.
struct Observation {
    std::string ticket{};
    std::optional<Claim> claim{};  ///< nothing: not started, or released
    std::vector<JournalEntry> entries{};
    std::string error_line{};             ///< where the driver failed: what its log says about it
    std::shared_ptr<UniqueFd> control{};  ///< a connection to the supervisor
};

/// What to do beyond reading files.
enum class Look {
    read_only,  ///< nothing
    connect     ///< connect to the supervisor; where it is gone, settle what it has left
};

/// Blocking. Errors: backend_failed – the folder cannot be read.
Result<Observation> observe_ticket(const WorkPaths& paths, const std::string& ticket, Look look,
                                   Timestamp now);

/// One read-only look at each ticket folder; those without a claim are left out.
Result<std::vector<Observation>> observe_all(const WorkPaths& paths);

/// Brings the tracker up to what was seen.
void apply_observation(ApplicationTracker& tracker, const Observation& seen);

}  // namespace sparkhost::detail::local

#endif
