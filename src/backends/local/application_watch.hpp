// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_APPLICATION_WATCH_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_APPLICATION_WATCH_HPP

#include "backends/local/application_tracker.hpp"
#include "backends/local/observation.hpp"
#include "backends/local/ticket_folder.hpp"

#include <sparkhost/backend.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace sparkhost::detail::local {

namespace asio = boost::asio;

/// One call of Backend::watch: follows every application and reports to the sink. All members
/// are for the strand the watch was called on.
class ApplicationWatch : public std::enable_shared_from_this<ApplicationWatch> {
public:
    ApplicationWatch(asio::any_io_executor strand, WorkPaths paths, BackendContext context,
                     std::shared_ptr<EventSink> sink);

    /// Reports and follows this application from now on; harmless when it is followed already.
    void adopt(const std::string& ticket);

    /// The snapshot, then live reports until cancelled. Completes when nothing of it runs any
    /// more. `watch` must be the object itself.
    static Awaitable<void> run(std::shared_ptr<ApplicationWatch> watch);

private:
    struct Follower {
        Follower(const asio::any_io_executor& strand, const std::string& ticket)
            : tracker(ticket), control(strand), pause(strand) {}
        ApplicationTracker tracker;
        asio::local::stream_protocol::socket control;
        asio::steady_timer pause;
        bool reported{false};
    };

    std::shared_ptr<Follower> start_follower(const std::string& ticket);
    void take_snapshot(const std::vector<Observation>& all);
    bool absorb(Follower& follower, const Observation& seen);
    void report(Follower& follower);
    void stop();
    void follower_has_left(const std::string& ticket);
    void warn(const std::string& message) const;

    static asio::awaitable<void> follow(std::shared_ptr<ApplicationWatch> watch,
                                        std::shared_ptr<Follower> follower);
    enum class Stream { broken, idle, ended };
    static asio::awaitable<Stream> read_stream(std::shared_ptr<ApplicationWatch> watch,
                                               std::shared_ptr<Follower> follower);
    static asio::awaitable<void> drain(std::shared_ptr<ApplicationWatch> watch);

    asio::any_io_executor strand_;
    WorkPaths paths_;
    BackendContext context_;
    std::shared_ptr<EventSink> sink_;
    std::map<std::string, std::shared_ptr<Follower>> followers_{};
    asio::steady_timer wake_;
    bool stopped_{false};
};

}  // namespace sparkhost::detail::local

#endif
