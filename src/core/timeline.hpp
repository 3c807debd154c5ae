// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_TIMELINE_HPP
#define SPARKHOST_SRC_CORE_TIMELINE_HPP

// What a timeline may get: pure, as the machines that write it are.

#include <sparkhost/batch.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail {

/// A backend's steps in the timeline of one attempt: at most so many, with reasons of so many
/// bytes.
inline constexpr std::size_t max_steps = 64;
inline constexpr std::size_t max_step_reason = 1024;

/// The latest of that name in this attempt; null: there is none.
const TimelineEntry* find_entry(const BatchRecord& record, std::string_view what);

/// Adds what this attempt does not have yet.
void add_entry(BatchRecord& record, std::string_view what, Timestamp at, std::string reason = {});

/// The wall clock may jump: what follows from something is not shown before it.
Timestamp not_before(Timestamp at, const BatchRecord& record,
                     std::initializer_list<std::string_view> causes);

/// Whether one of the steps has a name that is new in this attempt. Such a step is stored and
/// pushed; a further one of the same name (it waits for another reason) is only shown, and stored
/// along with whatever changes next.
bool has_new_step(const BatchRecord& record, const std::vector<TimelineEntry>& steps);

/// Enters the steps that are not there. The same name at the same time is the same step, whose
/// reason may have become clearer. Where there is no more room, one takes the place of the latest
/// of its name. Nothing happens to an attempt that is not under way.
void merge_steps(BatchRecord& record, const std::vector<TimelineEntry>& steps);

}  // namespace sparkhost::detail

#endif
