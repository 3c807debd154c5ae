// SPDX-License-Identifier: Apache-2.0
//
// sparkhost-server: the library as a stand-alone program. It adds what an application brings
// itself: options, an event loop, a listening socket, signals, a place for the log.
#include "config.hpp"
#include "logging.hpp"
#include "process.hpp"

#include <sparkhost/backends/local.hpp>
#include <sparkhost/host.hpp>
#include <sparkhost/rest/serve.hpp>
#include <sparkhost/runtimes/spark.hpp>
#include <sparkhost/storages/sqlite.hpp>
#include <sparkhost/version.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace asio = boost::asio;
namespace rest = sparkhost::rest;

namespace {

asio::ip::tcp::acceptor listen_on(asio::io_context& io, const asio::ip::tcp::endpoint& endpoint) {
    try {
        asio::ip::tcp::acceptor acceptor(io, endpoint);  // with SO_REUSEADDR
        return acceptor;
    } catch (const boost::system::system_error& failure) {
        throw std::runtime_error("cannot listen on " + server::to_string(endpoint) + ": " +
                                 failure.code().message());
    }
}

std::chrono::seconds whole_seconds(std::chrono::milliseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time);
}

sparkhost::Host make_host(asio::io_context& io, const server::Config& config,
                          sparkhost::LogSink log) {
    const std::filesystem::path data(config.data_dir);
    sparkhost::LocalBackendOptions local{.work_dir = data / "local",
                                         .spark_home = config.spark_home,
                                         .java_home = config.java_home,
                                         .python = config.python,
                                         .master = config.master,
                                         .kill_grace = config.kill_grace};
    if (!config.class_data_archive) {
        local.class_data_archive = sparkhost::ClassDataArchive::off;
    }
    const std::filesystem::path cache(config.cache_dir);
    if (!cache.empty()) {
        local.archive_dir = cache / "archives";
    }
    sparkhost::HostPlugins plugins;
    plugins.storage = sparkhost::make_sqlite_storage({.path = data / "sparkhost.db"});
    plugins.backends.push_back(sparkhost::make_local_backend(io.get_executor(), local));
    const auto sessions = data / "sessions";
    plugins.runtimes.push_back(sparkhost::make_spark_runtime(
        {.work_dir = sessions / "agents",
         .cache_dir = cache.empty() ? cache : cache / "agents",
         .max_rows = static_cast<std::size_t>(config.sql_rows),
         .job_jars = config.job_jars,
         .host_vanished_after = whole_seconds(config.host_vanished_after)}));
    sparkhost::HostOptions options{
        .max_running = static_cast<std::size_t>(config.max_running),
        .max_queued = static_cast<std::size_t>(config.max_queued),
        .batch_retention = whole_seconds(config.batch_retention),
        .default_conf = config.default_properties(),
        .refused_conf = config.refused_conf,
        .local_file_roots = config.local_file_roots,
        .file_list_conf = config.file_list_conf,
        .agent_folder = sessions,
        .agent_address = config.agent_address,
        .max_sessions = static_cast<std::size_t>(config.max_sessions),
        .max_statements = static_cast<std::size_t>(config.max_statements),
        .session_idle_timeout = whole_seconds(config.session_idle_timeout),
        .session_close_grace = config.session_close_grace,
        .session_retention = whole_seconds(config.session_retention),
        .log = std::move(log)};
    return sparkhost::Host(io.get_executor(), std::move(options), std::move(plugins));
}

rest::RouterOptions router_options(const server::Config& config) {
    return {.allowed_hosts = config.allowed_hosts,
            .max_body = static_cast<std::size_t>(config.max_body),
            .max_upload = static_cast<std::size_t>(config.max_upload),
            .max_page = static_cast<std::size_t>(config.max_page),
            .max_log_bytes = static_cast<std::size_t>(config.max_log_bytes),
            .livy_level = config.livy_level().value(),
            .require_requested_by = config.csrf_protection};
}

rest::ServeOptions serve_options(const server::Config& config, sparkhost::LogSink log) {
    return {.max_header = static_cast<std::size_t>(config.max_header),
            .max_body = static_cast<std::size_t>(config.max_body),
            .max_upload = static_cast<std::size_t>(config.max_upload),
            .upload_memory = std::max(rest::ServeOptions().upload_memory,
                                      4 * static_cast<std::size_t>(config.max_upload)),
            .log = std::move(log)};
}

/// Answers clients from the moment the host is ready.
asio::awaitable<void> serve(sparkhost::Host& host, asio::ip::tcp::acceptor acceptor,
                            rest::Router router, rest::ServeOptions options) {
    const auto ready = co_await host.ready();
    if (!ready) {
        co_return;  // run() tells why
    }
    std::cout << "sparkhost-server listening on http://"
              << server::to_string(acceptor.local_endpoint()) << std::endl;
    co_await rest::serve(std::move(acceptor), std::move(router), std::move(options));
}

int run(const server::Config& config) {
    server::leave_init_behind();
    server::raise_descriptor_limit();
    server::make_data_dir(config.data_dir);
    if (!config.cache_dir.empty()) {
        server::make_data_dir(config.cache_dir);
    }
    server::Logging logging(config.log_level);
    asio::io_context io(1);
    auto acceptor = listen_on(io, config.listen);
    auto host = make_host(io, config, logging.sink());

    asio::cancellation_signal stop_serving;
    asio::signal_set signals(io, SIGINT, SIGTERM);
    int working = 2;  // the host and the listener
    std::string failure;
    const auto stop = [&] {
        host.stop();
        stop_serving.emit(asio::cancellation_type::terminal);
    };
    const auto ended = [&](const std::string& problem) {
        failure = failure.empty() ? problem : failure;
        --working == 0 ? signals.cancel() : stop();
    };
    signals.async_wait([&](boost::system::error_code canceled, int) {
        if (!canceled) {
            stop();
            signals.async_wait([](boost::system::error_code done, int number) {
                done ? void() : std::_Exit(128 + number);  // asked twice: at once
            });
        }
    });
    asio::co_spawn(io, host.run(), [&](std::exception_ptr broken, sparkhost::Result<void> result) {
        ended(broken ? "the host failed" : result ? "" : result.error().text());
    });
    rest::Router router(host, router_options(config));
    asio::co_spawn(
        io, serve(host, std::move(acceptor), router, serve_options(config, logging.sink())),
        asio::bind_cancellation_slot(stop_serving.slot(), [&](std::exception_ptr broken) {
            ended(broken ? "the listener failed" : "");
        }));
    io.run();
    return failure.empty() ? EXIT_SUCCESS : throw std::runtime_error(failure);
}

}  // namespace

int main(int argc, char** argv) try {
    const auto command = server::read_command({argv + 1, argv + argc});
    std::cerr << command.config.livy_report;
    switch (command.action) {
        case server::Action::help:
            std::cout << server::help_text();
            return 0;
        case server::Action::version:
            std::cout << "sparkhost-server " SPARKHOST_VERSION "\n";
            return 0;
        case server::Action::print_config:
            std::cout << describe(command.config);
            return 0;
        case server::Action::serve:
            break;
    }
    return run(command.config);
} catch (const server::ConfigError& mistake) {
    std::cerr << "sparkhost-server: " << mistake.what() << "\nTry sparkhost-server --help\n";
    return 2;
} catch (const std::exception& failure) {
    std::cerr << "sparkhost-server: " << failure.what() << '\n';
    return EXIT_FAILURE;
}
