// SPDX-License-Identifier: Apache-2.0

// Whether batches that fail are tried again, where a request does not say it.

#include "options.hpp"

#include <boost/json/string.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace server {

namespace json = boost::json;

namespace {

constexpr std::array causes{sparkhost::RetryCause::failed, sparkhost::RetryCause::not_started,
                            sparkhost::RetryCause::unknown};

std::optional<double> number_of(const std::string& text) {
    double value = 0;
    const char* last = text.data() + text.size();
    const auto [end, failure] = std::from_chars(text.data(), last, value);
    const bool whole = failure == std::errc() && end == last;
    return whole ? std::optional(value) : std::nullopt;
}

Option attempts_option() {
    return {"max-attempts",
            "Batches",
            "N",
            "attempts of a batch that fails, the first included, unless its request says another "
            "number",
            Kind::count,
            [](Config& config, const json::value& value) {
                config.max_attempts = value.as_int64();
                const bool good = config.max_attempts >= 1 && config.max_attempts <= 100;
                return std::string(good ? "" : "must be from 1 to 100");
            },
            [](const Config& config) { return json::value(config.max_attempts); }};
}

Option delay_option(std::string_view name, std::string_view help,
                    std::chrono::milliseconds Config::*member) {
    return {name,
            "Batches",
            "TIME",
            help,
            Kind::duration,
            [member](Config& config, const json::value& value) {
                config.*member = std::chrono::milliseconds(value.as_int64());
                return std::string(
                    config.*member <= std::chrono::hours(24) ? "" : "must be at most 24h");
            },
            [member](const Config& config) {
                const auto count = (config.*member).count();
                const bool seconds = count % 1000 == 0;
                return json::value(json::string(seconds ? std::to_string(count / 1000) + "s"
                                                        : std::to_string(count) + "ms"));
            }};
}

Option number_option(std::string_view name, std::string_view help, std::string Config::*member,
                     double least, double most, const char* rule) {
    return {name,
            "Batches",
            "NUMBER",
            help,
            Kind::text,
            [member, least, most, rule](Config& config, const json::value& value) {
                config.*member = value.as_string();
                const auto number = number_of(config.*member);
                const bool good = number && *number >= least && *number <= most;
                return std::string(good ? "" : rule);
            },
            [member](const Config& config) { return json::value(json::string(config.*member)); }};
}

Option causes_option() {
    return {"retry-on",
            "Batches",
            "CAUSE",
            "what is tried again: failed (it ran), not_started, unknown (nobody can tell how it "
            "ended); may be given several times",
            Kind::list,
            [](Config& config, const json::value& value) {
                config.retry_on = json::value_to<std::vector<std::string>>(value);
                const bool good = std::ranges::all_of(config.retry_on, [](const auto& word) {
                    return std::ranges::find(causes, std::string_view(word), [](auto cause) {
                               return to_string(cause);
                           }) != causes.end();
                });
                return std::string(good ? "" : "expected failed, not_started or unknown");
            },
            [](const Config& config) { return json::value_from(config.retry_on); }};
}

}  // namespace

std::vector<Option> retry_options() {
    return {attempts_option(),
            delay_option("retry-delay", "between the end of the first attempt and the second one",
                         &Config::retry_delay),
            number_option("retry-factor", "each further delay is so many times longer",
                          &Config::retry_factor, 1, 100, "expected a number from 1 to 100"),
            delay_option("retry-max-delay", "the longest delay", &Config::retry_max_delay),
            number_option("retry-jitter",
                          "the part of each delay that is left to chance, so that not all batches "
                          "are tried again at once",
                          &Config::retry_jitter, 0, 1, "expected a number from 0 to 1"),
            causes_option()};
}

sparkhost::RetryPolicy Config::retry() const {
    sparkhost::RetryPolicy policy;
    policy.max_attempts = static_cast<int>(max_attempts);
    policy.delay = retry_delay;
    policy.max_delay = retry_max_delay;
    policy.factor = number_of(retry_factor);
    policy.jitter = number_of(retry_jitter);
    policy.causes.emplace();
    for (const auto cause : causes) {
        if (std::ranges::find(retry_on, to_string(cause)) != retry_on.end()) {
            policy.causes->insert(cause);
        }
    }
    return policy;
}

}  // namespace server
