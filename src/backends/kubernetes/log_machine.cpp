// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/log_machine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr std::int64_t one_second = 1'000'000'000;
/// How far lines may be out of order.
constexpr std::int64_t log_disorder = 2 * one_second;
constexpr std::size_t longest_remark = 1000;

/// The number that the next `digits` characters are; they are cut off.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
    int number = 0;
    if (text.size() < digits) {
        return std::nullopt;
    }
    for (const char letter : text.substr(0, digits)) {
        if (letter < '0' || letter > '9') {
            return std::nullopt;
        }
        number = number * 10 + (letter - '0');
    }
    text.remove_prefix(digits);
    return number;
}

bool take_mark(std::string_view& text, char mark) {
    const bool there = text.starts_with(mark);
    text.remove_prefix(there ? 1 : 0);
    return there;
}

std::int64_t take_fraction(std::string_view& text) {
    std::int64_t fraction = 0;
    std::int64_t unit = one_second / 10;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        fraction += unit * (text.front() - '0');
        unit /= 10;
        text.remove_prefix(1);
    }
    return fraction;
}

/// Seconds east of Greenwich.
std::optional<std::int64_t> take_zone(std::string_view& text) {
    if (take_mark(text, 'Z')) {
        return 0;
    }
    const bool east = text.starts_with('+');
    if (!east && !text.starts_with('-')) {
        return std::nullopt;
    }
    text.remove_prefix(1);
    const auto hours = take_number(text, 2);
    const bool separated = take_mark(text, ':');
    const auto minutes = take_number(text, 2);
    if (!hours || !separated || !minutes) {
        return std::nullopt;
    }
    const std::int64_t offset = *hours * 3600 + *minutes * 60;
    return east ? offset : -offset;
}

/// The first second that a stream has to repeat, for records up to this stamp.
std::int64_t first_second(std::int64_t last) {
    const std::int64_t from = last - log_disorder;
    return from - (from % one_second + one_second) % one_second;
}

std::string second_text(std::int64_t stamp) {
    using namespace std::chrono;
    const sys_seconds at{seconds(stamp / one_second)};
    const auto day = floor<days>(at);
    const year_month_day date{day};
    const hh_mm_ss time{at - day};
    char text[64];
    const int size = std::snprintf(
        text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
        static_cast<int>(time.seconds().count()));
    return {text, static_cast<std::size_t>(std::max(size, 0))};
}

template <class Function>
std::string_view for_each_line(std::string_view text, Function function) {
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        function(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return text;
}

}  // namespace

std::optional<std::int64_t> log_stamp(std::string_view line) {
    const auto year = take_number(line, 4);
    const bool first = take_mark(line, '-');
    const auto month = take_number(line, 2);
    const bool second = take_mark(line, '-');
    const auto day = take_number(line, 2);
    const bool third = take_mark(line, 'T');
    const auto hour = take_number(line, 2);
    const bool fourth = take_mark(line, ':');
    const auto minute = take_number(line, 2);
    const bool fifth = take_mark(line, ':');
    const auto whole = take_number(line, 2);
    if (!year || !month || !day || !hour || !minute || !whole || !first || !second || !third ||
        !fourth || !fifth) {
        return std::nullopt;
    }
    const std::int64_t fraction = take_mark(line, '.') ? take_fraction(line) : 0;
    const auto zone = take_zone(line);
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!zone || !date.ok() || (!line.empty() && line.front() != ' ')) {
        return std::nullopt;
    }
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    const std::int64_t seconds = days * 86400 + *hour * 3600 + *minute * 60 + *whole - *zone;
    return seconds * one_second + fraction;
}

std::string_view log_text(std::string_view line) {
    const auto space = line.find(' ');
    return space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
}

void LogStitcher::remember(std::string_view records) {
    for_each_line(records, [this](std::string_view line) {
        if (const auto stamp = log_stamp(line)) {
            note(*stamp);
        }
    });
}

bool LogStitcher::needs_more(std::string_view records) {
    std::optional<std::int64_t> oldest;
    std::optional<std::int64_t> newest;
    for_each_line(records, [&](std::string_view line) {
        if (const auto stamp = log_stamp(line)) {
            oldest = std::min(oldest.value_or(*stamp), *stamp);
            newest = std::max(newest.value_or(*stamp), *stamp);
        }
    });
    // once more the disorder: the lines before these are not in order either
    return !oldest || *oldest >= first_second(*newest) - log_disorder;
}

std::string LogStitcher::begin() {
    pending_.clear();
    expected_ = recent_;
    return recent_.empty() ? std::string() : second_text(first_second(recent_.rbegin()->first));
}

std::string LogStitcher::put(std::string_view bytes) {
    std::string records;
    if (!pending_.empty()) {
        const auto end = bytes.find('\n');
        pending_.append(bytes.substr(0, end));
        if (end == std::string_view::npos) {
            return records;
        }
        accept(pending_, records);
        pending_.clear();
        bytes.remove_prefix(end + 1);
    }
    pending_ = for_each_line(bytes, [&](std::string_view line) { accept(line, records); });
    return records;
}

std::string LogStitcher::finish() {
    std::string records;
    if (!pending_.empty()) {
        accept(pending_, records);
        pending_.clear();
    }
    if (!records.empty()) {
        records.pop_back();
    }
    return records;
}

std::string LogStitcher::take_remarks() {
    std::string taken;
    taken.swap(remarks_);
    return taken;
}

void LogStitcher::accept(std::string_view line, std::string& records) {
    const auto stamp = log_stamp(line);
    if (!stamp) {
        if (!line.empty() && remarks_.size() < longest_remark) {
            remarks_.append(remarks_.empty() ? "" : "; ").append(line.substr(0, longest_remark));
        }
        return;
    }
    if (is_known(*stamp)) {
        return;
    }
    note(*stamp);
    records.append(line).push_back('\n');
}

bool LogStitcher::is_known(std::int64_t stamp) {
    const auto found = expected_.find(stamp);
    if (found == expected_.end()) {
        return false;
    }
    if (--found->second == 0) {
        expected_.erase(found);
    }
    return true;
}

void LogStitcher::note(std::int64_t stamp) {
    ++recent_[stamp];
    const std::int64_t from = first_second(recent_.rbegin()->first);
    recent_.erase(recent_.begin(), recent_.lower_bound(from));
}

}  // namespace sparkhost::detail::kubernetes
