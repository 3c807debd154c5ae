// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/log_world.hpp"

#include "backends/kubernetes/api_answer.hpp"
#include "backends/kubernetes/log_pass_machine.hpp"
#include "hop.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

using WorldPtr = std::shared_ptr<LogWorld>;

std::string pod_target(const DriverLog& log) {
    return "/api/v1/namespaces/" + log.place.name_space + "/pods/" +
           pod_name(log.place.identity.ticket);
}

std::string log_target(const DriverLog& log, bool follow, const std::string& since) {
    std::string target = pod_target(log) + "/log?container=spark-kubernetes-driver&timestamps=true";
    if (follow) {
        target += "&follow=true";
    }
    if (!since.empty()) {
        target += "&sinceTime=" + since;  // its ':' may stand in a query
    }
    return target;
}

bool is_owner(const Identity& wanted, const Identity& found) {
    return wanted.store == found.store && wanted.ticket == found.ticket &&
           (wanted.nonce.empty() || wanted.nonce == found.nonce);
}

Awaitable<void> append_records(WorldPtr world, DriverLogPtr log, std::string records) {
    const std::string remarks = log->stitcher.take_remarks();
    if (!remarks.empty()) {
        world->tell(LogLevel::warning, *log, "the cluster says: " + remarks);
    }
    if (records.empty()) {
        co_return ok();
    }
    auto work = [file = log->file, text = std::move(records)] { return file->append(text); };
    auto written = co_await run_blocking(world->options.blocking_executor, std::move(work));
    LogWorld::changed(*log);
    co_return written;
}

/// What has not been written is not known: the file is asked again what it has.
void forget_progress(DriverLog& log) {
    log.stitcher = LogStitcher();
    log.resumed = false;
}

Awaitable<void> resume_file(WorldPtr world, DriverLogPtr log) {
    if (log->resumed) {
        co_return ok();
    }
    auto fresh = std::make_shared<LogStitcher>();
    auto work = [file = log->file, fresh]() -> Result<bool> {
        if (file->is_complete()) {
            return true;
        }
        if (!file->exists()) {
            return false;
        }
        auto resumed = file->resume(*fresh);
        return resumed ? Result<bool>(false) : resumed.error();
    };
    auto resumed = co_await run_blocking(world->options.blocking_executor, std::move(work));
    if (!resumed) {
        co_return resumed.error();
    }
    log->complete = *resumed;
    log->stitcher = std::move(*fresh);
    log->resumed = true;
    co_return ok();
}

asio::awaitable<PodLook> look_at_pod(WorldPtr world, DriverLogPtr log) {
    PodLook look;
    http::Request request;
    request.target = pod_target(*log);
    request.deadline = world->options.request_deadline;
    request.repeatable = true;
    const auto client = world->client;
    if (!client) {
        look.words = "the backend was closed";
        co_return look;
    }
    auto response = co_await client->send(std::move(request));
    if (!response) {
        look.words = response.error().detail;
        co_return look;
    }
    look.status = response->status;
    if (response->status == 200) {
        const ApiObject pod = read_object(response->body);
        look.ours = is_owner(log->place.identity, pod.identity);
        look.phase = pod.phase;
    } else {
        look.words = read_answer(response->status, response->body).words;
    }
    co_return look;
}

/// Reads one stream to its end.
asio::awaitable<StreamEnd> read_log_stream(WorldPtr world, DriverLogPtr log, bool follow) {
    StreamEnd end;
    http::Request request;
    request.target = log_target(*log, follow, log->stitcher.begin());
    request.deadline = world->options.request_deadline;
    request.repeatable = true;
    const auto client = world->client;
    if (!client) {
        end.words = "the backend was closed";
        co_return end;
    }
    auto opened = co_await client->stream(std::move(request));
    if (!opened) {
        end.words = opened.error().detail;
        co_return end;
    }
    end.status = (*opened)->head().status;
    if (end.status != 200) {
        end.words = read_answer(end.status, (*opened)->head().body).words;
        co_return end;
    }
    log->stream = std::move(*opened);
    log->live = follow;
    LogWorld::changed(*log);
    while (log->stream && log->is_wanted() && !log->removed) {
        const auto idle = follow ? world->options.idle_limit : world->options.request_deadline;
        auto reading = log->stream->read_some(idle);
        auto piece = co_await std::move(reading);
        if (!piece || piece->empty()) {
            end.regular = piece.has_value();
            end.words = piece ? "" : piece.error().detail;
            end.quiet = !piece && (piece.error().is(Errc::timed_out) || !log->stream);
            break;
        }
        auto records = log->stitcher.put(*piece);
        auto written = co_await append_records(world, log, std::move(records));
        if (!written) {
            end.words = written.error().detail;
            forget_progress(*log);
            break;
        }
    }
    log->stream.reset();
    log->live = false;
    co_return end;
}

void note_pass(const WorldPtr& world, DriverLog& log, const std::string& failure) {
    if (!failure.empty() && log.failures == 0) {
        world->tell(LogLevel::warning, log, failure);
    }
    log.failure = failure;
    log.failures = failure.empty() ? 0 : log.failures + 1;
    ++log.passes;
    LogWorld::changed(log);
}

asio::awaitable<void> pause_log(WorldPtr world, DriverLogPtr log, std::chrono::milliseconds time) {
    boost::system::error_code woken;
    log->pause.expires_after(std::min(time, world->options.longest_pause));
    co_await log->pause.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

asio::awaitable<bool> has_file(WorldPtr world, DriverLogPtr log) {
    auto work = [file = log->file]() -> Result<bool> { return file->exists(); };
    const auto there = co_await run_blocking(world->options.blocking_executor, std::move(work));
    co_return there&&* there;
}

/// One look, and a stream where there is one to be had. Gives the pause after it.
asio::awaitable<std::chrono::milliseconds> make_pass(WorldPtr world, DriverLogPtr log) {
    const auto resumed = co_await resume_file(world, log);
    if (!resumed || log->complete) {
        note_pass(world, *log, resumed ? "" : resumed.error().detail);
        co_return log_pause(PassResult::failed, log->failures);
    }
    const bool ended_before = log->ended;
    const PodLook look = co_await look_at_pod(world, log);
    LogPass pass = begin_pass(look, ended_before);
    if (pass.action == LogPass::Action::stream) {
        const bool follow = !pass.final && (log->eager || log->followers > 0);
        Places::Hold place;
        if (!follow) {
            place = co_await Places::take(world->fetches);
        }
        const StreamEnd end = co_await read_log_stream(world, log, follow);
        place.reset();
        pass = end_pass(end, pass.final);
    }
    if (pass.action == LogPass::Action::nothing) {
        const bool kept = co_await has_file(world, log);
        log->nothing = !kept;
        pass.action = kept ? LogPass::Action::finish : LogPass::Action::nothing;
    }
    if (pass.action == LogPass::Action::finish) {
        std::string rest = log->stitcher.finish();
        const auto finished = co_await finish_log(world, log, std::move(rest));
        pass.failure = finished ? pass.failure : finished.error().detail;
        pass.result = finished ? PassResult::well : PassResult::failed;
    }
    note_pass(world, *log, pass.failure);
    co_return log_pause(pass.result, log->failures);
}

}  // namespace

Awaitable<void> finish_log(WorldPtr world, DriverLogPtr log, std::string rest) {
    auto work = [file = log->file, rest] { return file->complete(rest); };
    auto done = co_await run_blocking(world->options.blocking_executor, std::move(work));
    if (!done) {
        forget_progress(*log);
    }
    log->complete = done.has_value();
    co_return done;
}

asio::awaitable<void> tend_log(WorldPtr world, DriverLogPtr log) {
    while (world->client && !log->removed && !log->complete && log->is_wanted()) {
        const auto time = co_await make_pass(world, log);
        if (log->nothing) {
            break;
        }
        const bool more = world->client && !log->complete && !log->removed && log->is_wanted();
        if (more && time.count() > 0) {
            co_await pause_log(world, log, time);
        }
    }
}

}  // namespace sparkhost::detail::kubernetes
