// SPDX-License-Identifier: Apache-2.0
#include "core/session_json.hpp"

#include "core/batch_json.hpp"
#include "core/json_codec.hpp"

#include <boost/json/serialize.hpp>

#include <array>
#include <exception>
#include <utility>

namespace sparkhost::detail {

namespace session_json {

namespace json = boost::json;
using codec::from_ms;
using codec::from_word;
using codec::to_ms;

template <class Duration>
void put(json::object& object, std::string_view key, const std::optional<Duration>& duration) {
    if (duration) {
        object.emplace(key, duration->count());
    }
}
template <class Duration>
void get(const json::object& object, std::string_view key, std::optional<Duration>& duration) {
    if (const auto* value = object.if_contains(key)) {
        duration = Duration(value->to_number<std::int64_t>());
    }
}

json::object spec_json(const SessionSpec& spec) {
    json::object object = spec_to_json(spec.spec);
    codec::put(object, "kind", spec.kind);
    session_json::put(object, "idle_timeout", spec.idle_timeout);
    session_json::put(object, "ttl", spec.ttl);
    session_json::put(object, "heartbeat_timeout", spec.heartbeat_timeout);
    return object;
}

SessionSpec session_spec(const json::object& object) {
    SessionSpec spec;
    spec.spec = spec_from_json(object);
    codec::get(object, "kind", spec.kind);
    session_json::get(object, "idle_timeout", spec.idle_timeout);
    session_json::get(object, "ttl", spec.ttl);
    session_json::get(object, "heartbeat_timeout", spec.heartbeat_timeout);
    return spec;
}

json::object facts_json(const SessionFacts& facts) {
    json::object object;
    codec::put(object, "application_id", facts.application_id);
    codec::put(object, "ui_url", facts.ui_url);
    codec::put(object, "spark_version", facts.spark_version);
    codec::put(object, "runtime_version", facts.runtime_version);
    object.emplace("pid", facts.pid);
    return object;
}

SessionFacts facts_of(const json::object& object) {
    SessionFacts facts;
    codec::get(object, "application_id", facts.application_id);
    codec::get(object, "ui_url", facts.ui_url);
    codec::get(object, "spark_version", facts.spark_version);
    codec::get(object, "runtime_version", facts.runtime_version);
    facts.pid = object.at("pid").to_number<std::int64_t>();
    return facts;
}

// Each file is [path], or [path, 1] for a secret one.
json::array files_json(const std::vector<DriverFile>& files) {
    json::array list;
    for (const auto& file : files) {
        json::array row{file.path};
        if (file.secret) {
            row.emplace_back(1);
        }
        list.emplace_back(std::move(row));
    }
    return list;
}

std::vector<DriverFile> files_of(const json::array& list) {
    std::vector<DriverFile> files;
    for (const auto& item : list) {
        const auto& row = item.as_array();
        DriverFile file;
        file.path = row.at(0).as_string();
        file.secret = row.size() > 1;
        files.push_back(std::move(file));
    }
    return files;
}

constexpr std::array outcomes{StatementOutcome::ok, StatementOutcome::error,
                              StatementOutcome::cancelled, StatementOutcome::forgotten};

json::object result_json(const StatementResult& result) {
    json::object object;
    object.emplace("outcome", to_string(result.outcome));
    codec::put(object, "interrupted", result.interrupted);
    if (!result.data.empty()) {
        json::object data;
        for (const auto& [type, content] : result.data) {
            data.emplace(type, content);
        }
        object.emplace("data", std::move(data));
    }
    codec::put(object, "notes", result.notes);
    codec::put(object, "error_name", result.error_name);
    codec::put(object, "error_value", result.error_value);
    codec::put(object, "traceback", result.traceback);
    return object;
}

StatementResult result_of(const json::object& object) {
    StatementResult result;
    result.outcome = from_word(outcomes, std::string_view(object.at("outcome").as_string()));
    codec::get(object, "interrupted", result.interrupted);
    if (const auto* data = object.if_contains("data")) {
        for (const auto& [type, content] : data->as_object()) {
            result.data.emplace(type, content.as_string());
        }
    }
    codec::get(object, "notes", result.notes);
    codec::get(object, "error_name", result.error_name);
    codec::get(object, "error_value", result.error_value);
    codec::get(object, "traceback", result.traceback);
    return result;
}

void put_time(json::object& object, std::string_view key, const std::optional<Timestamp>& at) {
    if (at) {
        object.emplace(key, to_ms(*at));
    }
}

std::optional<Timestamp> time_of(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value ? std::optional(from_ms(value->to_number<std::int64_t>())) : std::nullopt;
}

// Each chunk is [0 or 1, text], 1 for standard error.
json::array output_json(const std::vector<OutputChunk>& output) {
    json::array list;
    list.reserve(output.size());
    for (const auto& chunk : output) {
        json::array row{chunk.stream == OutputStream::standard_error ? 1 : 0, chunk.text};
        list.emplace_back(std::move(row));
    }
    return list;
}

std::vector<OutputChunk> output_of(const json::array& list) {
    std::vector<OutputChunk> output;
    output.reserve(list.size());
    for (const auto& item : list) {
        const auto& row = item.as_array();
        OutputChunk chunk;
        chunk.stream = row.at(0).to_number<int>() == 1 ? OutputStream::standard_error
                                                       : OutputStream::standard_output;
        chunk.text = row.at(1).as_string();
        output.push_back(std::move(chunk));
    }
    return output;
}

}  // namespace session_json

std::string encode_session(const BatchRecord& application, const SessionPart& part) {
    namespace json = boost::json;
    json::object object = batch_to_json(application);
    json::object session;
    session.emplace("spec", session_json::spec_json(part.spec));
    codec::put(session, "runtime", part.runtime);
    codec::put(session, "claim", part.claim);
    codec::put(session, "secret_hash", part.secret_hash);
    if (application.phase <= BatchPhase::reserved && !part.driver_files.empty()) {
        session.emplace("driver_files", session_json::files_json(part.driver_files));
    }
    codec::put(session, "nonce", part.nonce);
    codec::put(session, "resume_hash", part.resume_hash);
    if (part.facts) {
        session.emplace("facts", session_json::facts_json(*part.facts));
    }
    codec::put(session, "end_reason", part.end_reason);
    session.emplace("statements", part.statements);
    object.emplace("session", std::move(session));
    return json::serialize(object);
}

Result<StoredSession> decode_session(const Record& stored) {
    try {
        const auto object = codec::parse_stored(stored.body).as_object();
        StoredSession session;
        session.application = batch_from_json(object);
        session.application.id = BatchId{stored.key.id};
        session.application.version = stored.version;
        const auto& from = object.at("session").as_object();
        SessionPart& part = session.part;
        part.spec = session_json::session_spec(from.at("spec").as_object());
        codec::get(from, "runtime", part.runtime);
        codec::get(from, "claim", part.claim);
        codec::get(from, "secret_hash", part.secret_hash);
        if (const auto* files = from.if_contains("driver_files")) {
            part.driver_files = session_json::files_of(files->as_array());
        }
        codec::get(from, "nonce", part.nonce);
        codec::get(from, "resume_hash", part.resume_hash);
        if (const auto* facts = from.if_contains("facts")) {
            part.facts = session_json::facts_of(facts->as_object());
        }
        codec::get(from, "end_reason", part.end_reason);
        part.statements = from.at("statements").to_number<std::int64_t>();
        return session;
    } catch (const std::exception& failure) {
        return Error(Errc::storage_failed, "the stored record of session " +
                                               std::to_string(stored.key.id) +
                                               " cannot be read: " + failure.what());
    }
}

std::string encode_statement(const StatementRecord& statement) {
    boost::json::object object;
    object.emplace("session", statement.session.value);
    object.emplace("number", statement.spec.id.value);
    codec::put(object, "kind", statement.spec.kind);
    codec::put(object, "code", statement.spec.code);
    codec::put(object, "job", statement.spec.job);
    codec::put(object, "owner", statement.spec.owner);
    codec::put(object, "idempotency_key", statement.spec.idempotency_key);
    object.emplace("created", codec::to_ms(statement.created));
    session_json::put_time(object, "started", statement.started);
    session_json::put_time(object, "completed", statement.completed);
    codec::put(object, "cancel_requested", statement.cancel_requested);
    session_json::put(object, "end_session_after", statement.end_session_after);
    if (statement.unheeded_interrupts > 0) {
        object.emplace("unheeded", statement.unheeded_interrupts);
    }
    if (!statement.output.empty()) {
        object.emplace("output", session_json::output_json(statement.output));
    }
    if (statement.result) {
        object.emplace("result", session_json::result_json(*statement.result));
    }
    return boost::json::serialize(object);
}

Result<StatementRecord> decode_statement(const Record& stored) {
    try {
        const auto object = codec::parse_stored(stored.body).as_object();
        StatementRecord statement;
        statement.version = stored.version;
        statement.session.value = object.at("session").to_number<std::int64_t>();
        statement.spec.id.value = object.at("number").to_number<std::int64_t>();
        codec::get(object, "kind", statement.spec.kind);
        codec::get(object, "code", statement.spec.code);
        codec::get(object, "job", statement.spec.job);
        codec::get(object, "owner", statement.spec.owner);
        codec::get(object, "idempotency_key", statement.spec.idempotency_key);
        codec::get(object, "created", statement.created);
        statement.started = session_json::time_of(object, "started");
        statement.completed = session_json::time_of(object, "completed");
        codec::get(object, "cancel_requested", statement.cancel_requested);
        session_json::get(object, "end_session_after", statement.end_session_after);
        if (const auto* unheeded = object.if_contains("unheeded")) {
            statement.unheeded_interrupts = unheeded->to_number<std::int64_t>();
        }
        if (const auto* output = object.if_contains("output")) {
            statement.output = session_json::output_of(output->as_array());
        }
        if (const auto* result = object.if_contains("result")) {
            statement.result = session_json::result_of(result->as_object());
            statement.progress = 1;
        }
        return statement;
    } catch (const std::exception& failure) {
        return Error(Errc::storage_failed, "statement record " + std::to_string(stored.key.id) +
                                               " cannot be read: " + failure.what());
    }
}

std::string owner_of_statements(SessionId session) {
    return "session-" + std::to_string(session.value);
}

std::string owner_of_jobs(SessionId session) {
    return owner_of_statements(session) + "-jobs";
}

std::string fingerprint(const SessionSpec& spec) {
    return fingerprint_of(boost::json::serialize(session_json::spec_json(spec)));
}

std::string fingerprint(const StatementSpec& spec) {
    return fingerprint_of((spec.job ? "job\n" : "code\n") + spec.kind + "\n" + spec.code);
}

}  // namespace sparkhost::detail
