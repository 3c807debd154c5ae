// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_TICKET_STORE_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_TICKET_STORE_HPP

#include "backends/guarded/ticket_facts.hpp"

#include <sparkhost/backend.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail::guarded {

/// The folders of tickets, from submit (or kill) until release:
///
///   <ticket>/files/   what its driver is granted
///   <ticket>/ticket   whose it is; written when the folder is complete
///   <ticket>/journal  what has happened; append-only
///   <ticket>/end      how it has ended; made once, never changed
///
/// What is written is durable when it has been answered. Any thread; everything blocks. Errors of
/// all: rejected – no room; backend_failed – with the system's words.
class TicketStore {
public:
    explicit TicketStore(std::string folder) : folder_(std::move(folder)) {}

    /// Makes the folder, and removes what a release has left in half.
    Result<void> open() const;

    bool exists(const std::string& ticket) const;
    Result<std::vector<std::string>> list() const;

    struct Whose {
        std::string store{};
        std::string nonce{};
    };
    /// Makes the ticket's folder, where it is not complete yet. Without files: nobody is granted
    /// anything.
    Result<void> prepare(const std::string& ticket, const Whose& whose,
                         const std::vector<ClaimAnswer::File>* files) const;

    /// Errors: not_found – there is no such ticket.
    Result<TicketFacts> read(const std::string& ticket) const;
    /// Errors: not_found – there is no such ticket.
    Result<std::vector<ClaimAnswer::File>> granted(const std::string& ticket) const;
    /// Errors: not_found – there is no such ticket.
    Result<void> append(const std::string& ticket, const JournalLine& line) const;
    /// The first end counts: gives the one that is there now. Errors: not_found.
    Result<TicketEnd> finish(const std::string& ticket, const TicketEnd& end) const;

    /// Success where there is none.
    Result<void> remove(const std::string& ticket) const;

private:
    std::string path(const std::string& ticket) const { return folder_ + "/" + ticket; }

    std::string folder_;
};

}  // namespace sparkhost::detail::guarded

#endif
