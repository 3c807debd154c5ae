// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_LEFTOVERS_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_LEFTOVERS_HPP

#include "backends/local/journal.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::local {

/// Kills (SIGKILL) every process a vanished supervisor has left: the journalled process group,
/// verified by its leader's start time, and every process whose environment names the ticket.
/// Returns how many processes of the second kind were signalled. Blocking.
int end_leftovers(const std::string& ticket, const std::vector<JournalEntry>& journal);

/// Whether an environment as /proc/<pid>/environ has it names this ticket.
bool names_ticket(std::string_view environment, const std::string& ticket);

}  // namespace sparkhost::detail::local

#endif
