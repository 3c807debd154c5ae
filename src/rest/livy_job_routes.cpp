// SPDX-License-Identifier: Apache-2.0

// Livy's binary jobs: serialized functions that its Java, Scala and Python clients send.

#include "rest/conditional.hpp"
#include "rest/livy_answers.hpp"
#include "rest/livy_json.hpp"
#include "rest/livy_request.hpp"
#include "rest/lookup.hpp"
#include "rest/route.hpp"
#include "rest/router_state.hpp"

#include <array>
#include <utility>

namespace sparkhost::detail::rest {

namespace livy_job_api {

constexpr const char* result_type = "application/octet-stream";

Error unknown_job() {
    return Error(Errc::not_found, "Job not found", "job");
}

Response failed(const Error& error, const Call& call) {
    const bool unknown =
        error.is(Errc::not_found) && (error.field == "job" || error.field == "statement");
    return unknown ? string_response(http::status::not_found, "Job not found")
                   : livy_failed(error, call);
}

const char* state_of(const StatementRecord& job) {
    switch (job.state()) {
        case StatementState::waiting:
            return "QUEUED";
        case StatementState::running:
        case StatementState::cancelling:
            return "STARTED";
        case StatementState::cancelled:
            return "CANCELLED";
        case StatementState::available:
            break;
    }
    return job.result->outcome == StatementOutcome::ok ? "SUCCEEDED" : "FAILED";
}

/// What the code raised, as its language shows it.
std::string error_of(const StatementResult& result) {
    std::string text = result.error_value;
    for (const std::string& line : result.traceback) {
        text += line;
    }
    return text.empty() ? result.error_name : text;
}

/// Livy's object of a job: a result only where it succeeded, an error only where it failed.
std::string job_json(const StatementRecord& job, const char* state) {
    std::string result;
    std::string error;
    if (job.result && job.result->outcome == StatementOutcome::ok) {
        const auto found = job.result->data.find(result_type);
        result = found == job.result->data.end() ? std::string() : found->second;
    } else if (job.result && job.result->outcome != StatementOutcome::cancelled) {
        error = error_of(*job.result);
    }
    boost::json::object object;
    object.emplace("id", job.spec.id.value);
    object.emplace("state", state);
    livy_json::put_text(object, "result", result);
    livy_json::put_text(object, "error", error);
    return boost::json::serialize(object);
}

asio::awaitable<std::string> show_job(const sparkhost::rest::RouterState*, StatementRecord job) {
    co_return job_json(job, state_of(job));
}

/// Rules that the host does not know by Livy's words.
Result<StatementSpec> job_spec(SubmitJob submit, const SessionRecord& session) {
    if (submit.job.empty()) {
        return Error(Errc::invalid_argument, "requirement failed: no job provided.");
    }
    StatementSpec spec;
    spec.job = true;
    spec.code = std::move(submit.job);
    auto kind = parse_kind(submit.job_type.empty() ? "shared" : submit.job_type);
    if (!kind) {
        return Error(Errc::invalid_argument, kind.error().detail);
    }
    spec.kind = kind->empty() ? session.spec.kind : std::move(*kind);
    if (spec.kind.empty()) {
        return Error(Errc::invalid_argument, "requirement failed: no job type provided.");
    }
    return spec;
}

asio::awaitable<Answer> submit_job(Call call) {
    if (auto refused = livy_refused_encoding(call.request)) {
        co_return std::move(*refused);
    }
    auto submit = read_submit_job(call.request.body());
    if (!submit) {
        co_return string_response(http::status::bad_request, submit.error().detail);
    }
    call.request.body().clear();
    Host* host = call.state->host;
    auto session = co_await find_session(host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    auto spec = job_spec(std::move(*submit), *session);
    if (!spec) {
        co_return error_response(Dialect::livy, spec.error());
    }
    take_from_call(*spec, call);
    auto accepted = co_await host->sessions().execute(session->id, std::move(*spec));
    if (!accepted && accepted.error().is(Errc::invalid_state)) {
        auto now = co_await find_session(host, call.id);
        co_return now ? livy_cannot_run(*now) : livy_failed(now.error(), call);
    }
    if (!accepted) {
        co_return failed(accepted.error(), call);
    }
    accepted->result.reset();  // a repeated request is told what the first one was
    co_return make_response(http::status::created, json_type, job_json(*accepted, "SENT"));
}

asio::awaitable<Answer> get_job(Call call) {
    const auto number = parse_java_int(call.sub_id);
    if (!number) {
        co_return error_response(Dialect::livy, number.error());
    }
    Host* host = call.state->host;
    auto session = co_await find_session(host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    auto touched = co_await host->sessions().touch(session->id);  // whoever waits is active
    (void)touched;
    const StatementId id{*number};
    std::string if_none_match(call.request[http::field::if_none_match]);
    auto observed = co_await observe_statement(call.state, session->id, id,
                                               std::move(if_none_match), call.target);
    if (observed && !observed->record.spec.job) {  // they share their numbers with statements
        observed = unknown_job();
    }
    if (!observed) {
        co_return failed(observed.error(), call);
    }
    co_return co_await answer_observed(call.state.get(), std::move(*observed), &show_job);
}

asio::awaitable<Answer> cancel_job(Call call) {
    const auto number = parse_java_int(call.sub_id);
    if (!number) {
        co_return error_response(Dialect::livy, number.error());
    }
    Host* host = call.state->host;
    auto session = co_await find_session(host, call.id);
    if (!session) {
        co_return livy_failed(session.error(), call);
    }
    InterruptRequest request;
    request.statement = StatementId{*number};
    auto job = co_await host->sessions().find_statement(session->id, request.statement);
    if (job && !job->spec.job) {
        job = unknown_job();
    }
    if (job) {
        job = co_await host->sessions().interrupt(session->id, request);
    }
    if (!job) {
        co_return failed(job.error(), call);
    }
    co_return make_response(http::status::ok, json_type, {});
}

// Livy lists the methods of a path in this order in its Allow headers.
constexpr std::array table{
    Route{http::verb::post, "sessions/{}/submit-job", &submit_job, Dialect::livy},
    Route{http::verb::post, "sessions/{}/run-job", &submit_job, Dialect::livy},
    Route{http::verb::get, "sessions/{}/jobs/{}", &get_job, Dialect::livy},
    Route{http::verb::post, "sessions/{}/jobs/{}/cancel", &cancel_job, Dialect::livy},
};

}  // namespace livy_job_api

std::span<const Route> livy_job_routes() {
    return livy_job_api::table;
}

}  // namespace sparkhost::detail::rest
