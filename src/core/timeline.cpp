// SPDX-License-Identifier: Apache-2.0
#include "core/timeline.hpp"

#include "core/batch_machine.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sparkhost::detail {

namespace timeline {

constexpr std::size_t max_name = 64;

/// Entered by the host itself, from what it does or from other members of a report.
constexpr std::array<std::string_view, 11> own_names{
    "accepted",      "admitted", "submitted",      "process_started", "context_up", "claimed",
    "attempt_ended", "requeued", "kill_requested", "ready",           "ended"};

bool is_step(std::string_view what) {
    return !what.empty() && what.size() <= max_name &&
           std::find(own_names.begin(), own_names.end(), what) == own_names.end();
}

/// Where the entries of this attempt begin.
std::size_t begin_of_attempt(const BatchRecord& record) {
    for (std::size_t index = record.timeline.size(); index > 0; --index) {
        if (record.timeline[index - 1].what == "attempt_ended") {
            return index;
        }
    }
    return 0;
}

std::size_t count_steps(const BatchRecord& record) {
    const auto first =
        record.timeline.begin() + static_cast<std::ptrdiff_t>(begin_of_attempt(record));
    return static_cast<std::size_t>(std::count_if(
        first, record.timeline.end(), [](const auto& entry) { return is_step(entry.what); }));
}

/// Whole characters.
std::string cut(std::string text) {
    if (text.size() > max_step_reason) {
        std::size_t end = max_step_reason;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
            --end;
        }
        text.resize(end);
        text += " …";
    }
    return text;
}

void merge_step(BatchRecord& record, const TimelineEntry& step) {
    const Timestamp at = not_before(step.at, record, {});
    TimelineEntry* latest = nullptr;
    for (auto index = begin_of_attempt(record); index < record.timeline.size(); ++index) {
        auto& entry = record.timeline[index];
        if (entry.what == step.what) {
            latest = &entry;
            if (entry.at == at) {
                break;
            }
        }
    }
    const bool known = latest && latest->at == at;
    if (!known && count_steps(record) < max_steps) {
        record.timeline.push_back({step.what, at, cut(step.reason)});
    } else if (latest) {
        latest->at = at;
        latest->reason = cut(step.reason);
    }
}

}  // namespace timeline

const TimelineEntry* find_entry(const BatchRecord& record, std::string_view what) {
    for (auto index = record.timeline.size(); index > timeline::begin_of_attempt(record); --index) {
        if (record.timeline[index - 1].what == what) {
            return &record.timeline[index - 1];
        }
    }
    return nullptr;
}

void add_entry(BatchRecord& record, std::string_view what, Timestamp at, std::string reason) {
    if (!find_entry(record, what)) {
        record.timeline.push_back({std::string(what), at, std::move(reason)});
    }
}

Timestamp not_before(Timestamp at, const BatchRecord& record,
                     std::initializer_list<std::string_view> causes) {
    at = std::max(at, record.created);
    for (const auto& entry : record.timeline) {
        if (std::find(causes.begin(), causes.end(), entry.what) != causes.end()) {
            at = std::max(at, entry.at);
        }
    }
    return at;
}

bool has_new_step(const BatchRecord& record, const std::vector<TimelineEntry>& steps) {
    return needs_slot(record.phase) && timeline::count_steps(record) < max_steps &&
           std::any_of(steps.begin(), steps.end(), [&](const auto& step) {
               return timeline::is_step(step.what) && !find_entry(record, step.what);
           });
}

void merge_steps(BatchRecord& record, const std::vector<TimelineEntry>& steps) {
    if (!needs_slot(record.phase)) {
        return;
    }
    for (const auto& step : steps) {
        if (timeline::is_step(step.what)) {
            timeline::merge_step(record, step);
        }
    }
}

}  // namespace sparkhost::detail
