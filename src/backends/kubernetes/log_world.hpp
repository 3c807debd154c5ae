// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_WORLD_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_WORLD_HPP

#include "backends/kubernetes/log_file.hpp"
#include "backends/kubernetes/log_keeper.hpp"
#include "backends/kubernetes/log_machine.hpp"
#include "waiter.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// One driver's log, while somebody wants something of it.
struct DriverLog {
    DriverLog(const asio::any_io_executor& strand, LogPlace where, std::string work_dir)
        : place(std::move(where)),
          file(std::make_shared<LogFile>(std::move(work_dir), place.identity.ticket)),
          pause(strand),
          drain(strand) {}

    LogPlace place;
    std::shared_ptr<LogFile> file;
    LogStitcher stitcher{};
    std::unique_ptr<http::Stream> stream{};  ///< taken away: the worker's reading ends
    asio::steady_timer pause;                ///< between two passes; cancelled when there is news
    asio::steady_timer drain;
    std::vector<std::shared_ptr<Waiter>> waiting{};
    bool resumed{false};   ///< the stitcher knows what is in the file
    bool running{false};   ///< a worker is at it
    bool live{false};      ///< a following stream is open
    bool eager{false};     ///< followed though nobody reads
    bool ended{false};     ///< the driver has ended
    bool complete{false};  ///< nothing will come any more
    bool nothing{false};   ///< there is no pod of this name, or it is another's
    bool removed{false};
    int followers{0};         ///< readers that wait for more
    std::uint64_t passes{0};  ///< that have been made
    std::uint64_t wanted{0};  ///< passes that somebody waits for
    int failures{0};          ///< in a row
    int failed_keeps{0};
    std::string failure{};  ///< of the last pass; empty: it went well

    bool is_wanted() const { return eager || followers > 0 || wanted > passes; }
};
using DriverLogPtr = std::shared_ptr<DriverLog>;

/// What all logs of a backend share; kept by the workers.
struct LogWorld : std::enable_shared_from_this<LogWorld> {
    using Time = std::chrono::steady_clock::time_point;

    asio::any_io_executor strand{};
    LogKeeperOptions options{};
    std::shared_ptr<http::Client> client{};  ///< null: it is over
    std::unordered_map<std::string, DriverLogPtr> logs{};
    std::deque<LogPlace> queue{};  ///< running, but not followed: no room
    std::size_t followed{0};
    std::size_t fetching{0};                          ///< streams that are not followed
    std::deque<std::shared_ptr<Waiter>> for_fetch{};  ///< who waits to be one of them

    DriverLogPtr log(const LogPlace& place);
    void start(const DriverLogPtr& log);
    void follow_next();
    void unfollow(DriverLog& log);
    /// Something is new for those who wait.
    static void changed(DriverLog& log);
    /// Suspends until something is new or the time is over. False: the caller was cancelled.
    static asio::awaitable<bool> wait(DriverLogPtr log, Time until);
    /// Waits until there is room for one more fetch, and takes it.
    static asio::awaitable<void> begin_fetch(std::shared_ptr<LogWorld> world);
    void end_fetch();
    void tell(LogLevel level, const DriverLog& log, const std::string& words) const;
};

/// Does what is wanted of the log until nothing is. (log_worker.cpp)
asio::awaitable<void> tend_log(std::shared_ptr<LogWorld> world, DriverLogPtr log);

/// Keeps what there is as the whole log. (log_worker.cpp)
Awaitable<void> finish_log(std::shared_ptr<LogWorld> world, DriverLogPtr log, std::string rest);

}  // namespace sparkhost::detail::kubernetes

#endif
