// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_TESTING_FAKE_WORLD_HPP
#define SPARKHOST_SRC_TESTING_FAKE_WORLD_HPP

// What a FakeCluster is. FakeCluster steers it from any thread, FakeBackends act on it.

#include <sparkhost/backend.hpp>
#include <sparkhost/testing/fake_backend.hpp>

#include "system_clock.hpp"
#include "waiter.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sparkhost::detail::fake {

using WaiterPtr = std::shared_ptr<Waiter>;

struct Application {
    std::string realm;  ///< store and backend it belongs to
    std::uint64_t order{0};
    ApplicationStatus status;
    bool taken{false};  ///< a submit has had its effect
    bool forgotten{false};
    std::size_t starts{0};
    std::map<std::string, std::string> driver_files;  ///< contents by name, as of the submit
    std::vector<std::string> log;
    std::vector<WaiterPtr> readers;  ///< followers of the log
};

/// What is remembered of an application after its release.
struct Released {
    std::size_t starts{0};
    bool has_log{false};
    std::vector<std::string> log;
};

struct Message {
    enum class Kind { snapshot_begin, status, snapshot_complete, trouble };
    Kind kind{Kind::status};
    ApplicationStatus status{};
    std::string text{};  ///< trouble
};

/// One running watch(). It empties its mailbox on its own executor.
struct Watch {
    std::string realm;
    std::vector<Message> mailbox;
    WaiterPtr waiter;  ///< set while it sleeps
};

struct Operation {
    std::size_t calls{0};
    bool held{false};
    std::vector<WaiterPtr> waiting;
    std::size_t failures{0};
    Error error;
    std::vector<std::pair<std::size_t, WaiterPtr>> watchers;  ///< until so many calls
};

/// How the next applications that run through end.
struct OtherEnds {
    std::size_t left{0};
    Outcome outcome{Outcome::failed};
    int exit_code{1};
};

struct World {
    mutable std::mutex mutex;
    OtherEnds other_ends{};
    testing::FakeCluster::Pace pace{testing::FakeCluster::Pace::by_hand};
    std::shared_ptr<Clock> clock{
        std::make_shared<detail::SystemClock>()};  ///< the last opened backend's
    std::map<std::string, Operation> operations;
    std::unordered_map<std::string, Application> applications;
    std::unordered_map<std::string, Released> released;
    std::vector<std::string> submitted;
    std::vector<std::shared_ptr<Watch>> watches;
    std::size_t changes{0};
    std::vector<WaiterPtr> change_watchers;
    std::uint64_t next_order{0};
    std::uint64_t next_application_id{1};

    // Gates. These lock.
    WaiterPtr enter(const std::string& operation);  ///< null: the gate is open
    Result<void> verdict(const std::string& operation);

    // What backends do. These lock.
    Result<void> submit(const std::string& realm, const std::string& ticket,
                        std::map<std::string, std::string> driver_files);
    void kill(const std::string& realm, const std::string& ticket);
    void release(const std::string& ticket, bool keep_log);
    /// A page, or a waiter that is woken when reading again makes sense.
    std::pair<Result<LogPage>, WaiterPtr> read_log(const LogRequest& request);
    std::shared_ptr<Watch> begin_watch(std::string realm);
    void end_watch(const std::shared_ptr<Watch>& watch);

    // The rest is called with the mutex held.
    Application& known(const std::string& ticket);
    Application& add(const std::string& realm, const std::string& ticket);
    void advance(Application& application, ApplicationState state);
    void conclude(Application& application, Outcome outcome, std::optional<int> exit_code,
                  std::string reason);
    void report(const Application& application);
    void count_change();
    void fill_snapshot(Watch& watch) const;
    static void wake_readers(Application& application);
    static void wake(Watch& watch);
};

using WorldPtr = std::shared_ptr<World>;

}  // namespace sparkhost::detail::fake

#endif
