// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_TICKET_FOLDER_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_TICKET_FOLDER_HPP

// A ticket's folder (docs/local_backend.md). Everything here blocks.

#include "backends/common/posix_file.hpp"
#include "backends/local/journal.hpp"

#include <sparkhost/clock.hpp>
#include <sparkhost/error.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sparkhost::detail::local {

/// Where everything is under work_dir.
struct WorkPaths {
    std::string root{};

    std::string tickets() const { return root + "/tickets"; }
    std::string folder(const std::string& ticket) const { return tickets() + "/" + ticket; }
    std::string launch(const std::string& ticket) const { return folder(ticket) + "/launch"; }
    std::string properties(const std::string& ticket) const {
        return folder(ticket) + "/spark.properties";
    }
    std::string claim(const std::string& ticket) const { return folder(ticket) + "/claim"; }
    std::string journal(const std::string& ticket) const { return folder(ticket) + "/journal"; }
    std::string driver_log(const std::string& ticket) const {
        return folder(ticket) + "/driver.log";
    }
    std::string kept_log(const std::string& ticket) const;
};

/// Who has claimed the ticket; nothing: nobody, or there is no folder.
Result<std::optional<Claim>> read_claim(const WorkPaths& paths, const std::string& ticket);

/// Takes the claim for a killer, making the folder where there is none; or, with `given_up`,
/// because the application did not start for that reason. Returns who holds it now.
Result<Claim> claim_for_killer(const WorkPaths& paths, const std::string& ticket, Timestamp now,
                               const std::string& given_up = {});

/// All entries of the journal; none when there is no journal.
Result<std::vector<JournalEntry>> read_journal(const WorkPaths& paths, const std::string& ticket);

/// Writes what a supervisor needs, durably: properties first, `launch` last.
Result<void> prepare_ticket_folder(const WorkPaths& paths, const std::string& ticket,
                                   const std::string& properties, const LaunchPlan& plan);

/// Connects to the supervisor's control socket, whatever the length of the path.
Result<UniqueFd> connect_control(const WorkPaths& paths, const std::string& ticket, pid_t pid);

/// Keeps or removes the output, then removes the folder. Idempotent.
Result<void> release_ticket(const WorkPaths& paths, const std::string& ticket, bool keep_log);

/// Ends what a supervisor that is gone has left behind and appends `ended unknown`, unless the
/// journal has its end by now. Safe to be called by several at once.
Result<void> settle_abandoned(const WorkPaths& paths, const std::string& ticket, const Claim& claim,
                              Timestamp now);

/// The names of all ticket folders.
Result<std::vector<std::string>> list_tickets(const WorkPaths& paths);

}  // namespace sparkhost::detail::local

#endif
