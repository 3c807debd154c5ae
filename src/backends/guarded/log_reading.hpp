// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_LOG_READING_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_LOG_READING_HPP

#include "backends/guarded/guarded_state.hpp"
#include "backends/guarded/log_machine.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace sparkhost::detail::guarded {

/// Where drivers' output lies until it is fetched.
class LogSource {
public:
    virtual ~LogSource() = default;
    struct Place {
        std::string driver{};
        std::string worker{};  ///< TicketFacts::worker, which is not empty
    };
    /// From byte `at` of the driver's "stdout" or "stderr" on, about `size` bytes. A piece that
    /// begins elsewhere: the file is shorter than it was. Errors: backend_failed – it cannot be
    /// asked, or has none.
    virtual Awaitable<LogPiece> read(Place place, std::string file, std::int64_t at,
                                     std::int64_t size) = 0;
};

struct LogReading {
    std::shared_ptr<GuardedState> state{};
    std::shared_ptr<LogSource> source{};
    std::chrono::milliseconds patience{};        ///< for the end of a log, after the driver's
    std::chrono::milliseconds shortest_pause{};  ///< between two looks of who follows a log
    /// Output comes so long after the driver's end has been told.
    std::chrono::milliseconds last_words{300};
};

/// Backend::read_log.
Awaitable<LogPage> read_log(LogReading reading, LogRequest request);
/// All of the log is on the host's disk, or what can be had of it. Errors: backend_failed – its
/// source does not answer, try again.
Awaitable<void> keep_log(LogReading reading, std::string ticket);
Awaitable<void> remove_log(std::shared_ptr<GuardedState> state, std::string ticket);

}  // namespace sparkhost::detail::guarded

#endif
