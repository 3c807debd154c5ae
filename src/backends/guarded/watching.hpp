// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_WATCHING_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_WATCHING_HPP

#include "backends/guarded/guarded_state.hpp"
#include "backends/guarded/poll_machine.hpp"
#include "waiter.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::detail::guarded {

/// One call of Backend::watch, where the cluster has no watch: it is looked at again and again,
/// sooner while something changes, and what guards report is passed on at once.
class Watching : public std::enable_shared_from_this<Watching> {
public:
    using Self = std::shared_ptr<Watching>;

    Watching(std::shared_ptr<GuardedState> state, std::shared_ptr<EventSink> sink, PollMachine poll)
        : shared_(std::move(state)), sink_(std::move(sink)), poll_(poll) {}
    virtual ~Watching() = default;

    /// Until cancelled.
    static Awaitable<void> run(Self self);

protected:
    /// One look at the cluster: asks, and takes in what has changed.
    virtual asio::awaitable<void> look() = 0;
    virtual void forgotten(const std::string& ticket) { (void)ticket; }

    static bool is_cancelled(const asio::cancellation_state& state);
    /// Of those that have a driver and no end.
    std::vector<std::string> open_tickets() const;
    void trouble(std::string reason);
    /// More is known of the ticket: says it, unless that has been said.
    void changed(const std::string& ticket);
    void hurry();
    /// Takes the claim; if nobody has had it the ticket ends so.
    static asio::awaitable<void> seal(Self self, std::string ticket, TicketEnd end);
    static asio::awaitable<void> finish(Self self, std::string ticket, TicketEnd end);

private:
    friend class HookedIn;
    static asio::awaitable<void> go_on(Self self);
    static asio::awaitable<PollMachine::Interval> look_once(Self self);
    static asio::awaitable<void> rest(Self self);
    static asio::awaitable<void> pause(Self self, std::optional<std::chrono::milliseconds> length);

    /// Says it once more: a submit or kill has come back to it.
    void repeat(const std::string& ticket);
    void released(const std::string& ticket);

    std::shared_ptr<GuardedState> shared_;
    std::shared_ptr<EventSink> sink_;
    PollMachine poll_;
    std::map<std::string, ApplicationStatus> told_{};
    std::string trouble_{};
    bool news_{false};     ///< since the last look
    bool hurried_{false};  ///< since the last look was over
    std::shared_ptr<Waiter> waiting_{};
};

}  // namespace sparkhost::detail::guarded

#endif
