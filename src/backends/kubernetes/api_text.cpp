// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/api_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace sparkhost::detail::kubernetes {

namespace {

bool read_digits(std::string_view& text, std::size_t count, int& value) {
    if (text.size() < count) {
        return false;
    }
    const auto* end = text.data() + count;
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    if (failure != std::errc() || stop != end || value < 0) {
        return false;
    }
    text.remove_prefix(count);
    return true;
}

bool read_char(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

/// Milliseconds out of ".123456"; more digits are dropped.
int read_fraction(std::string_view& text) {
    if (!read_char(text, '.')) {
        return 0;
    }
    int milliseconds = 0;
    for (int place = 100; !text.empty() && text.front() >= '0' && text.front() <= '9';
         place /= 10) {
        milliseconds += place * (text.front() - '0');
        text.remove_prefix(1);
    }
    return milliseconds;
}

/// "Z", "+01:00".
std::optional<std::chrono::minutes> read_zone(std::string_view text) {
    if (text == "Z" || text == "z") {
        return std::chrono::minutes(0);
    }
    const bool west = text.starts_with('-');
    int hours = 0;
    int minutes = 0;
    if ((!west && !text.starts_with('+')) || text.size() != 6) {
        return std::nullopt;
    }
    text.remove_prefix(1);
    if (!read_digits(text, 2, hours) || !read_char(text, ':') || !read_digits(text, 2, minutes)) {
        return std::nullopt;
    }
    const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    return west ? -offset : offset;
}

}  // namespace

std::optional<Timestamp> read_time(std::string_view text) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (!read_digits(text, 4, year) || !read_char(text, '-') || !read_digits(text, 2, month) ||
        !read_char(text, '-') || !read_digits(text, 2, day) ||
        !(read_char(text, 'T') || read_char(text, 't')) || !read_digits(text, 2, hour) ||
        !read_char(text, ':') || !read_digits(text, 2, minute) || !read_char(text, ':') ||
        !read_digits(text, 2, second)) {
        return std::nullopt;
    }
    const auto milliseconds = read_fraction(text);
    const auto zone = read_zone(text);
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!zone || !date.ok() || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    return Timestamp(std::chrono::sys_days(date) + std::chrono::hours(hour) +
                     std::chrono::minutes(minute) + std::chrono::seconds(second) +
                     std::chrono::milliseconds(milliseconds) - *zone);
}

std::string bounded_text(std::string_view text, std::size_t most) {
    auto size = std::min(text.size(), most);
    if (size < text.size()) {
        while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) {
            --size;  // in the middle of a character
        }
    }
    std::string bounded(text.substr(0, size));
    for (char& each : bounded) {
        if (static_cast<unsigned char>(each) < 0x20) {
            each = ' ';
        }
    }
    return bounded;
}

void EventLines::feed(std::string_view bytes) {
    if (read_ > 0) {
        buffer_.erase(0, read_);
        scanned_ -= read_;
        read_ = 0;
    }
    buffer_.append(bytes);
}

Result<std::optional<std::string_view>> EventLines::next() {
    for (;;) {
        const auto end = buffer_.find('\n', scanned_);
        const auto size = (end == std::string::npos ? buffer_.size() : end) - read_;
        if (size > longest_) {
            return Error(Errc::backend_failed, "the API server sent a line of more than " +
                                                   std::to_string(longest_) + " bytes");
        }
        if (end == std::string::npos) {
            scanned_ = buffer_.size();
            return std::optional<std::string_view>();
        }
        std::string_view line(buffer_.data() + read_, size);
        read_ = scanned_ = end + 1;
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (!line.empty()) {
            return std::optional(line);
        }
    }
}

}  // namespace sparkhost::detail::kubernetes
