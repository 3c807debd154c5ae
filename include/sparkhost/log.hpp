// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_LOG_HPP
#define SPARKHOST_LOG_HPP

#include <functional>
#include <string>
#include <string_view>

namespace sparkhost {

enum class LogLevel { debug, info, warning, error };

/// One thing the library wants its operator to know. The library itself prints nothing.
struct LogEvent {
    LogLevel level{LogLevel::info};
    std::string_view part{};  ///< "host", "sqlite", "local", "rest"
    std::string message{};
};

/// Receives log events. May be called from any thread, also at the same time; must not block
/// and must not throw. Empty: no logging.
using LogSink = std::function<void(const LogEvent&)>;

inline constexpr std::string_view to_string(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warning:
            return "warning";
        case LogLevel::error:
            return "error";
    }
    return "unknown";
}

}  // namespace sparkhost

#endif
