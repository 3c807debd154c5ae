// SPDX-License-Identifier: Apache-2.0
#include "logging.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace server {

namespace {

spdlog::level::level_enum to_spdlog(sparkhost::LogLevel level) {
    switch (level) {
        case sparkhost::LogLevel::debug:
            return spdlog::level::debug;
        case sparkhost::LogLevel::info:
            return spdlog::level::info;
        case sparkhost::LogLevel::warning:
            return spdlog::level::warn;
        case sparkhost::LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

}  // namespace

Logging::Logging(const std::string& level) {
    constexpr std::size_t waiting_lines = 1024;
    spdlog::init_thread_pool(waiting_lines, 1);
    auto logger = spdlog::create_async_nb<spdlog::sinks::stderr_sink_mt>("sparkhost");
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::debug);
    spdlog::set_default_logger(std::move(logger));
}

Logging::~Logging() {
    spdlog::shutdown();
}

sparkhost::LogSink Logging::sink() const {
    return [logger = spdlog::default_logger()](const sparkhost::LogEvent& event) {
        logger->log(to_spdlog(event.level), "{}: {}", event.part, event.message);
    };
}

}  // namespace server
