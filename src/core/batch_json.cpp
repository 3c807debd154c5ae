// SPDX-License-Identifier: Apache-2.0
#include "core/batch_json.hpp"

#include "core/json_codec.hpp"
#include "core/retry.hpp"

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
using codec::from_ms;
using codec::from_word;
using codec::get;
using codec::put;
using codec::to_ms;

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

constexpr std::array phases{BatchPhase::accepted, BatchPhase::reserved,      BatchPhase::submitted,
                            BatchPhase::running,  BatchPhase::attempt_ended, BatchPhase::waiting,
                            BatchPhase::ended,    BatchPhase::released};
constexpr std::array outcomes{Outcome::none, Outcome::success, Outcome::failed, Outcome::killed,
                              Outcome::unknown};

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

json::object attempt_to_json(const BatchAttempt& attempt) {
    json::object object;
    put(object, "ticket", attempt.ticket);
    put(object, "ticket_data", attempt.ticket_data);
    object.emplace("outcome", to_string(attempt.outcome));
    put(object, "exit_code", attempt.exit_code);
    put(object, "reason", attempt.reason);
    put(object, "application_id", attempt.application_id);
    if (attempt.started) {
        object.emplace("started", to_ms(*attempt.started));
    }
    object.emplace("ended", to_ms(attempt.ended));
    return object;
}

BatchAttempt attempt_from_json(const json::object& object) {
    BatchAttempt attempt;
    get(object, "ticket", attempt.ticket);
    get(object, "ticket_data", attempt.ticket_data);
    attempt.outcome = from_word(outcomes, std::string_view(object.at("outcome").as_string()));
    get(object, "exit_code", attempt.exit_code);
    get(object, "reason", attempt.reason);
    get(object, "application_id", attempt.application_id);
    if (object.contains("started")) {
        get(object, "started", attempt.started.emplace());
    }
    get(object, "ended", attempt.ended);
    return attempt;
}

void put_attempts(json::object& object, const BatchRecord& record) {
    if (!record.attempts.empty()) {
        json::array attempts;
        for (const auto& attempt : record.attempts) {
            attempts.emplace_back(attempt_to_json(attempt));
        }
        object.emplace("attempts", std::move(attempts));
    }
    if (record.next_attempt) {
        json::object next;
        next.emplace("at", to_ms(record.next_attempt->at));
        next.emplace("delay", record.next_attempt->delay.count());
        object.emplace("next_attempt", std::move(next));
    }
}

void get_attempts(const json::object& object, BatchRecord& record) {
    if (const auto* attempts = object.if_contains("attempts")) {
        for (const auto& attempt : attempts->as_array()) {
            record.attempts.push_back(attempt_from_json(attempt.as_object()));
        }
    }
    if (const auto* value = object.if_contains("next_attempt")) {
        const auto& from = value->as_object();
        NextAttempt next;
        get(from, "at", next.at);
        next.delay = std::chrono::milliseconds(from.at("delay").to_number<std::int64_t>());
        record.next_attempt = next;
    }
}

/// Of phases that are shown as `running` where an attempt has run, and as `starting` else.
constexpr const char* after_run = ".again";
constexpr std::array repeated_phases{BatchPhase::accepted, BatchPhase::reserved,
                                     BatchPhase::submitted, BatchPhase::attempt_ended,
                                     BatchPhase::waiting};

}  // namespace batch_json

boost::json::object spec_to_json(const BatchSpec& spec) {
    boost::json::object object;
    auto write = [](boost::json::object& to, std::string_view key, const auto& member) {
        codec::put(to, key, member);
    };
    batch_json::each_field(object, spec, write);
    if (!spec.conf.empty()) {
        boost::json::object conf;
        for (const auto& [key, value] : spec.conf) {
            conf.emplace(key, value);
        }
        object.emplace("conf", std::move(conf));
    }
    put_retry(object, spec.retry);
    return object;
}

BatchSpec spec_from_json(const boost::json::object& object) {
    BatchSpec spec;
    auto read = [](const boost::json::object& from, std::string_view key, auto& member) {
        codec::get(from, key, member);
    };
    batch_json::each_field(object, spec, read);
    if (const auto* conf = object.if_contains("conf")) {
        for (const auto& [key, value] : conf->as_object()) {
            spec.conf.emplace(key, value.as_string());
        }
    }
    spec.retry = get_retry(object);
    return spec;
}

BatchRecord batch_from_json(const boost::json::object& object) {
    using namespace batch_json;
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
    get_attempts(object, record);
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

std::string stored_state(const BatchRecord& record) {
    if (!record.has_ended()) {
        const std::string word(to_string(record.phase));
        const bool again =
            record.state() == BatchState::running && record.phase != BatchPhase::running;
        return again ? word + batch_json::after_run : word;
    }
    const std::string word(to_string(record.state()));
    // One that is still to be erased is not done with: the next host has to find it.
    return record.phase == BatchPhase::ended || record.erase_requested ? "ended." + word : word;
}

std::vector<std::string> stored_states(BatchState state) {
    std::vector<std::string> words;
    switch (state) {
        case BatchState::starting:
            for (const auto phase : batch_json::repeated_phases) {
                words.emplace_back(to_string(phase));
            }
            return words;
        case BatchState::running:
            words.emplace_back("running");
            for (const auto phase : batch_json::repeated_phases) {
                words.push_back(std::string(to_string(phase)) + batch_json::after_run);
            }
            return words;
        default: {
            const std::string word(to_string(state));
            return {word, "ended." + word};
        }
    }
}

std::vector<std::string> stored_states(BatchPhase phase) {
    const std::string word(to_string(phase));
    switch (phase) {
        case BatchPhase::ended:
            return {"ended.success", "ended.dead", "ended.killed"};
        case BatchPhase::released:
            return {"success", "dead", "killed"};
        case BatchPhase::running:
            return {word};
        default:
            return {word, word + batch_json::after_run};
    }
}

std::vector<std::string> stored_states_in_progress() {
    std::vector<std::string> words;
    for (const auto phase : batch_json::phases) {
        if (phase != BatchPhase::accepted && phase != BatchPhase::released) {
            for (auto& word : stored_states(phase)) {
                words.push_back(std::move(word));
            }
        }
    }
    return words;
}

boost::json::object batch_to_json(const BatchRecord& record) {
    using namespace batch_json;
    json::object object;
    object.emplace("spec", spec_to_json(record.spec));
    object.emplace("phase", to_string(record.phase));
    if (record.outcome != Outcome::none) {
        object.emplace("outcome", to_string(record.outcome));
    }
    put(object, "exit_code", record.exit_code);
    put(object, "reason", record.reason);
    put(object, "application_id", record.application_id);
    put(object, "ui_url", record.ui_url);
    if (record.attempt != 0) {
        object.emplace("attempt", record.attempt);
    }
    put_attempts(object, record);
    put(object, "ticket", record.ticket);
    put(object, "ticket_data", record.ticket_data);
    put(object, "kill_requested", record.kill_requested);
    put(object, "erase_requested", record.erase_requested);
    object.emplace("created", to_ms(record.created));
    object.emplace("updated", to_ms(record.updated));
    object.emplace("timeline", timeline_to_json(record.timeline));
    put(object, "log_tail", record.log_tail);
    return object;
}

std::string encode_batch(const BatchRecord& record) {
    return boost::json::serialize(batch_to_json(record));
}

Result<BatchRecord> decode_batch(const Record& stored) {
    try {
        BatchRecord record = batch_from_json(codec::parse_stored(stored.body).as_object());
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
    object.emplace("state", event.state);
    codec::put(object, "reason", event.reason);
    if (event.statement.value >= 0) {
        object.emplace("session", event.session.value);
        object.emplace("statement", event.statement.value);
    }
    return boost::json::serialize(object);
}

Result<Event> decode_event(const StoredEvent& stored) {
    try {
        const auto object = codec::parse_stored(stored.body).as_object();
        Event event;
        event.sequence = stored.sequence;
        event.at = stored.at;
        event.type = stored.type;
        switch (stored.subject.kind) {
            case RecordKind::batch:
                event.batch = BatchId{stored.subject.id};
                break;
            case RecordKind::session:
                event.session = SessionId{stored.subject.id};
                break;
            case RecordKind::statement:
                event.session.value = object.at("session").to_number<std::int64_t>();
                event.statement.value = object.at("statement").to_number<std::int64_t>();
                break;
        }
        event.version = object.at("version").to_number<std::int64_t>();
        event.state = object.at("state").as_string();
        codec::get(object, "reason", event.reason);
        return event;
    } catch (const std::exception& failure) {
        return Error(Errc::storage_failed, "event " + std::to_string(stored.sequence) +
                                               " cannot be read: " + failure.what());
    }
}

std::string fingerprint(const BatchSpec& spec) {
    return fingerprint_of(boost::json::serialize(spec_to_json(spec)));
}

std::string fingerprint_of(const std::string& text) {
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
