// SPDX-License-Identifier: Apache-2.0
#include "core/retry.hpp"

#include "core/json_codec.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace sparkhost::detail {

namespace retry_policy {

using std::chrono::milliseconds;
namespace json = boost::json;

constexpr int most_attempts = 100;
constexpr double greatest_factor = 100;
constexpr milliseconds longest{std::chrono::hours{24}};
constexpr milliseconds default_delay{std::chrono::seconds{10}};
constexpr milliseconds default_max_delay{std::chrono::minutes{5}};
constexpr std::array causes{RetryCause::failed, RetryCause::not_started, RetryCause::unknown};

/// Not a number is out of any range.
template <class T>
Result<void> within(const std::optional<T>& value, T least, T most, const char* field,
                    const char* rule) {
    const bool inside = !value || (*value >= least && *value <= most);
    return inside ? ok() : Result<void>(Error(Errc::invalid_argument, rule, field));
}

template <class T>
void fill(std::optional<T>& value, const std::optional<T>& otherwise) {
    if (!value) {
        value = otherwise;
    }
}

void put_number(json::object& object, const char* key, const std::optional<double>& number) {
    if (number) {
        object.emplace(key, *number);
    }
}
void put_time(json::object& object, const char* key, const std::optional<milliseconds>& time) {
    if (time) {
        object.emplace(key, time->count());
    }
}

std::optional<double> number_of(const json::object& object, const char* key) {
    const auto* value = object.if_contains(key);
    return value ? std::optional(value->to_number<double>()) : std::nullopt;
}
std::optional<milliseconds> time_of(const json::object& object, const char* key) {
    const auto* value = object.if_contains(key);
    return value ? std::optional(milliseconds(value->to_number<std::int64_t>())) : std::nullopt;
}

}  // namespace retry_policy

Result<void> validate(const RetryPolicy& policy) {
    using namespace retry_policy;
    if (auto checked = within(policy.max_attempts, 1, most_attempts, "retry.max_attempts",
                              "must be from 1 to 100");
        !checked) {
        return checked;
    }
    for (const auto& [time, field] :
         {std::pair{policy.delay, "retry.delay"}, std::pair{policy.max_delay, "retry.max_delay"}}) {
        if (auto checked = within(time, milliseconds{0}, longest, field, "must be from 0 to 24 h");
            !checked) {
            return checked;
        }
    }
    if (auto checked =
            within(policy.factor, 1.0, greatest_factor, "retry.factor", "must be from 1 to 100");
        !checked) {
        return checked;
    }
    return within(policy.jitter, 0.0, 1.0, "retry.jitter", "must be from 0 to 1");
}

RetryPolicy completed(RetryPolicy policy, const RetryPolicy& defaults) {
    retry_policy::fill(policy.max_attempts, defaults.max_attempts);
    retry_policy::fill(policy.delay, defaults.delay);
    retry_policy::fill(policy.factor, defaults.factor);
    retry_policy::fill(policy.max_delay, defaults.max_delay);
    retry_policy::fill(policy.jitter, defaults.jitter);
    retry_policy::fill(policy.causes, defaults.causes);
    return policy.max_attempts.value_or(1) > 1 ? policy : RetryPolicy{};
}

std::chrono::milliseconds delay_after(const RetryPolicy& policy, std::size_t failed,
                                      double chance) {
    using namespace retry_policy;
    const double first = static_cast<double>(policy.delay.value_or(default_delay).count());
    const double most = static_cast<double>(policy.max_delay.value_or(default_max_delay).count());
    const double grown =
        first * std::pow(policy.factor.value_or(2),
                         static_cast<double>(std::max<std::size_t>(failed, 1) - 1));
    const double whole = std::min(grown, most);
    const double taken = whole * policy.jitter.value_or(0.2) * std::clamp(chance, 0.0, 1.0);
    return milliseconds(static_cast<std::int64_t>(whole - taken));
}

bool is_retried(const RetryPolicy& policy, std::size_t failed, RetryCause cause) {
    static const std::set<RetryCause> usual{RetryCause::failed, RetryCause::not_started};
    return failed < static_cast<std::size_t>(policy.max_attempts.value_or(1)) &&
           (policy.causes ? *policy.causes : usual).contains(cause);
}

std::chrono::milliseconds left_of(const NextAttempt& next, Timestamp now) {
    return std::clamp<std::chrono::milliseconds>(next.at - now, std::chrono::milliseconds{0},
                                                 next.delay);
}

void put_retry(boost::json::object& object, const RetryPolicy& policy) {
    if (policy == RetryPolicy{}) {
        return;
    }
    boost::json::object retry;
    codec::put(retry, "max_attempts", policy.max_attempts);
    retry_policy::put_time(retry, "delay", policy.delay);
    retry_policy::put_number(retry, "factor", policy.factor);
    retry_policy::put_time(retry, "max_delay", policy.max_delay);
    retry_policy::put_number(retry, "jitter", policy.jitter);
    if (policy.causes) {
        boost::json::array causes;
        for (const auto cause : *policy.causes) {
            causes.emplace_back(to_string(cause));
        }
        retry.emplace("causes", std::move(causes));
    }
    object.emplace("retry", std::move(retry));
}

RetryPolicy get_retry(const boost::json::object& object) {
    RetryPolicy policy;
    const auto* value = object.if_contains("retry");
    if (!value) {
        return policy;
    }
    const auto& retry = value->as_object();
    codec::get(retry, "max_attempts", policy.max_attempts);
    policy.delay = retry_policy::time_of(retry, "delay");
    policy.factor = retry_policy::number_of(retry, "factor");
    policy.max_delay = retry_policy::time_of(retry, "max_delay");
    policy.jitter = retry_policy::number_of(retry, "jitter");
    if (const auto* causes = retry.if_contains("causes")) {
        policy.causes.emplace();
        for (const auto& word : causes->as_array()) {
            policy.causes->insert(
                codec::from_word(retry_policy::causes, std::string_view(word.as_string())));
        }
    }
    return policy;
}

}  // namespace sparkhost::detail
