// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_SUPERVISOR_TICKET_HPP
#define SPARKHOST_SRC_SUPERVISOR_TICKET_HPP

#include "backends/local/journal.hpp"
#include "supervisor/fd.hpp"

#include <string>

namespace sparkhost::supervisor {

/// A ticket's folder, which is also the working directory: so a socket can be bound in it however
/// long its path is.
struct Ticket {
    std::string name{};  ///< the folder's name
    std::string control_name{};
    detail::LaunchPlan plan{};
    Fd control{};  ///< listens on control_name
    Fd output{};
    Fd journal{};
    detail::ProcessIdentity self{};
};

enum class Taking {
    claimed,  ///< this process, and no other ever, may start the ticket's child
    taken,    ///< somebody else has decided
    failed    ///< nothing has been decided; `fault` says why
};

/// Enters the folder, reads the plan and opens what is needed: whatever fails here can be tried
/// again, by anybody. False with `fault`.
bool open_ticket(const std::string& folder, Ticket& ticket, std::string& fault);

/// Unless claimed, the folder is left as it was.
Taking claim_ticket(const Ticket& ticket, std::string& fault);

/// Makes claim and journal themselves, not yet their content, survive a power cut; false with
/// errno.
bool sync_working_directory();

}  // namespace sparkhost::supervisor

#endif
