// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_session.hpp"

#include "rest/livy_json.hpp"
#include "rest/redact.hpp"
#include "rest/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>
#include <string_view>
#include <utility>

namespace sparkhost::detail::rest {

namespace livy_sessions {

namespace json = boost::json;
using livy_json::lines;
using livy_json::put_text;

/// In the largest unit that it is a whole number of: "90s", "30m", "2h"; empty: none.
std::string duration_text(const std::optional<std::chrono::seconds>& given) {
    if (!given) {
        return {};
    }
    const std::chrono::seconds duration = *given;
    using Unit = std::pair<std::int64_t, const char*>;
    for (const auto& [length, name] : {Unit{86'400, "d"}, Unit{3'600, "h"}, Unit{60, "m"}}) {
        if (duration.count() >= length && duration.count() % length == 0) {
            return std::to_string(duration.count() / length) + name;
        }
    }
    return std::to_string(duration.count()) + "s";
}

json::object conf(const std::map<std::string, std::string>& from,
                  const json::storage_ptr& storage) {
    json::object object(storage);
    object.reserve(from.size());
    for (const auto& [key, value] : from) {
        object.emplace(key, value);
    }
    return object;
}

/// What versions before 0.8 do not show.
void add_request(json::object& object, const SessionRecord& record, LivyLevel level) {
    const BatchSpec& spec = record.spec.spec;
    const auto storage = object.storage();
    put_text(object, "ttl", duration_text(record.spec.ttl));
    if (level >= LivyLevel::v0_9) {
        put_text(object, "idleTimeout", duration_text(record.spec.idle_timeout));
    }
    put_text(object, "driverMemory", spec.driver_memory);
    object.emplace("driverCores", spec.driver_cores.value_or(0));
    put_text(object, "executorMemory", spec.executor_memory);
    object.emplace("executorCores", spec.executor_cores.value_or(0));
    object.emplace("conf", conf(spec.conf, storage));
    object.emplace("archives", lines(spec.archives, storage));
    object.emplace("files", lines(spec.files, storage));
    object.emplace("heartbeatTimeoutInSecond",
                   record.spec.heartbeat_timeout.value_or(std::chrono::seconds(0)).count());
    object.emplace("jars", lines(spec.jars, storage));
    object.emplace("numExecutors", spec.num_executors.value_or(0));
    object.emplace("pyFiles", lines(spec.py_files, storage));
    put_text(object, "queue", spec.queue);
}

json::object session(const LivySession& from, LivyLevel level, const json::storage_ptr& storage) {
    const SessionRecord& record = from.record;
    const BatchSpec& spec = record.spec.spec;
    const bool known = record.facts.has_value();
    const std::string& ui_url =
        known && !record.facts->ui_url.empty() ? record.facts->ui_url : record.application.ui_url;
    const std::string& application_id = known && !record.facts->application_id.empty()
                                            ? record.facts->application_id
                                            : record.application.application_id;
    json::object object(storage);
    object.reserve(23);
    object.emplace("id", record.id.value);
    if (level > LivyLevel::v0_5) {
        put_text(object, "name", spec.name);
    }
    put_text(object, "appId", application_id);
    put_text(object, "owner", spec.owner);
    put_text(object, "proxyUser", spec.proxy_user);
    object.emplace("state", to_string(record.state()));
    object.emplace("kind", record.spec.kind.empty() ? "shared" : record.spec.kind);
    object.emplace("appInfo", livy_json::app_info(ui_url, level, storage));
    object.emplace("log", lines(from.log, storage));
    if (level >= LivyLevel::v0_8) {
        add_request(object, record, level);
    }
    return object;
}

std::int64_t milliseconds(const std::optional<Timestamp>& time) {
    using std::chrono::duration_cast;
    return time ? duration_cast<std::chrono::milliseconds>(time->time_since_epoch()).count() : 0;
}

/// As Java writes it: always with a point.
std::string fraction_text(double fraction) {
    if (!(fraction > 0)) {
        return "0.0";
    }
    if (fraction >= 1) {
        return "1.0";
    }
    std::array<char, 64> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), fraction).ptr;
    return std::string(text.data(), end);
}

std::string execution(std::string_view status, const StatementRecord& record) {
    return "{\"status\":\"" + std::string(status) +
           "\",\"execution_count\":" + std::to_string(record.spec.id.value);
}

struct Failure {
    std::string_view name;
    std::string_view value;
    const std::vector<std::string>& traceback;
};

std::string failed_output(const StatementRecord& record, const Failure& failure) {
    std::string text = execution("error", record) + ",\"ename\":" + json_string(failure.name) +
                       ",\"evalue\":" + json_string(failure.value) + ",\"traceback\":[";
    for (const std::string& line : failure.traceback) {
        text += (&line == failure.traceback.data() ? "" : ",") + json_string(line);
    }
    return text + "]}";
}

/// Livy shows nothing of what Scala code writes to standard error. Our notes are there, too.
bool is_shown(const StatementRecord& record, const OutputChunk& chunk) {
    return record.spec.kind != "spark" || chunk.stream == OutputStream::standard_output ||
           chunk.text.find("[sparkhost: ") <= 1;
}

/// What the code wrote, then the echo of its last expression; but for Scala's without blanks at
/// the end.
std::string plain_text(const StatementRecord& record, std::string_view echo) {
    std::string text;
    for (const OutputChunk& chunk : record.output) {
        text += is_shown(record, chunk) ? chunk.text : std::string();
    }
    text += echo;
    if (record.spec.kind != "spark") {
        text.resize(text.find_last_not_of(" \t\n\v\f\r") + 1);
    }
    return text;
}

/// JSON stands in its place as what it is; other contents are strings.
std::string content(const std::string& type, const std::string& text) {
    if (type == "application/json" || type.ends_with("+json")) {
        if (auto value = compact_json(valid_utf8(text))) {
            return std::move(*value);
        }
    }
    return json_string(text);
}

std::string good_output(const StatementRecord& record) {
    constexpr std::string_view plain = "text/plain";
    std::map<std::string, std::string> data = record.result->data;
    // What a magic shows stands alone: clients take the one content that there is.
    if (record.spec.kind != "sql" && (data.empty() || data.contains(std::string(plain)))) {
        std::string& text = data[std::string(plain)];
        text = plain_text(record, text);
    }
    std::string output = execution("ok", record) + ",\"data\":{";
    for (const auto& [type, text] : data) {
        output += output.back() == '{' ? "" : ",";
        output += json_string(type) + ":" + content(type, text);
    }
    return output + "}}";
}

std::string output(const StatementRecord& record) {
    if (!record.result) {
        return "null";
    }
    const StatementResult& result = *record.result;
    const Failure failure{result.error_name, result.error_value, result.traceback};
    switch (result.outcome) {
        case StatementOutcome::ok:
            return good_output(record);
        case StatementOutcome::error:
            return failed_output(record, failure);
        case StatementOutcome::cancelled:
            // One that never ran, or of which nothing is known, has none in Livy either.
            return record.started && !result.error_name.empty() ? failed_output(record, failure)
                                                                : "null";
        case StatementOutcome::forgotten:
            break;
    }
    const std::vector<std::string> nothing;
    return failed_output(
        record, {"ResultForgotten", "The statement has been run, but its result is no longer kept.",
                 nothing});
}

}  // namespace livy_sessions

std::string livy_session_json(LivySession session, LivyLevel level) {
    redact(session.record.spec.spec);
    livy_json::Scratch scratch;
    return boost::json::serialize(livy_sessions::session(session, level, scratch.storage()));
}

std::string livy_statement_json(const StatementRecord& record) {
    using namespace livy_sessions;
    const bool over = record.has_ended();
    // A duration is what clients make of the two times: without a beginning there is none.
    const std::int64_t completed = record.started || record.state() != StatementState::cancelled
                                       ? milliseconds(record.completed)
                                       : 0;
    std::string text = "{\"id\":" + std::to_string(record.spec.id.value);
    text += ",\"code\":" + json_string(record.spec.code);
    text += ",\"state\":\"" + std::string(to_string(record.state()));
    text += "\",\"output\":" + output(record);
    text += ",\"progress\":" + fraction_text(over ? 1 : record.progress);
    text += ",\"started\":" + std::to_string(milliseconds(record.started));
    text += ",\"completed\":" + std::to_string(completed) + "}";
    return text;
}

std::string livy_statement_list_json(std::int64_t total,
                                     const std::vector<StatementRecord>& statements) {
    std::string text = "{\"total_statements\":" + std::to_string(total) + ",\"statements\":[";
    for (const StatementRecord& statement : statements) {
        text += (&statement == statements.data() ? "" : ",") + livy_statement_json(statement);
    }
    return text + "]}";
}

StatementWindow statement_window(StatementWindowRequest request) {
    const std::int64_t total = std::max<std::int64_t>(0, request.total);
    const std::int64_t from = std::clamp<std::int64_t>(request.from, 0, total);
    const std::int64_t count = std::clamp<std::int64_t>(request.size, 0, total - from);
    return {.offset = request.newest_first ? total - from - count : from, .count = count};
}

}  // namespace sparkhost::detail::rest
