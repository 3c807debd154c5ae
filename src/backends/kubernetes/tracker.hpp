// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_TRACKER_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_TRACKER_HPP

#include "backends/kubernetes/api_text.hpp"
#include "backends/kubernetes/application_table.hpp"
#include "backends/kubernetes/inquiry_machine.hpp"
#include "backends/kubernetes/tracker_requests.hpp"
#include "backends/kubernetes/watch_machine.hpp"
#include "http/client.hpp"
#include "waiter.hpp"

#include <sparkhost/backend.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// How the tracker talks to the API server; an http::Client but for tests.
class TrackerApi {
public:
    virtual ~TrackerApi() = default;
    virtual Awaitable<http::Response> send(http::Request request) = 0;
    virtual Awaitable<std::unique_ptr<http::Stream>> stream(http::Request request) = 0;
};

struct TrackerOptions {
    std::string store_uuid{};
    /// A watch each; one empty name: one watch of all namespaces. Not empty.
    std::vector<std::string> namespaces{};
    GiveUpRules give_up{};
    WatchRules watch{};
    InquiryRules inquiries{};
    /// Asks what the API server allows; empty: that is known. Errors: indeterminate – it is away.
    std::function<Awaitable<void>()> check_access{};
    bool follow_executors{true};  ///< for `context_up`; one small event per application
    std::chrono::seconds kill_grace{30};
    std::chrono::milliseconds request_deadline{std::chrono::seconds{30}};
    /// While a driver waits: how often it is looked whether it has waited for too long.
    std::chrono::milliseconds check_interval{std::chrono::seconds{1}};
};

/// One call of Backend::watch: lists and watches the driver pods of all applications, and reports
/// to the sink. All members are for the strand that run() was called on.
class Tracker : public std::enable_shared_from_this<Tracker> {
public:
    Tracker(TrackerOptions options, std::shared_ptr<TrackerApi> api, BackendContext context,
            std::shared_ptr<EventSink> sink);

    /// The snapshot, then live reports until cancelled. Completes when nothing of it runs any
    /// more. Errors: backend_failed – something went wrong that should not; watch again.
    static Awaitable<void> run(std::shared_ptr<Tracker> self);

    // What the backend's operations say. A namespace that is not watched is left out.

    /// There is a pod of this ticket now, or was. Reports what is known of it once more.
    void repeat(const std::string& ticket, const std::string& name_space);
    /// What ends from now on ends by the host's wish.
    void kill_requested(const std::string& ticket, const std::string& name_space);
    /// It was killed before there was a pod, and none will run.
    void killed(const std::string& ticket, const std::string& name_space);
    void released(const std::string& ticket);

    const ApplicationTable& table() const { return table_; }

private:
    struct Following;

    asio::any_io_executor executor_{};
    void start(asio::awaitable<void> task);
    void stop();
    Moment now() const;
    double chance();
    void log(LogLevel level, std::string message) const;
    /// Tells the sink what is new, and wakes who has something to do.
    void flush();
    void list_begins(std::size_t scope);
    void list_ends(std::size_t scope);
    void tell_trouble(const Following& following, std::string reason);
    void absorb(Following& following, const WatchEvent& event);
    void tell_notice(Following& following);

    // tracker.cpp: the loops of one scope
    static asio::awaitable<void> follow(std::shared_ptr<Tracker> self,
                                        std::shared_ptr<Following> following);
    static asio::awaitable<void> list_executors(std::shared_ptr<Tracker> self, std::size_t scope);
    static asio::awaitable<void> read_page(std::shared_ptr<Tracker> self,
                                           std::shared_ptr<Following> following,
                                           WatchAction action);
    static asio::awaitable<std::optional<ApiStatus>> read_tombstones(std::shared_ptr<Tracker> self,
                                                                     PodSelection pods,
                                                                     std::size_t scope);
    static asio::awaitable<void> read_watch(std::shared_ptr<Tracker> self,
                                            std::shared_ptr<Following> following,
                                            WatchAction action);
    static asio::awaitable<void> read_events(std::shared_ptr<Tracker> self,
                                             std::shared_ptr<Following> following,
                                             std::unique_ptr<http::Stream> stream);
    bool take_lines(Following& following, EventLines& lines);

    // tracker_care.cpp: removals, waits that are too long, questions about those that wait
    static asio::awaitable<void> remove_pods(std::shared_ptr<Tracker> self);
    static asio::awaitable<bool> remove_pod(std::shared_ptr<Tracker> self, PodRemoval removal);
    static asio::awaitable<bool> unprotect(std::shared_ptr<Tracker> self, PodRemoval removal);
    static asio::awaitable<ApiAnswer> ask(std::shared_ptr<Tracker> self, http::Request request);
    static asio::awaitable<void> take_care(std::shared_ptr<Tracker> self);
    static asio::awaitable<void> inquire(std::shared_ptr<Tracker> self, Inquiry inquiry);

    // tracker_access.cpp
    static asio::awaitable<void> settle_access(std::shared_ptr<Tracker> self);
    void tell_access(std::string words);
    /// Empty: there is none.
    std::string present_trouble() const;

    TrackerOptions options_;
    std::shared_ptr<TrackerApi> api_;
    BackendContext context_;
    std::shared_ptr<EventSink> sink_;
    std::map<std::size_t, std::string> troubles_{};  ///< by scope
    std::string access_trouble_{};                   ///< what is not allowed
    ApplicationTable table_;
    InquiryMachine inquiries_;
    std::map<std::string, PodRemoval> removals_{};  ///< by the pod's uid
    /// By scope: tickets that were killed before they had a pod, as the present list has found
    /// them.
    std::vector<std::set<std::string>> tombstones_;
    std::vector<bool> listed_;  ///< scopes that the present snapshot has
    bool in_snapshot_{true};    ///< the first begins with the watch
    std::minstd_rand random_;
    bool stopped_{false};
    std::string failure_{};
    std::size_t running_{0};
    std::vector<std::shared_ptr<asio::cancellation_signal>> signals_{};
    std::shared_ptr<Waiter> main_wait_{};
    std::shared_ptr<Waiter> removal_wait_{};
    std::shared_ptr<Waiter> care_wait_{};
};

}  // namespace sparkhost::detail::kubernetes

#endif
