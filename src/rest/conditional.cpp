// SPDX-License-Identifier: Apache-2.0
#include "rest/conditional.hpp"

#include <algorithm>
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

template <class State>
Result<State> parse_state(std::string_view text) {
    constexpr auto& states = StateWords<State>::all;
    std::string names;
    for (const State& state : states) {
        if (to_string(state) == text) {
            return state;
        }
        const bool first = &state == &states.front();
        names += first ? "" : &state == &states.back() ? " or " : ", ";
        names += to_string(state);
    }
    return Error(Errc::invalid_argument,
                 "'" + std::string(text) + "' is not a state of " +
                     std::string(StateWords<State>::owner) + "; use " + names,
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

Result<std::chrono::seconds> parse_seconds(std::string_view text, std::string_view field) {
    std::string_view digits = text;
    if (digits.ends_with('s')) {
        digits.remove_suffix(1);
    }
    const auto seconds = conditional::whole_number<std::uint32_t>(digits);
    if (!seconds) {
        return Error(Errc::invalid_argument,
                     "'" + std::string(text) + "' is not a whole number of seconds, like 30",
                     std::string(field));
    }
    return std::chrono::seconds(*seconds);
}

template <class State>
Result<Wait<State>> parse_wait(const Target& target, std::chrono::seconds longest,
                               bool conditional) {
    Wait<State> wait;
    const std::string* duration = target.param("wait");
    if (duration == nullptr) {
        return wait;
    }
    const auto seconds = parse_seconds(*duration, "wait");
    if (!seconds) {
        return seconds.error();
    }
    if (const std::string* state = target.param("state")) {
        auto parsed = conditional::parse_state<State>(*state);
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
    wait.duration = std::min(*seconds, longest);
    return wait;
}

template Result<Wait<BatchState>> parse_wait(const Target&, std::chrono::seconds, bool);
template Result<Wait<SessionState>> parse_wait(const Target&, std::chrono::seconds, bool);
template Result<Wait<StatementState>> parse_wait(const Target&, std::chrono::seconds, bool);

}  // namespace sparkhost::detail::rest
