// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_TICKET_FACTS_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_TICKET_FACTS_HPP

// What is known for good about a ticket: lines of its journal, and its end. Pure.

#include <sparkhost/backend.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::guarded {

/// How the application of a ticket has ended. Written once.
struct TicketEnd {
    Outcome outcome{Outcome::none};
    std::optional<int> exit_code{};
    std::string reason{};
    Timestamp at{};
    bool operator==(const TicketEnd&) const = default;
};

struct TicketFacts {
    std::string store{};   ///< whose ticket it is: the store's uuid
    std::string nonce{};   ///< as in the ticket's data
    bool prepared{false};  ///< there is what a driver is granted
    /// What its driver will be called, where that is known before the cluster is asked for it.
    std::string intended{};
    std::vector<std::string> drivers{};  ///< that the cluster has made for it, oldest first
    // of the driver that has claimed it
    std::optional<Timestamp> claimed{};
    std::string claimed_by{};  ///< its driver
    std::string application_id{};
    std::string ui_url{};
    std::optional<Timestamp> context_up{};
    bool main_ended{false};  ///< the user's main has returned or thrown
    std::string error{};     ///< what it threw
    bool kill_requested{false};
    /// As far as this host knows the process of the driver that has claimed it lives: its guard is
    /// connected. In no journal.
    bool guard_is_there{false};
    std::string worker{};  ///< where its log is; the form is the backend's
    std::vector<TimelineEntry> steps{};
    std::optional<TicketEnd> end{};

    /// The driver that is followed; empty: none is known.
    std::string driver() const {
        return !claimed_by.empty() ? claimed_by : drivers.empty() ? std::string() : drivers.back();
    }
};

/// Who holds a ticket's claim.
struct ClaimSight {
    bool held{false};    ///< a driver has been granted it, or may have been
    bool killed{false};  ///< nobody is granted it any more
    std::string driver{};
};

/// One line of a ticket's journal.
struct JournalLine {
    enum class What {
        intended,        ///< `text`: a driver of this name is about to be asked for
        driver,          ///< `text`: the cluster has made this driver
        claimed,         ///< `text`: by this driver
        application,     ///< `text`: Spark's id of it, `more`: address of its UI
        main_ended,      ///< `text`: what the user's main threw
        kill_requested,  ///< somebody has asked for its end
        launched,        ///< `text`: the worker or container, `more`: TicketFacts::worker
        waiting          ///< `text`: for what a driver that is not launched waits
    };
    What what{What::driver};
    Timestamp at{};
    std::string text{};
    std::string more{};
};

std::string write_journal_line(const JournalLine& line);
/// Nothing: the line is torn, or of another version.
std::optional<JournalLine> read_journal_line(std::string_view line);

void apply(TicketFacts& facts, const JournalLine& line);

/// Takes over what a kill has written: its wish, the end, drivers. All else may be newer in memory
/// than what was read, for reports are written without anybody waiting.
void take_over_kill(TicketFacts& known, const TicketFacts& read);

std::string write_end(const TicketEnd& end);
std::optional<TicketEnd> read_end(std::string_view text);

/// What the host is told about it now.
ApplicationStatus status_of(const std::string& ticket, const TicketFacts& facts);

}  // namespace sparkhost::detail::guarded

#endif
