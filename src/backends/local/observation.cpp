// SPDX-License-Identifier: Apache-2.0
#include "backends/local/observation.hpp"

#include <algorithm>

namespace sparkhost::detail::local {

namespace {

constexpr std::size_t explained_tail = 64 * 1024;

bool tells_the_end(const std::vector<JournalEntry>& entries) {
    return std::any_of(entries.begin(), entries.end(),
                       [](const JournalEntry& entry) { return entry.word == JournalWord::ended; });
}

Result<void> read_entries(const WorkPaths& paths, Observation& seen) {
    auto entries = read_journal(paths, seen.ticket);
    if (!entries) {
        return entries.error();
    }
    seen.entries = std::move(*entries);
    return ok();
}

void find_error_line(const WorkPaths& paths, Observation& seen) {
    ApplicationTracker tracker(seen.ticket);
    for (const auto& entry : seen.entries) {
        tracker.apply(entry);
    }
    if (tracker.status().outcome == Outcome::failed) {
        auto tail = read_file_tail(paths.driver_log(seen.ticket), explained_tail);
        seen.error_line = tail ? last_error_line(*tail) : std::string();
    }
}

}  // namespace

Result<Observation> observe_ticket(const WorkPaths& paths, const std::string& ticket, Look look,
                                   Timestamp now) {
    Observation seen;
    seen.ticket = ticket;
    auto claim = read_claim(paths, ticket);
    if (!claim) {
        return claim.error();
    }
    seen.claim = *claim;
    if (!seen.claim || seen.claim->killed) {
        return seen;
    }
    if (look == Look::connect) {
        if (auto control = connect_control(paths, ticket, seen.claim->supervisor.pid)) {
            seen.control = std::make_shared<UniqueFd>(std::move(*control));
        }
    }
    // asked before the journal is read: a supervisor writes its last line before it goes
    const bool gone = look == Look::connect && !seen.control && !is_alive(seen.claim->supervisor);
    if (auto read = read_entries(paths, seen); !read) {
        return read.error();
    }
    if (gone && !tells_the_end(seen.entries)) {
        if (auto settled = settle_abandoned(paths, ticket, *seen.claim, now); !settled) {
            return settled.error();
        }
        if (auto read = read_entries(paths, seen); !read) {
            return read.error();
        }
    }
    find_error_line(paths, seen);
    return seen;
}

Result<std::vector<Observation>> observe_all(const WorkPaths& paths) {
    auto tickets = list_tickets(paths);
    if (!tickets) {
        return tickets.error();
    }
    std::vector<Observation> all;
    for (const auto& ticket : *tickets) {
        auto seen = observe_ticket(paths, ticket, Look::read_only, Timestamp());
        if (!seen) {
            return seen.error();
        }
        if (seen->claim) {
            all.push_back(std::move(*seen));
        }
    }
    return all;
}

void apply_observation(ApplicationTracker& tracker, const Observation& seen) {
    if (seen.claim && seen.claim->killed) {
        tracker.apply_killed_before_start(seen.claim->killed_at, seen.claim->given_up);
        return;
    }
    for (const auto& entry : seen.entries) {
        const bool was_over = tracker.has_ended();
        tracker.apply(entry);
        if (!was_over && tracker.has_ended()) {
            tracker.explain(seen.error_line);
        }
    }
}

}  // namespace sparkhost::detail::local
