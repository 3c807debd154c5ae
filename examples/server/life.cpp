// SPDX-License-Identifier: Apache-2.0
#include "life.hpp"

#include "backends.hpp"
#include "process.hpp"

#include <sparkhost/rest/serve.hpp>
#include <sparkhost/runtimes/spark.hpp>
#include <sparkhost/storages/sqlite.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#ifdef SPARKHOST_CRASH_POINTS
#include "campaign/plugin_crash_points.hpp"
#endif

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace server {

namespace asio = boost::asio;
namespace rest = sparkhost::rest;
using namespace std::chrono_literals;

namespace {

/// How long the host may take to end what it has begun, when its last client has gone.
constexpr std::chrono::milliseconds stop_grace = 10s;
/// And this process, to close files and to write its log.
constexpr std::chrono::milliseconds close_time = 5s;

std::chrono::milliseconds longest_end(const Config& config) {
    return config.drain_timeout + stop_grace + close_time;
}

std::chrono::seconds whole_seconds(std::chrono::milliseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time);
}

sparkhost::Host make_host(asio::io_context& io, const Config& config, sparkhost::LogSink log) {
    const std::filesystem::path data(config.data_dir);
    const std::filesystem::path cache(config.cache_dir);
    sparkhost::HostPlugins plugins;
    plugins.storage = sparkhost::make_sqlite_storage({.path = data / "sparkhost.db"});
    plugins.backends = make_backends(io.get_executor(), config);
    const auto sessions = data / "sessions";
    plugins.runtimes.push_back(sparkhost::make_spark_runtime(
        {.work_dir = sessions / "agents",
         .cache_dir = cache.empty() ? cache : cache / "agents",
         .max_rows = static_cast<std::size_t>(config.sql_rows),
         .job_jars = config.job_jars,
         .host_vanished_after = whole_seconds(config.host_vanished_after)}));
#ifdef SPARKHOST_CRASH_POINTS
    sparkhost::campaign::add_crash_points(plugins);
#endif
    sparkhost::HostOptions options{
        .max_running = static_cast<std::size_t>(config.max_running),
        .max_queued = static_cast<std::size_t>(config.max_queued),
        .stop_grace = stop_grace,
        .retry = config.retry(),
        .batch_retention = whole_seconds(config.batch_retention),
        .default_conf = config.default_properties(),
        .refused_conf = config.refused_conf,
        .local_file_roots = config.local_file_roots,
        .file_list_conf = config.file_list_conf,
        .agent_folder = sessions,
        .agent_address = config.agent_address,
        .agent_advertised = config.agent_advertised,
        .max_sessions = static_cast<std::size_t>(config.max_sessions),
        .max_statements = static_cast<std::size_t>(config.max_statements),
        .session_idle_timeout = whole_seconds(config.session_idle_timeout),
        .session_close_grace = config.session_close_grace,
        .session_retention = whole_seconds(config.session_retention),
        .log = std::move(log)};
    return sparkhost::Host(io.get_executor(), std::move(options), std::move(plugins));
}

rest::RouterOptions router_options(const Config& config) {
    return {.allowed_hosts = config.allowed_hosts,
            .max_body = static_cast<std::size_t>(config.max_body),
            .max_upload = static_cast<std::size_t>(config.max_upload),
            .max_page = static_cast<std::size_t>(config.max_page),
            .max_log_bytes = static_cast<std::size_t>(config.max_log_bytes),
            .livy_level = config.livy_level().value(),
            .require_requested_by = config.csrf_protection};
}

/// Clients must not take the descriptors that the store, batches and sessions need.
std::size_t max_connections(const Config& config) {
    constexpr std::size_t store = 64;
    constexpr std::size_t each = 4;  // its supervisor, its agent, and what starts and ends them
    const auto limit = descriptor_limit();
    const auto running = static_cast<std::size_t>(config.max_running + config.max_sessions);
    const auto reserved = std::min(store + each * running, limit / 2);
    return std::min(rest::ServeOptions().max_connections, limit - reserved);
}

rest::ServeOptions serve_options(const Config& config, std::function<bool()> leave_backlog,
                                 sparkhost::LogSink log) {
    return {.max_header = static_cast<std::size_t>(config.max_header),
            .max_body = static_cast<std::size_t>(config.max_body),
            .max_upload = static_cast<std::size_t>(config.max_upload),
            .upload_memory = std::max(rest::ServeOptions().upload_memory,
                                      4 * static_cast<std::size_t>(config.max_upload)),
            .max_connections = max_connections(config),
            .close_grace = config.drain_timeout,
            .leave_backlog = std::move(leave_backlog),
            .log = std::move(log)};
}

}  // namespace

Life::Life(const Config& config, const Listening& listening, sparkhost::LogSink log)
    : config_(config),
      listening_(listening),
      log_(std::move(log)),
      host_(make_host(io_, config, log_)),
      signals_(io_, SIGINT, SIGTERM),
      hand_over_(io_, {.data_dir = config.data_dir,
                       .listening = listening.socket.get(),
                       .longest_end = longest_end(config),
                       .asked = [this] { stop(); },
                       .log = log_}) {}

std::optional<Successor> Life::run(std::function<void()> ready) {
    ready_ = std::move(ready);
    watch_signals();
    asio::co_spawn(io_, host_.run(),
                   [this](std::exception_ptr broken, sparkhost::Result<void> result) {
                       ended(broken ? "the host failed" : result ? "" : result.error().text());
                   });
    auto served = [this](std::exception_ptr broken) {
        ended(broken ? "the listener failed" : "");
        host_.stop();  // its clients have gone
    };
    asio::co_spawn(io_, serve(),
                   asio::bind_cancellation_slot(stop_serving_.slot(), std::move(served)));
    io_.run();
    if (!failure_.empty()) {
        throw std::runtime_error(failure_);
    }
    return hand_over_.take_successor();
}

/// Answers clients from the moment the host is ready.
asio::awaitable<void> Life::serve() {
    const auto opened = co_await host_.ready();
    if (!opened || stopping_) {
        co_return;  // run() tells why
    }
    serving_ = true;
    hand_over_.begin();
    ready_();
    auto leave_backlog = [this] { return listening_.kept_elsewhere || hand_over_.has_successor(); };
    auto options = serve_options(config_, std::move(leave_backlog), log_);
    rest::Router router(host_, router_options(config_));
    auto acceptor = listening_.acceptor(io_);
    co_await rest::serve(std::move(acceptor), std::move(router), std::move(options));
}

/// Clients first: their requests need the host until they are answered.
void Life::stop() {
    if (stopping_) {
        return;
    }
    stopping_ = true;
    end_within(longest_end(config_));
    hand_over_.end();
    if (!hand_over_.has_successor()) {
        notify_service_manager("STOPPING=1");
    }
    if (serving_) {
        stop_serving_.emit(asio::cancellation_type::terminal);
    } else {
        host_.stop();
    }
}

/// Of the host or the listener.
void Life::ended(const std::string& problem) {
    failure_ = failure_.empty() ? problem : failure_;
    stop();
    if (--working_ == 0) {
        signals_.cancel();
    }
}

void Life::watch_signals() {
    signals_.async_wait([this](boost::system::error_code canceled, int) {
        if (!canceled) {
            stop();
            signals_.async_wait([](boost::system::error_code done, int number) {
                done ? void() : std::_Exit(128 + number);  // asked twice: at once
            });
        }
    });
}

}  // namespace server
