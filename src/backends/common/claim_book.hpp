// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_CLAIM_BOOK_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_CLAIM_BOOK_HPP

// Which driver may run the user code of a ticket, on disk: for clusters that cannot keep it.

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail {

/// What the book has about a ticket.
struct ClaimEntry {
    enum class Holder {
        nobody,     ///< no driver has claimed it
        driver,     ///< the process with `nonce` has
        unreadable  ///< somebody may have: its file is broken, and never again taken for free
    };
    Holder holder{Holder::nobody};
    bool killed{false};    ///< no claim is granted from now on, not even the holder's
    std::string nonce{};   ///< of the holder
    std::string driver{};  ///< what the cluster calls the holder; empty: it did not know
    bool operator==(const ClaimEntry&) const = default;
};

/// What a claim has come to, and what the book has after it.
struct ClaimDecision {
    enum class Answer { granted, claimed, killed };
    Answer answer{Answer::claimed};
    ClaimEntry entry{};
};

/// One claim for each ticket, decided once, for any number of hosts and threads: whatever is
/// written in the folder is written completely, under a name that was free, and never changed. A
/// process may die at each step: what it left behind is as before, or as after.
///
///   <ticket>         "claimed <nonce> <driver>" or "killed": who came first
///   <ticket>.driver  what the cluster calls the driver, where its claim did not know
///   <ticket>.killed  it has been killed after it was claimed
///
/// Answers are durable when they are given. Thread-safe; everything blocks. The folder must be on
/// a file system with hard links. A ticket has lower-case letters, digits and '-', at most 63; a
/// nonce letters and digits, at most 64; a driver's name visible ASCII, at most 255. Errors of all:
/// invalid_argument – a ticket, nonce or driver that can be none; rejected – no room (a full disk):
/// nothing has been granted, ask again; backend_failed – the same, with the system's words.
class ClaimBook {
public:
    explicit ClaimBook(std::string folder);

    /// Makes the folder where it is missing, and removes what unfinished writes have left. What
    /// another host writes at this very moment fails with an error, and can be asked for again.
    Result<void> open();

    /// Grants the first nonce, and the same one again, unless `take` has come before. The first
    /// driver's name that is not empty stays.
    Result<ClaimDecision> claim(const std::string& ticket, const std::string& nonce,
                                const std::string& driver);

    /// For a kill: from now on no claim is granted. Who has been granted one before is in the
    /// answer: it is to be ended. Again: the same answer.
    Result<ClaimEntry> take(const std::string& ticket);

    Result<ClaimEntry> read(const std::string& ticket) const;

    /// Removes what there is; the ticket is free again, so its claims have to be refused for
    /// another reason from now on. Success where there is nothing.
    Result<void> forget(const std::string& ticket);

private:
    std::string folder_;
};

}  // namespace sparkhost::detail

#endif
