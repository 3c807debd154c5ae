// SPDX-License-Identifier: Apache-2.0
#include "rest/native_batch.hpp"

#include "rest/redact.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstdio>
#include <utility>

namespace sparkhost::detail::rest {

namespace native_json {

namespace json = boost::json;

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::value number_or_null(const std::optional<int>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

json::array strings(const std::vector<std::string>& from) {
    return json::array(from.begin(), from.end());
}

json::value number_or_null(const std::optional<double>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

json::value seconds_or_null(const std::optional<std::chrono::milliseconds>& time) {
    return time ? json::value(std::chrono::duration<double>(*time).count()) : json::value(nullptr);
}

json::object retry(const RetryPolicy& from) {
    json::object object;
    object.emplace("maxAttempts", number_or_null(from.max_attempts));
    object.emplace("delay", seconds_or_null(from.delay));
    object.emplace("factor", number_or_null(from.factor));
    object.emplace("maxDelay", seconds_or_null(from.max_delay));
    object.emplace("jitter", number_or_null(from.jitter));
    json::value causes(nullptr);
    if (from.causes) {
        auto& list = causes.emplace_array();
        for (const auto cause : *from.causes) {
            list.emplace_back(to_string(cause));
        }
    }
    object.emplace("on", std::move(causes));
    return object;
}

json::object spec(const BatchSpec& from) {
    json::object conf;
    for (const auto& [key, value] : from.conf) {
        conf.emplace(key, value);
    }
    json::object object;
    object.emplace("file", from.file);
    object.emplace("args", strings(from.args));
    object.emplace("className", text_or_null(from.class_name));
    object.emplace("jars", strings(from.jars));
    object.emplace("pyFiles", strings(from.py_files));
    object.emplace("files", strings(from.files));
    object.emplace("archives", strings(from.archives));
    object.emplace("driverMemory", text_or_null(from.driver_memory));
    object.emplace("driverCores", number_or_null(from.driver_cores));
    object.emplace("executorMemory", text_or_null(from.executor_memory));
    object.emplace("executorCores", number_or_null(from.executor_cores));
    object.emplace("numExecutors", number_or_null(from.num_executors));
    object.emplace("queue", text_or_null(from.queue));
    object.emplace("conf", std::move(conf));
    object.emplace("proxyUser", text_or_null(from.proxy_user));
    object.emplace("backend", text_or_null(from.backend));
    object.emplace("retry", retry(from.retry));
    return object;
}

json::array timeline(const std::vector<TimelineEntry>& from) {
    json::array array;
    for (const TimelineEntry& entry : from) {
        json::object object;
        object.emplace("what", entry.what);
        object.emplace("at", format_time(entry.at));
        object.emplace("reason", text_or_null(entry.reason));
        array.emplace_back(std::move(object));
    }
    return array;
}

json::array attempts(const std::vector<BatchAttempt>& from) {
    json::array array;
    for (const BatchAttempt& attempt : from) {
        json::object object;
        object.emplace("ticket", text_or_null(attempt.ticket));
        object.emplace("outcome", to_string(attempt.outcome));
        object.emplace("exitCode", number_or_null(attempt.exit_code));
        object.emplace("reason", text_or_null(attempt.reason));
        object.emplace("applicationId", text_or_null(attempt.application_id));
        object.emplace("started", attempt.started ? json::value(format_time(*attempt.started))
                                                  : json::value(nullptr));
        object.emplace("ended", format_time(attempt.ended));
        array.emplace_back(std::move(object));
    }
    return array;
}

}  // namespace native_json

std::string format_time(Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    std::array<char, 40> text{};
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
        static_cast<int>(clock.subseconds().count()));
    return std::string(text.data(), static_cast<std::size_t>(length));
}

std::string native_batch_json(BatchRecord record) {
    using namespace native_json;
    redact(record);
    json::object object;
    object.emplace("id", record.id.value);
    object.emplace("version", record.version);
    object.emplace("name", text_or_null(record.spec.name));
    object.emplace("owner", text_or_null(record.spec.owner));
    object.emplace("state", to_string(record.state()));
    object.emplace("phase", to_string(record.phase));
    object.emplace("outcome", record.has_ended() ? json::value(to_string(record.outcome))
                                                 : json::value(nullptr));
    object.emplace("exitCode", number_or_null(record.exit_code));
    object.emplace("reason", text_or_null(record.reason));
    object.emplace("applicationId", text_or_null(record.application_id));
    object.emplace("uiUrl", text_or_null(record.ui_url));
    object.emplace("attempt", record.attempt);
    object.emplace("attempts", attempts(record.attempts));
    object.emplace("nextAttempt", record.next_attempt
                                      ? json::value(format_time(record.next_attempt->at))
                                      : json::value(nullptr));
    object.emplace("killRequested", record.kill_requested);
    object.emplace("created", format_time(record.created));
    object.emplace("updated", format_time(record.updated));
    object.emplace("timeline", timeline(record.timeline));
    object.emplace("spec", spec(record.spec));
    return json::serialize(object);
}

}  // namespace sparkhost::detail::rest
