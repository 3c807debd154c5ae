// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_WORLD_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_WORLD_HPP

#include "backends/common/places.hpp"
#include "backends/kubernetes/log_file.hpp"
#include "backends/kubernetes/log_keeper.hpp"
#include "backends/kubernetes/log_machine.hpp"
#include "waiter.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <list>
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

/// Logs that wait for room, first come, first served; each once.
class LogQueue {
public:
    bool empty() const { return places_.empty(); }
    void push(const LogPlace& place) {
        const auto [entry, is_new] = by_ticket_.try_emplace(place.identity.ticket);
        if (is_new) {
            entry->second = places_.insert(places_.end(), place);
        }
    }
    LogPlace pop() {
        LogPlace first = places_.front();
        erase(first.identity.ticket);
        return first;
    }
    void erase(const std::string& ticket) {
        if (const auto found = by_ticket_.find(ticket); found != by_ticket_.end()) {
            places_.erase(found->second);
            by_ticket_.erase(found);
        }
    }
    void clear() {
        places_.clear();
        by_ticket_.clear();
    }

private:
    std::list<LogPlace> places_{};
    std::unordered_map<std::string, std::list<LogPlace>::iterator> by_ticket_{};
};

/// What all logs of a backend share; kept by the workers.
struct LogWorld : std::enable_shared_from_this<LogWorld> {
    using Time = std::chrono::steady_clock::time_point;

    asio::any_io_executor strand{};
    LogKeeperOptions options{};
    std::shared_ptr<http::Client> client{};  ///< null: it is over
    std::unordered_map<std::string, DriverLogPtr> logs{};
    LogQueue queue{};  ///< running, but not followed: no room
    std::size_t followed{0};
    /// For streams that are not followed: many drivers may end at once, and each takes a
    /// connection.
    std::shared_ptr<Places> fetches{std::make_shared<Places>(32)};

    DriverLogPtr log(const LogPlace& place);
    void start(const DriverLogPtr& log);
    void follow_next();
    void unfollow(DriverLog& log);
    /// Something is new for those who wait.
    static void changed(DriverLog& log);
    /// Suspends until something is new or the time is over. False: the caller was cancelled.
    static asio::awaitable<bool> wait(DriverLogPtr log, Time until);
    void tell(LogLevel level, const DriverLog& log, const std::string& words) const;
};

/// Does what is wanted of the log until nothing is. (log_worker.cpp)
asio::awaitable<void> tend_log(std::shared_ptr<LogWorld> world, DriverLogPtr log);

/// Keeps what there is as the whole log. (log_worker.cpp)
Awaitable<void> finish_log(std::shared_ptr<LogWorld> world, DriverLogPtr log, std::string rest);

}  // namespace sparkhost::detail::kubernetes

#endif
