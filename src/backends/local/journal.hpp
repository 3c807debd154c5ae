// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_JOURNAL_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_JOURNAL_HPP

// The texts in a ticket's folder by which host and supervisor meet: launch, claim, journal
// (docs/local_backend.md). Pure, and needs neither Boost nor exceptions: the supervisor shares it.

#include "backends/local/process_identity.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail {

using JournalTime = std::chrono::sys_time<std::chrono::milliseconds>;

// --- launch ---

/// What the supervisor is to start.
struct LaunchPlan {
    std::vector<std::string> arguments{};    ///< first the program, absolute
    std::vector<std::string> environment{};  ///< NAME=value; complete, nothing is inherited
    std::string directory{};                 ///< working directory, absolute
    std::string output{};                    ///< file for stdout and stderr, absolute
    std::chrono::milliseconds grace{std::chrono::seconds{10}};  ///< between TERM and KILL
    bool launcher{false};                                       ///< offer the launcher protocol

    bool operator==(const LaunchPlan&) const = default;
};

/// What is wrong with the plan, as a sentence for people; empty when nothing is.
std::string launch_fault(const LaunchPlan& plan);

/// The launch file's content. Precondition: launch_fault(plan) is empty.
std::string encode_launch(const LaunchPlan& plan);

/// Nothing when the text is broken or says something unknown; `fault` then says what is wrong.
std::optional<LaunchPlan> decode_launch(std::string_view text, std::string& fault);

// --- claim ---

/// Who has decided whether user code of this ticket may start.
struct Claim {
    bool killed{false};            ///< it never can: the host was first
    JournalTime killed_at{};       ///< when killed
    std::string given_up{};        ///< why, when killed since it did not start: nobody asked for it
    ProcessIdentity supervisor{};  ///< otherwise, with boot id

    bool operator==(const Claim&) const = default;
};

std::string format_claim(const Claim& claim);
std::optional<Claim> parse_claim(std::string_view text);

// --- journal ---

enum class JournalWord {
    claimed,         ///< process (with boot id): the supervisor
    process,         ///< process (without boot id): the child, also its group; not yet released
    started,         ///< execve has succeeded
    exec_failed,     ///< number: errno; text
    connected,       ///< text: Spark version
    application,     ///< text: application id
    state,           ///< text: launcher protocol's state
    kill_requested,  ///< someone asked
    ended            ///< end, number; always the last line
};

enum class JournalEnd {
    exited,    ///< number: exit status
    signaled,  ///< number: signal
    failed,    ///< number: exit status a shell would give; nothing has run
    unknown    ///< the supervisor was gone before it could say
};

/// One line. Which members count is said at JournalWord.
struct JournalEntry {
    JournalTime time{};
    JournalWord word{JournalWord::claimed};
    ProcessIdentity process{};
    std::string text{};
    JournalEnd end{JournalEnd::unknown};
    int number{0};

    bool operator==(const JournalEntry&) const = default;
};

inline constexpr std::size_t max_journal_text = 4096;

/// Whoever appends to a journal whose last line is torn (does not end in '\n') writes this first:
/// the torn line then counts as little as before, whatever was left of it.
inline constexpr std::string_view torn_line_end = "\x18\n";

/// The line with its '\n'. Control characters of `text` become blanks; it is cut to
/// max_journal_text bytes, not within a UTF-8 character.
std::string format_journal_line(const JournalEntry& entry);

/// `line` without its '\n'. Nothing when it is no entry, or one this version does not know.
std::optional<JournalEntry> parse_journal_line(std::string_view line);

/// The entries of all complete lines; a torn last line and what is no entry are passed over.
std::vector<JournalEntry> parse_journal(std::string_view text);

/// The same for a stream: cuts the complete lines off the front of `buffer`.
std::vector<JournalEntry> take_journal_entries(std::string& buffer);

}  // namespace sparkhost::detail

#endif
