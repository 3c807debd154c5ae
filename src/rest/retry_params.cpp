// SPDX-License-Identifier: Apache-2.0
#include "rest/retry_params.hpp"

#include "rest/livy_request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace sparkhost::detail::rest {

namespace retry_params {

using std::chrono::milliseconds;

Error unreadable(const char* name, const std::string& text, const char* wanted) {
    return Error(Errc::invalid_argument, "'" + text + "' is not " + wanted, name);
}

template <class Number>
Result<std::optional<Number>> number(const Target& target, const char* name, const char* wanted) {
    const std::string* text = target.param(name);
    if (text == nullptr) {
        return std::optional<Number>();
    }
    Number value{};
    const char* last = text->data() + text->size();
    const auto [end, failure] = std::from_chars(text->data(), last, value);
    if (failure != std::errc() || end != last) {
        return unreadable(name, *text, wanted);
    }
    return std::optional<Number>(value);
}

/// As Livy writes durations, but a number alone is seconds, as with ?wait.
Result<std::optional<milliseconds>> time(const Target& target, const char* name) {
    const std::string* text = target.param(name);
    if (text == nullptr) {
        return std::optional<milliseconds>();
    }
    const bool bare = std::ranges::all_of(*text, [](char c) { return c >= '0' && c <= '9'; });
    const auto parsed = parse_duration(bare ? *text + "s" : *text);
    if (!parsed) {
        return unreadable(name, *text, "a time such as 10s, 500ms or 5m");
    }
    return std::optional<milliseconds>(*parsed);
}

Result<std::optional<std::set<RetryCause>>> causes(const Target& target) {
    constexpr const char* name = "retryOn";
    constexpr std::array known{RetryCause::failed, RetryCause::not_started, RetryCause::unknown};
    const std::string* text = target.param(name);
    if (text == nullptr) {
        return std::optional<std::set<RetryCause>>();
    }
    std::set<RetryCause> found;
    std::string_view rest = *text;
    while (true) {
        const auto end = std::min(rest.find(','), rest.size());
        const auto word = rest.substr(0, end);
        const auto cause =
            std::ranges::find(known, word, [](RetryCause each) { return to_string(each); });
        if (cause == known.end()) {
            return unreadable(name, *text, "a list of failed, not_started and unknown");
        }
        found.insert(*cause);
        if (end == rest.size()) {
            return std::optional(std::move(found));
        }
        rest.remove_prefix(end + 1);
    }
}

}  // namespace retry_params

Result<RetryPolicy> parse_retry(const Target& target) {
    using namespace retry_params;
    const auto attempts = number<int>(target, "maxAttempts", "a whole number");
    const auto delay = time(target, "retryDelay");
    const auto factor = number<double>(target, "retryFactor", "a number");
    const auto max_delay = time(target, "retryMaxDelay");
    const auto jitter = number<double>(target, "retryJitter", "a number");
    auto on = causes(target);
    if (!attempts || !delay || !factor) {
        return !attempts ? attempts.error() : !delay ? delay.error() : factor.error();
    }
    if (!max_delay || !jitter || !on) {
        return !max_delay ? max_delay.error() : !jitter ? jitter.error() : on.error();
    }
    RetryPolicy policy;
    policy.max_attempts = *attempts;
    policy.delay = *delay;
    policy.factor = *factor;
    policy.max_delay = *max_delay;
    policy.jitter = *jitter;
    policy.causes = std::move(*on);
    return policy;
}

}  // namespace sparkhost::detail::rest
