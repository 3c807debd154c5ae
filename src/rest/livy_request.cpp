// SPDX-License-Identifier: Apache-2.0
#include "rest/livy_request.hpp"

#include "rest/body_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace sparkhost::detail::rest {

namespace create_requests {

template <auto Member, class Create>
Result<void> read_spec(const JsonNode& node, Create& create) {
    return read_field(node, node.key, create.spec.*Member);
}

template <class Create>
Result<void> read_name(const JsonNode& node, Create& create) {
    auto done = read_field(node, node.key, create.spec.name);
    create.has_empty_name = create.spec.name.empty();
    return done;
}

/// Spark's launcher leaves out what is no property of Spark's, and says so in the driver's log.
/// Livy's own are left to the host, which may refuse them.
template <class Create>
Result<void> read_conf(const JsonNode& node, Create& create) {
    auto done = read_field(node, node.key, create.spec.conf);
    std::erase_if(create.spec.conf, [](const auto& entry) {
        return !entry.first.starts_with("spark.") && !entry.first.starts_with("livy.");
    });
    return done;
}

/// What batches and sessions have in common.
template <class Create>
constexpr std::array common{
    Field<Create>{"proxyUser", &read_spec<&BatchSpec::proxy_user, Create>},
    Field<Create>{"jars", &read_spec<&BatchSpec::jars, Create>},
    Field<Create>{"pyFiles", &read_spec<&BatchSpec::py_files, Create>},
    Field<Create>{"files", &read_spec<&BatchSpec::files, Create>},
    Field<Create>{"driverMemory", &read_spec<&BatchSpec::driver_memory, Create>},
    Field<Create>{"driverCores", &read_spec<&BatchSpec::driver_cores, Create>},
    Field<Create>{"executorMemory", &read_spec<&BatchSpec::executor_memory, Create>},
    Field<Create>{"executorCores", &read_spec<&BatchSpec::executor_cores, Create>},
    Field<Create>{"numExecutors", &read_spec<&BatchSpec::num_executors, Create>},
    Field<Create>{"archives", &read_spec<&BatchSpec::archives, Create>},
    Field<Create>{"queue", &read_spec<&BatchSpec::queue, Create>},
    Field<Create>{"name", &read_name<Create>},
    Field<Create>{"conf", &read_conf<Create>},
};

constexpr std::array batch_fields{
    Field<CreateBatch>{"file", &read_spec<&BatchSpec::file, CreateBatch>},
    Field<CreateBatch>{"args", &read_spec<&BatchSpec::args, CreateBatch>},
    Field<CreateBatch>{"className", &read_spec<&BatchSpec::class_name, CreateBatch>},
};

constexpr std::string_view session_type =
    "org.apache.livy.server.interactive.CreateInteractiveRequest";

Result<void> read_session_kind(const JsonNode& node, CreateSession& create) {
    std::string name;
    if (auto done = read_field(node, node.key, name); !done) {
        return done;
    }
    auto kind = parse_kind(name);
    if (!kind) {
        return Error(Errc::invalid_argument,
                     kind.error().detail +
                         " (through reference chain: " + std::string(session_type) + "[\"kind\"])",
                     "kind");
    }
    create.kind = std::move(*kind);
    return ok();
}

constexpr std::array session_fields{
    Field<CreateSession>{"kind", &read_session_kind},
    Field<CreateSession>{"heartbeatTimeoutInSecond",
                         &read_member<&CreateSession::heartbeat_timeout>},
    Field<CreateSession>{"ttl", &read_member<&CreateSession::ttl>},
    Field<CreateSession>{"idleTimeout", &read_member<&CreateSession::idle_timeout>},
};

Result<void> read_code(const JsonNode& node, CreateStatement& statement) {
    std::string text;
    if (auto done = read_field(node, node.key, text); !done) {
        return done;
    }
    std::string& code = statement.code.emplace();
    code.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.compare(i, 2, "\r\n") != 0) {
            code.push_back(text[i]);
        }
    }
    return ok();
}

/// Of Livy's oldest clients; it never meant anything.
Result<void> ignore(const JsonNode& node, CreateStatement&) {
    std::string ignored;
    return read_field(node, node.key, ignored);
}

constexpr std::array statement_fields{
    Field<CreateStatement>{"code", &read_code},
    Field<CreateStatement>{"kind", &read_member<&CreateStatement::kind>},
    Field<CreateStatement>{"msg_type", &ignore},
};

constexpr std::array completion_fields{
    Field<CompleteCode>{"code", &read_member<&CompleteCode::code>},
    Field<CompleteCode>{"kind", &read_member<&CompleteCode::kind>},
    Field<CompleteCode>{"cursor", &read_member<&CompleteCode::cursor>},
};

constexpr std::array job_fields{
    Field<SubmitJob>{"job", &read_member<&SubmitJob::job>},
    Field<SubmitJob>{"jobType", &read_member<&SubmitJob::job_type>},
};

struct AddFile {
    std::string uri{};
};
constexpr std::array add_fields{Field<AddFile>{"uri", &read_member<&AddFile::uri>}};

struct Unit {
    std::string_view name;
    std::int64_t microseconds;
};

constexpr std::array units{Unit{"us", 1},
                           Unit{"ms", 1'000},
                           Unit{"s", 1'000'000},
                           Unit{"m", 60'000'000},
                           Unit{"min", 60'000'000},
                           Unit{"h", 3'600'000'000},
                           Unit{"d", 86'400'000'000}};

}  // namespace create_requests

Result<CreateBatch> read_create_batch(std::string_view body) {
    using namespace create_requests;
    CreateBatch create;
    auto read = read_fields<CreateBatch>(body, "org.apache.livy.server.batch.CreateBatchRequest",
                                         {batch_fields, common<CreateBatch>}, create);
    return read ? Result<CreateBatch>(std::move(create)) : Result<CreateBatch>(read.error());
}

Result<CreateSession> read_create_session(std::string_view body) {
    using namespace create_requests;
    CreateSession create;
    auto read = read_fields<CreateSession>(body, session_type,
                                           {session_fields, common<CreateSession>}, create);
    return read ? Result<CreateSession>(std::move(create)) : Result<CreateSession>(read.error());
}

Result<CreateStatement> read_create_statement(std::string_view body) {
    CreateStatement create;
    auto read = read_fields<CreateStatement>(body, "org.apache.livy.ExecuteRequest",
                                             {create_requests::statement_fields}, create);
    return read ? Result<CreateStatement>(std::move(create))
                : Result<CreateStatement>(read.error());
}

Result<CompleteCode> read_complete_code(std::string_view body) {
    CompleteCode complete;
    auto read = read_fields<CompleteCode>(body, "org.apache.livy.CompletionRequest",
                                          {create_requests::completion_fields}, complete);
    return read ? Result<CompleteCode>(std::move(complete)) : Result<CompleteCode>(read.error());
}

Result<SubmitJob> read_submit_job(std::string_view body) {
    SubmitJob submit;
    auto read =
        read_fields<SubmitJob>(body, "org.apache.livy.client.common.HttpMessages$SerializedJob",
                               {create_requests::job_fields}, submit);
    return read ? Result<SubmitJob>(std::move(submit)) : Result<SubmitJob>(read.error());
}

Result<std::string> read_add_file(std::string_view body) {
    create_requests::AddFile add;
    auto read = read_fields<create_requests::AddFile>(
        body, "org.apache.livy.client.common.HttpMessages$AddResource",
        {create_requests::add_fields}, add);
    return read ? Result<std::string>(std::move(add.uri)) : Result<std::string>(read.error());
}

Result<std::string> parse_kind(std::string_view name) {
    struct Row {
        std::string_view name;
        std::string_view kind;
    };
    static constexpr std::array rows{Row{"shared", ""},        Row{"spark", "spark"},
                                     Row{"scala", "spark"},    Row{"pyspark", "pyspark"},
                                     Row{"python", "pyspark"}, Row{"sparkr", "sparkr"},
                                     Row{"r", "sparkr"},       Row{"sql", "sql"}};
    const auto row = std::ranges::find(rows, name, &Row::name);
    if (row == rows.end()) {
        return Error(Errc::invalid_argument, "Invalid kind: " + std::string(name), "kind");
    }
    return std::string(row->kind);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    using create_requests::Unit;
    const auto invalid = [&text](std::string_view what) {
        return Error(Errc::invalid_argument, std::string(what) + std::string(text));
    };
    const char* end = text.data() + text.size();
    std::int64_t number = 0;
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    std::string suffix(stop, end);
    std::ranges::transform(suffix, suffix.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
    const bool letters = std::ranges::all_of(suffix, [](char c) { return c >= 'a' && c <= 'z'; });
    if (failure == std::errc::invalid_argument || !letters) {
        return invalid("Invalid time string: ");
    }
    const auto& units = create_requests::units;
    const auto unit = std::ranges::find(units, suffix.empty() ? "ms" : suffix, &Unit::name);
    if (unit == units.end()) {
        return Error(Errc::invalid_argument, "Invalid suffix: \"" + suffix + "\"");
    }
    // Below zero, and beyond what can be counted: 292 thousand years in microseconds.
    if (failure != std::errc() || number < 0 ||
        number > (std::numeric_limits<std::int64_t>::max() - 999) / unit->microseconds) {
        return invalid("Invalid value: ");
    }
    return std::chrono::milliseconds((number * unit->microseconds + 999) / 1000);
}

}  // namespace sparkhost::detail::rest
