// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/log_frame.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

constexpr std::size_t longest_frame_head = 16 * 1024;

/// Where the contents begin.
std::optional<std::size_t> end_of_frame_head(std::string_view text) {
    for (std::string_view line : {"\nLogContents:\n", "\nLog Contents:\n"}) {
        if (const auto at = text.find(line); at != std::string_view::npos) {
            return at + line.size();
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> length_in(std::string_view head) {
    constexpr std::string_view name = "\nLogLength:";
    const auto at = head.find(name);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    head.remove_prefix(at + name.size());
    head.remove_prefix(std::min(head.find_first_not_of(' '), head.size()));
    std::int64_t length = 0;
    const auto read = std::from_chars(head.data(), head.data() + head.size(), length);
    return read.ec == std::errc() && length >= 0 ? std::optional(length) : std::nullopt;
}

std::string_view without_line_ends(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of('\n'), text.size()));
    return text;
}

}  // namespace

void LogFrame::put(std::string_view bytes) {
    if (state_ != State::head && state_ != State::contents) {
        return;
    }
    pending_.append(bytes);
    if (state_ == State::head) {
        read_head();
    }
    if (state_ == State::contents && static_cast<std::int64_t>(pending_.size()) >= left_) {
        pending_.resize(static_cast<std::size_t>(left_));
        state_ = State::complete;
    }
}

void LogFrame::read_head() {
    const auto end = end_of_frame_head(pending_);
    if (!end) {
        const std::string_view text = without_line_ends(pending_);
        if (text.starts_with("End of LogType:")) {
            state_ = State::complete;  // some versions leave the head out where the file is empty
            pending_.clear();
        } else if (text.starts_with("Can not find logs for container")) {
            state_ = State::no_log;
        } else if (pending_.size() > longest_frame_head) {
            state_ = State::strange;
        }
        return;
    }
    const auto length = length_in(std::string_view(pending_).substr(0, *end));
    if (!length) {
        state_ = State::strange;
        return;
    }
    total_ = *length;
    left_ = wanted();
    pending_.erase(0, *end);
    state_ = State::contents;
}

void LogFrame::put_end() {
    if (state_ != State::complete && state_ != State::no_log) {
        state_ = State::strange;
    }
}

std::int64_t LogFrame::wanted() const {
    return std::min(total_, size_ < 0 ? -size_ : size_);
}

std::int64_t LogFrame::begin() const {
    return size_ < 0 ? total_ - wanted() : 0;
}

std::string LogFrame::take() {
    if (state_ != State::contents && state_ != State::complete) {
        return {};
    }
    left_ -= static_cast<std::int64_t>(pending_.size());
    return std::exchange(pending_, std::string());
}

}  // namespace sparkhost::detail::yarn
