// SPDX-License-Identifier: Apache-2.0

// The rules for reports that can be checked by looking at them. Pure.

#include "testing/backend_rig.hpp"

namespace sparkhost::testing::backend_cases {

void fail(const std::string& text, const Here& here) {
    std::string file = here.file_name();
    file.erase(0, file.rfind('/') + 1);
    throw ConformanceFailure(file + ":" + std::to_string(here.line()) + ": " + text);
}

void expect(bool holds, const std::string& text, const Here& here) {
    if (!holds) {
        fail(text, here);
    }
}

std::string name_of(ApplicationState state) {
    switch (state) {
        case ApplicationState::submitted:
            return "submitted";
        case ApplicationState::started:
            return "started";
        case ApplicationState::context_up:
            return "context_up";
        case ApplicationState::ended:
            return "ended";
    }
    return "unknown";
}

void Journal::violation(const std::string& ticket, const std::string& text) {
    violations.push_back("report of '" + ticket + "': " + text);
}

void Journal::take(const ApplicationStatus& report) {
    in_snapshot.insert(report.ticket);
    if (!expected.contains(report.ticket)) {
        violation(report.ticket, "this ticket was never given to submit or kill");
    }
    if ((report.outcome != Outcome::none) != (report.state == ApplicationState::ended)) {
        violation(report.ticket, "state " + name_of(report.state) + " with outcome " +
                                     std::string(to_string(report.outcome)));
    }
    if (report.state == ApplicationState::context_up && report.application_id.empty()) {
        violation(report.ticket, "context_up without an application id");
    }
    if (report.outcome == Outcome::success && report.exit_code.value_or(0) != 0) {
        violation(report.ticket, "success with exit code " + std::to_string(*report.exit_code));
    }
    auto [known, is_new] = latest.try_emplace(report.ticket, report);
    if (!is_new) {
        compare(known->second, report);
        known->second = report;
    }
}

void Journal::compare(const ApplicationStatus& before, const ApplicationStatus& now) {
    if (now.state < before.state) {
        violation(now.ticket,
                  "goes back from " + name_of(before.state) + " to " + name_of(now.state));
    }
    if (before.state == ApplicationState::ended &&
        (now.outcome != before.outcome || now.exit_code != before.exit_code)) {
        violation(now.ticket, "another end, after " + std::string(to_string(before.outcome)) +
                                  " now " + std::string(to_string(now.outcome)));
    }
    if (!before.application_id.empty() && now.application_id != before.application_id) {
        violation(now.ticket, "application id '" + before.application_id + "' became '" +
                                  now.application_id + "'");
    }
    if (before.started && now.started != before.started) {
        violation(now.ticket, "the time it was started has changed");
    }
}

bool Journal::reached(const std::string& ticket, ApplicationState state) const {
    auto found = latest.find(ticket);
    return found != latest.end() && found->second.state >= state;
}

}  // namespace sparkhost::testing::backend_cases
