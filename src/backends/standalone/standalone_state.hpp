// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_STANDALONE_STATE_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_STANDALONE_STATE_HPP

#include "backends/common/claim_book.hpp"
#include "backends/common/ticket_turns.hpp"
#include "backends/standalone/masters.hpp"
#include "backends/standalone/submission_machine.hpp"
#include "backends/standalone/ticket_store.hpp"

#include <sparkhost/backends/standalone.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace sparkhost::detail::standalone {

class LogShelf;

/// What the running Backend::watch lets the other operations ask of it; empty while none runs.
struct WatchHooks {
    /// More is known of the ticket now.
    std::function<void(const std::string& ticket)> changed{};
    /// A submit or kill has come back to it: what is known is said once more.
    std::function<void(const std::string& ticket)> repeat{};
    std::function<void(const std::string& ticket)> released{};
    /// Something is about to change: looks at the master soon.
    std::function<void()> hurry{};
};

/// What the backend's operations share. Lives as long as any of them; for the host's strand.
struct StandaloneState {
    explicit StandaloneState(StandaloneBackendOptions given);

    const StandaloneBackendOptions options;
    TicketStore tickets;
    ClaimBook claims;

    // set by open
    BackendContext context{};
    std::string key{};        ///< of the guards' secrets
    std::string guard_jar{};  ///< its URL, for the workers
    std::shared_ptr<Masters> masters{};
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
    void log(LogLevel level, std::string message) const {
        if (context.log) {
            context.log(LogEvent{level, "standalone", std::move(message)});
        }
    }
};

// The operations of Backend (include/sparkhost/backend.hpp says what each one promises).

Awaitable<void> open_backend(std::shared_ptr<StandaloneState> state, BackendContext context);
Awaitable<Ticket> reserve_ticket(std::shared_ptr<StandaloneState> state, SubmitRequest request);
Awaitable<void> submit_application(std::shared_ptr<StandaloneState> state, SubmitRequest request,
                                   Ticket ticket);
Awaitable<void> watch_applications(std::shared_ptr<StandaloneState> state,
                                   std::shared_ptr<EventSink> sink);
Awaitable<void> kill_application(std::shared_ptr<StandaloneState> state, Ticket ticket);
Awaitable<void> release_application(std::shared_ptr<StandaloneState> state,
                                    Backend::ReleaseRequest request);
Awaitable<LogPage> read_application_log(std::shared_ptr<StandaloneState> state, LogRequest request);

// What they have in common (records.cpp).

/// Writes the line, then lets everybody know.
Awaitable<void> record(std::shared_ptr<StandaloneState> state, std::string ticket,
                       JournalLine line);
/// The ticket's application is over; the first end counts.
Awaitable<void> finish_ticket(std::shared_ptr<StandaloneState> state, std::string ticket,
                              TicketEnd end);
/// From now on no driver is granted the claim; who has had it before.
Awaitable<ClaimSight> take_claim(std::shared_ptr<StandaloneState> state, std::string ticket);

ClaimSight sight_of(const ClaimEntry& entry);

/// The judge of this backend's drivers (claims.cpp).
std::shared_ptr<ClaimJudge> make_judge(const std::shared_ptr<StandaloneState>& state);

}  // namespace sparkhost::detail::standalone

#endif
