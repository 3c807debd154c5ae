// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_log.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace sparkhost::detail::rest {

namespace livy_log {

constexpr std::string_view stdout_marker = "stdout: ";
constexpr std::string_view stderr_marker = "\nstderr: ";
constexpr std::int64_t most_lines_at_once = 10'000;

}  // namespace livy_log

std::vector<std::string> log_suffix(const BatchRecord& record) {
    std::vector<std::string> lines{std::string(livy_log::stderr_marker)};
    const bool explain = record.has_ended() && record.outcome != Outcome::success;
    std::string_view rest = explain ? std::string_view(record.reason) : std::string_view();
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        lines.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return lines;
}

LogAssembly::LogAssembly(LogWindow window, std::vector<std::string> suffix, std::size_t max_bytes)
    : window_(window), suffix_(std::move(suffix)), room_(max_bytes) {
    if (window_.size < 0) {
        window_.size = std::numeric_limits<std::int32_t>::max();
    }
}

std::optional<LogAssembly::Read> LogAssembly::next() const {
    using livy_log::most_lines_at_once;
    if (settled_) {
        if (next_ >= end_ || cut_) {
            return std::nullopt;
        }
        const auto limit = std::min(end_ - next_, most_lines_at_once);
        return Read{.offset = next_, .limit = static_cast<std::size_t>(limit)};
    }
    if (window_.from < 0) {
        const auto behind = static_cast<std::int64_t>(suffix_.size());
        const auto wanted = std::clamp(window_.size - behind, std::int64_t{1}, most_lines_at_once);
        // Nearly everything: read from the front, as the end is not all that is wanted.
        const bool whole = window_.size > most_lines_at_once;
        return Read{.offset = whole ? 0 : -wanted, .limit = static_cast<std::size_t>(wanted)};
    }
    const auto limit = std::clamp(window_.size, std::int64_t{1}, most_lines_at_once);
    return Read{.offset = std::max<std::int64_t>(0, window_.from - 1),
                .limit = static_cast<std::size_t>(limit)};
}

void LogAssembly::settle(std::int64_t output_lines) {
    output_ = output_lines;
    view_.total = 1 + output_ + static_cast<std::int64_t>(suffix_.size());
    view_.from =
        window_.from >= 0 ? window_.from : std::max<std::int64_t>(0, view_.total - window_.size);
    const auto until = std::min(view_.total, view_.from + window_.size);
    next_ = std::clamp<std::int64_t>(view_.from - 1, 0, output_);
    end_ = std::clamp<std::int64_t>(until - 1, 0, output_);
    settled_ = true;
    if (view_.from == 0 && until > 0) {
        view_.lines.emplace_back(livy_log::stdout_marker);
    }
}

void LogAssembly::add(LogPage page) {
    const bool asked_for_next = settled_;
    if (!settled_) {
        settle(page.total);
    }
    const auto page_end = page.offset + static_cast<std::int64_t>(page.lines.size());
    const bool useful = page.offset <= next_ && next_ < page_end;
    cut_ = asked_for_next && !useful;  // the output ends earlier than it said: no asking again
    while (useful && next_ < std::min(end_, page_end)) {
        auto& line = page.lines[static_cast<std::size_t>(next_ - page.offset)];
        if (line.size() > room_ && !view_.lines.empty()) {
            cut_ = true;
            return;
        }
        room_ -= std::min(room_, line.size());
        view_.lines.push_back(std::move(line));
        ++next_;
    }
}

LogView LogAssembly::take() {
    const auto until = std::min(view_.total, view_.from + window_.size);
    const auto first = std::max<std::int64_t>(0, view_.from - 1 - output_);
    for (auto i = first; !cut_ && i < until - 1 - output_; ++i) {
        view_.lines.push_back(suffix_[static_cast<std::size_t>(i)]);
    }
    return std::move(view_);
}

std::vector<std::string> kept_log(const BatchRecord& record) {
    LogAssembly assembly({.from = -1, .size = object_log_lines}, log_suffix(record),
                         std::numeric_limits<std::size_t>::max());
    LogPage page;
    page.lines = record.log_tail;
    page.total = static_cast<std::int64_t>(page.lines.size());
    assembly.add(std::move(page));
    return assembly.take().lines;
}

}  // namespace sparkhost::detail::rest
