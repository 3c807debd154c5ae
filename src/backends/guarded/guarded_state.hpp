// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_GUARDED_STATE_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_GUARDED_STATE_HPP

// What backends share whose drivers start with the guard: tickets on disk, claims, logs.

#include "backends/common/claim_book.hpp"
#include "backends/common/ticket_turns.hpp"
#include "backends/guarded/log_shelf.hpp"
#include "backends/guarded/ticket_data.hpp"
#include "backends/guarded/ticket_store.hpp"

#include <sparkhost/backend.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sparkhost::detail::guarded {

/// What the running Backend::watch lets the other operations ask of it; empty while none runs.
struct WatchHooks {
    /// More is known of the ticket now.
    std::function<void(const std::string& ticket)> changed{};
    /// A submit or kill has come back to it: what is known is said once more.
    std::function<void(const std::string& ticket)> repeat{};
    std::function<void(const std::string& ticket)> released{};
    /// Something is about to change: looks at the cluster soon.
    std::function<void()> hurry{};
};

/// How this backend differs from the others.
struct GuardedTraits {
    std::string topic{};  ///< of what is logged: "standalone"
    std::string work_dir{};
    /// Whether a driver can have this name.
    bool (*is_driver)(std::string_view name){nullptr};
    /// To a guard that knows no such name: what it needs.
    std::string unnamed_driver{};
};

/// What the operations share. Lives as long as any of them; for the host's strand.
struct GuardedState {
    explicit GuardedState(GuardedTraits given)
        : traits(std::move(given)),
          tickets(traits.work_dir + "/tickets"),
          claims(traits.work_dir + "/claims") {}

    const GuardedTraits traits;
    TicketStore tickets;
    ClaimBook claims;

    // set by open
    BackendContext context{};
    std::string key{};  ///< of the guards' secrets
    std::shared_ptr<ClaimJudge> judge{};
    std::shared_ptr<LogShelf> logs{};

    /// Of every ticket of this store that has a folder.
    std::map<std::string, TicketFacts> table{};
    TicketTurns turns{};  ///< submit, kill and release of one ticket take turns
    WatchHooks watch{};

    TicketFacts* find(const std::string& ticket) {
        const auto found = table.find(ticket);
        return found == table.end() ? nullptr : &found->second;
    }
    Timestamp now() const { return context.clock->now(); }
    void tell_changed(const std::string& ticket) const {
        if (watch.changed) {
            watch.changed(ticket);
        }
    }
    void tell_again(const std::string& ticket) const {
        if (watch.repeat) {
            watch.repeat(ticket);
        }
    }
    void hurry() const {
        if (watch.hurry) {
            watch.hurry();
        }
    }
    void log(LogLevel level, std::string message) const {
        if (context.log) {
            context.log(LogEvent{level, traits.topic, std::move(message)});
        }
    }
};

ClaimSight sight_of(const ClaimEntry& entry);

// records.cpp

/// Writes the line, then lets everybody know.
Awaitable<void> record(std::shared_ptr<GuardedState> state, std::string ticket, JournalLine line);
/// The ticket's application is over; the first end counts.
Awaitable<void> finish_ticket(std::shared_ptr<GuardedState> state, std::string ticket,
                              TicketEnd end);
/// From now on no driver is granted the claim; who has had it before.
Awaitable<ClaimSight> take_claim(std::shared_ptr<GuardedState> state, std::string ticket);

// claims.cpp

/// The judge of this backend's drivers.
std::shared_ptr<ClaimJudge> make_judge(const std::shared_ptr<GuardedState>& state);

// tickets.cpp; all but open_tickets block.

/// What opening finds in `work_dir`; makes what is missing there.
struct FoundTickets {
    std::string key{};
    std::map<std::string, TicketFacts> table{};
};
Result<FoundTickets> find_tickets(GuardedState& state);

/// A name that nothing has. Something has it when the store has been put back to a backup, which
/// gives numbers again: to take up what ran under the name then would be another batch's end.
Result<std::string> free_ticket_id(const GuardedState& state, const SubmitRequest& request);

/// What a submit begins with.
struct PreparedTicket {
    TicketFacts facts{};
    ClaimSight claim{};
};
/// Copies what the driver will be granted, its driver files and `own`: its host may be another one
/// by then. Errors: rejected – no room, ask again; others – no driver can be made.
Result<PreparedTicket> prepare_ticket(const GuardedState& state, const std::string& ticket,
                                      const TicketData& data, std::vector<ClaimAnswer::File> own);

/// For a kill. The claim first: whatever comes later runs nothing. Then it is written down why.
Result<TicketFacts> take_ticket(GuardedState& state, const std::string& ticket,
                                const TicketData& data, Timestamp now);

/// For a release. The folder first: without it no claim is granted, whatever the book has. `point`
/// is called between the two.
Result<void> remove_ticket(GuardedState& state, const std::string& ticket, void (*point)());

/// Begins the work of open(): fills the state, and makes its judge known.
Awaitable<void> open_tickets(std::shared_ptr<GuardedState> state);

}  // namespace sparkhost::detail::guarded

#endif
