// SPDX-License-Identifier: Apache-2.0
#include "backends/local/application_tracker.hpp"

#include "backends/common/utf8.hpp"

#include <algorithm>
#include <cstddef>

namespace sparkhost::detail::local {

namespace {

constexpr std::size_t max_reason = 1000;

std::string_view trimmed_line(std::string_view line) {
    auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) {
        return {};
    }
    return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

bool names_an_error(std::string_view line) {
    return !line.starts_with("at ") && (line.find("Error") != std::string_view::npos ||
                                        line.find("Exception") != std::string_view::npos);
}

/// A Python traceback's last line: "ZeroDivisionError: division by zero".
bool begins_with_error_name(std::string_view line) {
    auto end = line.find_first_of(": ");
    std::string_view name = line.substr(0, end);
    return name.ends_with("Error") || name.ends_with("Exception");
}

}  // namespace

std::string last_error_line(std::string_view log_tail) {
    std::string_view mention;
    while (!log_tail.empty()) {
        auto start = log_tail.find_last_of('\n');
        auto begin = start == std::string_view::npos ? 0 : start + 1;
        std::string_view line = trimmed_line(log_tail.substr(begin));
        log_tail = log_tail.substr(0, start == std::string_view::npos ? 0 : start);
        if (!names_an_error(line)) {
            continue;
        }
        if (begins_with_error_name(line)) {
            mention = line;
            break;
        }
        if (mention.empty()) {
            mention = line;
        }
    }
    return valid_utf8(mention.substr(0, max_reason));
}

ApplicationTracker::ApplicationTracker(std::string ticket) {
    status_.ticket = std::move(ticket);
}

bool ApplicationTracker::apply(const JournalEntry& entry) {
    if (has_ended()) {
        return false;
    }
    const ApplicationStatus before = status_;
    switch (entry.word) {
        case JournalWord::claimed:
        case JournalWord::process:
        case JournalWord::state:  // a hint only: user code can forge it
        case JournalWord::connected:
            break;
        case JournalWord::started:
            status_.state = std::max(status_.state, ApplicationState::started);
            status_.started = entry.time;
            break;
        case JournalWord::exec_failed:
            exec_failure_ = "the driver could not be started: " + entry.text;
            break;
        case JournalWord::application:
            if (status_.application_id.empty()) {
                status_.state = std::max(status_.state, ApplicationState::context_up);
                status_.context_up = entry.time;
                status_.application_id = entry.text;
            }
            break;
        case JournalWord::kill_requested:
            kill_requested_ = true;
            break;
        case JournalWord::ended:
            apply_end(entry);
            break;
    }
    return status_ != before;
}

void ApplicationTracker::apply_end(const JournalEntry& entry) {
    status_.state = ApplicationState::ended;
    status_.ended = entry.time;
    if (entry.end == JournalEnd::unknown) {
        status_.outcome = Outcome::unknown;
        status_.reason = "the supervisor was killed; how the application ended is not known";
        return;
    }
    const bool signaled = entry.end == JournalEnd::signaled;
    status_.exit_code = signaled ? 128 + entry.number : entry.number;
    const bool succeeded = entry.end == JournalEnd::exited && entry.number == 0;
    if (kill_requested_) {
        status_.outcome = Outcome::killed;
        status_.reason = "killed on request";
        return;
    }
    status_.outcome = succeeded ? Outcome::success : Outcome::failed;
    if (entry.end == JournalEnd::failed) {
        status_.reason = exec_failure_.empty() ? "the driver could not be started" : exec_failure_;
    } else if (!succeeded) {
        status_.reason = signaled ? "the driver was ended by signal " + std::to_string(entry.number)
                                  : "the driver exited with status " + std::to_string(entry.number);
    }
}

void ApplicationTracker::explain(std::string_view last_error_line) {
    if (status_.outcome == Outcome::failed && !last_error_line.empty()) {
        status_.reason.append(": ").append(last_error_line);
    }
}

void ApplicationTracker::apply_killed_before_start(Timestamp at, const std::string& given_up) {
    if (has_ended()) {
        return;
    }
    status_.state = ApplicationState::ended;
    status_.outcome = given_up.empty() ? Outcome::killed : Outcome::failed;
    status_.ended = at;
    status_.reason = given_up.empty() ? "killed before it was started" : given_up;
}

}  // namespace sparkhost::detail::local
