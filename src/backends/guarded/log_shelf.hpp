// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_LOG_SHELF_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_LOG_SHELF_HPP

#include "backends/common/line_index.hpp"

#include <sparkhost/backend.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

namespace sparkhost::detail::guarded {

/// How far a log has been fetched.
struct LogPlace {
    std::int64_t size{0};      ///< bytes of the log that count
    std::int64_t out_at{0};    ///< next byte of the driver's stdout
    std::int64_t error_at{0};  ///< … and stderr
    bool complete{false};      ///< nothing comes any more
    bool operator==(const LogPlace&) const = default;
};

/// One driver's log on the host's disk: lines of its stdout and stderr in the order in which they
/// were fetched, so that a line keeps its number. What was written without its place being written,
/// too, is cut off. Any thread; everything blocks.
class ShelvedLog {
public:
    explicit ShelvedLog(std::string folder) : folder_(std::move(folder)) {}

    Result<LogPlace> place();
    /// Adds `text`, and goes from one place to the next. Where somebody else has been quicker
    /// nothing is done.
    Result<void> append(const LogPlace& from, LogPlace to, const std::string& text);
    /// The page there is now. Errors: not_found – nothing has been fetched.
    Result<LogPage> page(const LogRequest& request);

private:
    Result<LogPlace> read_place() const;

    std::mutex mutex_{};
    std::string folder_;
    LineIndex index_{};
};

/// The logs read last. For one strand, but for what is said.
class LogShelf {
public:
    explicit LogShelf(const std::string& work_dir) : folder_(work_dir + "/logs") {}

    std::shared_ptr<ShelvedLog> log(const std::string& ticket);
    /// From any thread.
    bool exists(const std::string& ticket) const;
    void forget(const std::string& ticket);
    std::string folder_of(const std::string& ticket) const { return folder_ + "/" + ticket; }

private:
    static constexpr std::size_t kept_logs = 64;
    struct Entry {
        std::string ticket{};
        std::shared_ptr<ShelvedLog> log{};
    };
    std::string folder_;
    std::list<Entry> logs_{};  ///< used last first
};

}  // namespace sparkhost::detail::guarded

#endif
