// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_APPLICATION_TRACKER_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_APPLICATION_TRACKER_HPP

#include "backends/local/journal.hpp"

#include <sparkhost/backend.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail::local {

/// Makes reports out of journal lines. A line said again (after a reconnection everything is said
/// again) changes nothing.
class ApplicationTracker {
public:
    explicit ApplicationTracker(std::string ticket);

    /// Takes one line; true when the report has changed.
    bool apply(const JournalEntry& entry);

    /// The ticket was taken by a killer before anything could start.
    void apply_killed_before_start(Timestamp at, const std::string& given_up = {});

    /// What a person should know about a failure, once its log has been read. No effect on
    /// applications that did not fail.
    void explain(std::string_view last_error_line);

    const ApplicationStatus& status() const noexcept { return status_; }
    bool has_ended() const noexcept { return status_.state == ApplicationState::ended; }

private:
    void apply_end(const JournalEntry& entry);

    ApplicationStatus status_;
    std::string exec_failure_{};
    bool kill_requested_{false};
};

/// The line that says best why a driver failed: the last one that names an error or exception
/// and is no stack frame. Empty: there is none.
std::string last_error_line(std::string_view log_tail);

}  // namespace sparkhost::detail::local

#endif
