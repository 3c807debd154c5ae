// SPDX-License-Identifier: Apache-2.0
#include "core/batch_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <charconv>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

namespace sparkhost::detail {

namespace batch_json {

namespace json = boost::json;

/// What was accepted must be readable again, whatever bytes an argument or a backend's words have.
json::value parse_stored(const std::string& body) {
    json::parse_options options;
    options.allow_invalid_utf8 = true;
    return json::parse(body, {}, options);
}

std::int64_t to_ms(Timestamp at) {
    return at.time_since_epoch().count();
}
Timestamp from_ms(std::int64_t ms) {
    return Timestamp(std::chrono::milliseconds(ms));
}

void put(json::object& object, std::string_view key, const std::string& text) {
    if (!text.empty()) {
        object.emplace(key, text);
    }
}

void put(json::object& object, std::string_view key, const std::vector<std::string>& list) {
    if (!list.empty()) {
        object.emplace(key, json::array(list.begin(), list.end()));
    }
}

void put(json::object& object, std::string_view key, const std::optional<int>& number) {
    if (number) {
        object.emplace(key, *number);
    }
}

void put(json::object& object, std::string_view key, bool flag) {
    if (flag) {
        object.emplace(key, true);
    }
}

void get(const json::object& object, std::string_view key, std::string& text) {
    if (const auto* value = object.if_contains(key)) {
        text = value->as_string();
    }
}

void get(const json::object& object, std::string_view key, std::vector<std::string>& list) {
    if (const auto* value = object.if_contains(key)) {
        for (const auto& item : value->as_array()) {
            list.emplace_back(item.as_string());
        }
    }
}

void get(const json::object& object, std::string_view key, std::optional<int>& number) {
    if (const auto* value = object.if_contains(key)) {
        number = value->to_number<int>();
    }
}

void get(const json::object& object, std::string_view key, bool& flag) {
    if (const auto* value = object.if_contains(key)) {
        flag = value->as_bool();
    }
}

void get(const json::object& object, std::string_view key, Timestamp& at) {
    if (const auto* value = object.if_contains(key)) {
        at = from_ms(value->to_number<std::int64_t>());
    }
}

/// Names every member of a BatchSpec once, for writing and reading alike.
template <class Object, class Spec, class Field>
void each_field(Object& object, Spec& spec, Field field) {
    field(object, "file", spec.file);
    field(object, "args", spec.args);
    field(object, "class", spec.class_name);
    field(object, "jars", spec.jars);
    field(object, "py_files", spec.py_files);
    field(object, "files", spec.files);
    field(object, "archives", spec.archives);
    field(object, "driver_memory", spec.driver_memory);
    field(object, "driver_cores", spec.driver_cores);
    field(object, "executor_memory", spec.executor_memory);
    field(object, "executor_cores", spec.executor_cores);
    field(object, "num_executors", spec.num_executors);
    field(object, "queue", spec.queue);
    field(object, "name", spec.name);
    field(object, "owner", spec.owner);
    field(object, "proxy_user", spec.proxy_user);
    field(object, "backend", spec.backend);
    field(object, "idempotency_key", spec.idempotency_key);
}

json::object spec_to_json(const BatchSpec& spec) {
    json::object object;
    each_field(object, spec, [](json::object& o, std::string_view key, const auto& member) {
        put(o, key, member);
    });
    if (!spec.conf.empty()) {
        json::object conf;
        for (const auto& [key, value] : spec.conf) {
            conf.emplace(key, value);
        }
        object.emplace("conf", std::move(conf));
    }
    return object;
}

BatchSpec spec_from_json(const json::object& object) {
    BatchSpec spec;
    each_field(object, spec, [](const json::object& o, std::string_view key, auto& member) {
        get(o, key, member);
    });
    if (const auto* conf = object.if_contains("conf")) {
        for (const auto& [key, value] : conf->as_object()) {
            spec.conf.emplace(key, value.as_string());
        }
    }
    return spec;
}

constexpr std::array phases{BatchPhase::accepted, BatchPhase::reserved, BatchPhase::submitted,
                            BatchPhase::running,  BatchPhase::ended,    BatchPhase::released};
constexpr std::array outcomes{Outcome::none, Outcome::success, Outcome::failed, Outcome::killed,
                              Outcome::unknown};
constexpr std::array states{BatchState::starting, BatchState::running, BatchState::success,
                            BatchState::dead, BatchState::killed};

template <class Values>
typename Values::value_type from_word(const Values& values, std::string_view word) {
    for (auto value : values) {
        if (to_string(value) == word) {
            return value;
        }
    }
    throw std::invalid_argument("unknown word '" + std::string(word) + "'");
}

json::array timeline_to_json(const std::vector<TimelineEntry>& timeline) {
    json::array list;
    for (const auto& entry : timeline) {
        json::array row{entry.what, to_ms(entry.at)};
        if (!entry.reason.empty()) {
            row.emplace_back(entry.reason);
        }
        list.emplace_back(std::move(row));
    }
    return list;
}

std::vector<TimelineEntry> timeline_from_json(const json::array& list) {
    std::vector<TimelineEntry> timeline;
    for (const auto& item : list) {
        const auto& row = item.as_array();
        TimelineEntry entry;
        entry.what = row.at(0).as_string();
        entry.at = from_ms(row.at(1).to_number<std::int64_t>());
        if (row.size() > 2) {
            entry.reason = row.at(2).as_string();
        }
        timeline.push_back(std::move(entry));
    }
    return timeline;
}

BatchRecord record_from_json(const json::object& object) {
    BatchRecord record;
    record.spec = spec_from_json(object.at("spec").as_object());
    record.phase = from_word(phases, std::string_view(object.at("phase").as_string()));
    if (const auto* outcome = object.if_contains("outcome")) {
        record.outcome = from_word(outcomes, std::string_view(outcome->as_string()));
    }
    get(object, "exit_code", record.exit_code);
    get(object, "reason", record.reason);
    get(object, "application_id", record.application_id);
    get(object, "ui_url", record.ui_url);
    record.attempt = object.contains("attempt") ? object.at("attempt").to_number<int>() : 0;
    get(object, "ticket", record.ticket);
    get(object, "ticket_data", record.ticket_data);
    get(object, "kill_requested", record.kill_requested);
    get(object, "erase_requested", record.erase_requested);
    get(object, "created", record.created);
    get(object, "updated", record.updated);
    record.timeline = timeline_from_json(object.at("timeline").as_array());
    get(object, "log_tail", record.log_tail);
    return record;
}

}  // namespace batch_json

std::string stored_state(const BatchRecord& record) {
    if (!record.has_ended()) {
        return std::string(to_string(record.phase));
    }
    const std::string word(to_string(record.state()));
    // One that is still to be erased is not done with: the next host has to find it.
    return record.phase == BatchPhase::ended || record.erase_requested ? "ended." + word : word;
}

std::vector<std::string> stored_states(BatchState state) {
    switch (state) {
        case BatchState::starting:
            return {"accepted", "reserved", "submitted"};
        case BatchState::running:
            return {"running"};
        default: {
            const std::string word(to_string(state));
            return {word, "ended." + word};
        }
    }
}

std::vector<std::string> stored_states(BatchPhase phase) {
    switch (phase) {
        case BatchPhase::ended:
            return {"ended.success", "ended.dead", "ended.killed"};
        case BatchPhase::released:
            return {"success", "dead", "killed"};
        default:
            return {std::string(to_string(phase))};
    }
}

std::vector<std::string> stored_states_in_progress() {
    return {"reserved", "submitted", "running", "ended.success", "ended.dead", "ended.killed"};
}

std::string encode_batch(const BatchRecord& record) {
    namespace codec = batch_json;
    boost::json::object object;
    object.emplace("spec", codec::spec_to_json(record.spec));
    object.emplace("phase", to_string(record.phase));
    if (record.outcome != Outcome::none) {
        object.emplace("outcome", to_string(record.outcome));
    }
    codec::put(object, "exit_code", record.exit_code);
    codec::put(object, "reason", record.reason);
    codec::put(object, "application_id", record.application_id);
    codec::put(object, "ui_url", record.ui_url);
    if (record.attempt != 0) {
        object.emplace("attempt", record.attempt);
    }
    codec::put(object, "ticket", record.ticket);
    codec::put(object, "ticket_data", record.ticket_data);
    codec::put(object, "kill_requested", record.kill_requested);
    codec::put(object, "erase_requested", record.erase_requested);
    object.emplace("created", codec::to_ms(record.created));
    object.emplace("updated", codec::to_ms(record.updated));
    object.emplace("timeline", codec::timeline_to_json(record.timeline));
    codec::put(object, "log_tail", record.log_tail);
    return boost::json::serialize(object);
}

Result<BatchRecord> decode_batch(const Record& stored) {
    try {
        BatchRecord record =
            batch_json::record_from_json(batch_json::parse_stored(stored.body).as_object());
        record.id = BatchId{stored.key.id};
        record.version = stored.version;
        return record;
    } catch (const std::exception& failure) {
        return Error(Errc::storage_failed, "the stored record of batch " +
                                               std::to_string(stored.key.id) +
                                               " cannot be read: " + failure.what());
    }
}

std::string encode_event(const Event& event) {
    boost::json::object object;
    object.emplace("version", event.version);
    object.emplace("state", to_string(event.state));
    batch_json::put(object, "reason", event.reason);
    return boost::json::serialize(object);
}

Result<Event> decode_event(const StoredEvent& stored) {
    try {
        const auto object = batch_json::parse_stored(stored.body).as_object();
        Event event;
        event.sequence = stored.sequence;
        event.at = stored.at;
        event.type = stored.type;
        event.batch = BatchId{stored.subject.id};
        event.version = object.at("version").to_number<std::int64_t>();
        event.state = batch_json::from_word(batch_json::states,
                                            std::string_view(object.at("state").as_string()));
        batch_json::get(object, "reason", event.reason);
        return event;
    } catch (const std::exception& failure) {
        return Error(Errc::storage_failed, "event " + std::to_string(stored.sequence) +
                                               " cannot be read: " + failure.what());
    }
}

std::string fingerprint(const BatchSpec& spec) {
    const std::string text = boost::json::serialize(batch_json::spec_to_json(spec));
    // Two independent 64-bit FNV-1a sums: equal texts are meant, accidents are excluded, and
    // nobody gains by forging a collision with a key of his own.
    std::uint64_t first = 0xcbf29ce484222325ULL;
    std::uint64_t second = 0x84222325cbf29ce4ULL;
    for (const unsigned char byte : text) {
        first = (first ^ byte) * 0x100000001b3ULL;
        second = (second ^ static_cast<unsigned char>(byte + 0x5b)) * 0x100000001b3ULL;
    }
    std::array<char, 40> digits{};
    auto end = std::to_chars(digits.data(), digits.data() + 20, first, 16).ptr;
    *end++ = '-';
    end = std::to_chars(end, digits.data() + digits.size(), second, 16).ptr;
    return std::string(digits.data(), end);
}

}  // namespace sparkhost::detail
