// SPDX-License-Identifier: Apache-2.0
#include "http/retry_machine.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <string>

namespace sparkhost::detail::http {

namespace {

using std::chrono::milliseconds;

constexpr int most_throttled = 20;
constexpr int most_broken = 3;

/// Half of it is certain, half is chance: clients that were turned away together come back apart.
milliseconds back_off(int tries, double dice) {
    const auto whole = milliseconds(250) * (1 << std::clamp(tries - 1, 0, 5));
    return whole / 2 +
           milliseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) / 2 * dice));
}

RetryDecision again_after(milliseconds delay, const RetryFacts& facts) {
    RetryDecision decision;
    if (delay < facts.left) {
        decision.what = RetryDecision::What::again;
        decision.delay = delay;
    }
    return decision;
}

RetryDecision after_answer(const Attempt& attempt, const RetryFacts& facts) {
    if (attempt.status == 401 && facts.may_reread_token) {
        RetryDecision decision;
        decision.what = RetryDecision::What::reread_token;
        return decision;
    }
    const bool told_when = attempt.retry_after.has_value();
    const bool later = attempt.status == 429 || (attempt.status >= 500 && told_when);
    if (!later || !facts.repeatable || facts.throttled >= most_throttled) {
        return {};
    }
    const auto own = back_off(facts.throttled, facts.dice);
    return again_after(told_when ? *attempt.retry_after + own / 4 : own, facts);
}

RetryDecision after_break(const Attempt& attempt, const RetryFacts& facts) {
    const bool safe = attempt.end == Attempt::End::not_sent || facts.repeatable;
    if (!safe || attempt.end == Attempt::End::unreachable || facts.broken >= most_broken) {
        return {};
    }
    // an idle connection that the server has closed says nothing about the server's health
    const bool stale = attempt.reused && attempt.end != Attempt::End::half_answered;
    auto decision =
        again_after(stale ? milliseconds(0) : back_off(facts.broken, facts.dice), facts);
    decision.fresh_connection = decision.what == RetryDecision::What::again;
    return decision;
}

std::optional<std::time_t> parse_http_date(std::string_view text) {
    std::tm parts{};
    const std::string terminated(text);
    const char* end = ::strptime(terminated.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') {
        return std::nullopt;
    }
    return ::timegm(&parts);
}

}  // namespace

bool is_throttled(int status) {
    return status == 429 || status == 503;
}

RetryDecision decide_retry(const Attempt& attempt, const RetryFacts& facts) {
    return attempt.end == Attempt::End::answered ? after_answer(attempt, facts)
                                                 : after_break(attempt, facts);
}

milliseconds hold_after(const Attempt& attempt) {
    constexpr milliseconds longest = std::chrono::minutes(1);
    if (attempt.end != Attempt::End::answered || !is_throttled(attempt.status)) {
        return milliseconds(0);
    }
    return std::min(attempt.retry_after.value_or(milliseconds(0)), longest);
}

std::optional<milliseconds> parse_retry_after(std::string_view value, std::string_view date) {
    std::int64_t seconds = 0;
    const auto* end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, seconds);
    if (parsed.ec == std::errc() && parsed.ptr == end) {
        if (seconds < 0) {
            return std::nullopt;
        }
        return std::chrono::seconds(std::min<std::int64_t>(seconds, 86400));
    }
    const auto then = parse_http_date(value);
    const auto now = parse_http_date(date);
    if (!then || !now) {
        return std::nullopt;
    }
    const auto wait = std::clamp<std::int64_t>(static_cast<std::int64_t>(*then - *now), 0, 86400);
    return std::chrono::seconds(wait);
}

}  // namespace sparkhost::detail::http
