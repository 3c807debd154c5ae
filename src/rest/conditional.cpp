// SPDX-License-Identifier: Apache-2.0
#include "rest/conditional.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace sparkhost::detail::rest {

namespace conditional {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    const auto begin = std::min(text.find_first_not_of(blanks), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
    Number number{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = failure == std::errc() && end == text.data() + text.size();
    return whole ? std::optional<Number>(number) : std::nullopt;
}

constexpr std::array states{BatchState::starting, BatchState::running, BatchState::success,
                            BatchState::dead, BatchState::killed};

Result<BatchState> parse_state(std::string_view text) {
    for (const BatchState state : states) {
        if (to_string(state) == text) {
            return state;
        }
    }
    return Error(Errc::invalid_argument,
                 "'" + std::string(text) +
                     "' is not a state of a batch; use starting, running, success, dead or killed",
                 "state");
}

}  // namespace conditional

bool IfNoneMatch::matches(std::int64_t version) const noexcept {
    return any || std::ranges::find(versions, version) != versions.end();
}

IfNoneMatch parse_if_none_match(std::string_view text) {
    using namespace conditional;
    IfNoneMatch result;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        std::string_view tag = trimmed(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
        result.given = result.given || !tag.empty();
        result.any = result.any || tag == "*";
        if (tag.starts_with("W/")) {
            tag.remove_prefix(2);
        }
        if (tag.size() > 2 && tag.front() == '"' && tag.back() == '"') {
            if (const auto version = whole_number<std::int64_t>(tag.substr(1, tag.size() - 2))) {
                result.versions.push_back(*version);
            }
        }
    }
    return result;
}

Result<Wait> parse_wait(const Target& target, std::chrono::seconds longest, bool conditional) {
    Wait wait;
    const std::string* duration = target.param("wait");
    if (duration == nullptr) {
        return wait;
    }
    std::string_view digits = *duration;
    if (digits.ends_with('s')) {
        digits.remove_suffix(1);
    }
    const auto seconds = conditional::whole_number<std::uint32_t>(digits);
    if (!seconds) {
        return Error(Errc::invalid_argument,
                     "'" + *duration + "' is not a whole number of seconds, like 30", "wait");
    }
    if (const std::string* state = target.param("state")) {
        auto parsed = conditional::parse_state(*state);
        if (!parsed) {
            return parsed.error();
        }
        wait.not_state = *parsed;
    } else if (!conditional) {
        return Error(Errc::invalid_argument,
                     "there is nothing to wait for: send If-None-Match with the ETag you have "
                     "seen, or add state=STATE to wait until the state is another one",
                     "wait");
    }
    wait.duration = std::min(std::chrono::seconds(*seconds), longest);
    return wait;
}

}  // namespace sparkhost::detail::rest
