// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_WATCH_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_WATCH_HPP

#include "backends/standalone/poll_machine.hpp"
#include "backends/standalone/standalone_state.hpp"
#include "backends/standalone/tracking_machine.hpp"
#include "waiter.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::detail::standalone {

using Sights = std::map<std::string, DriverSight>;  ///< by driver

/// One call of Backend::watch.
class Watch : public std::enable_shared_from_this<Watch> {
public:
    using Self = std::shared_ptr<Watch>;

    Watch(std::shared_ptr<StandaloneState> state, std::shared_ptr<EventSink> sink)
        : state_(std::move(state)),
          sink_(std::move(sink)),
          poll_(state_->options.shortest_interval, state_->options.longest_interval) {
        rules_.lost_after = state_->options.lost_after;
        rules_.agent_address = state_->context.agent_address;
    }

    static asio::awaitable<void> run(Self self);

    void changed(const std::string& ticket) {
        const auto* facts = state_->find(ticket);
        const bool is_taken =
            facts != nullptr && (facts->end || facts->claimed || !facts->drivers.empty());
        if (!is_taken) {
            return;
        }
        ApplicationStatus status = status_of(ticket, *facts);
        auto& known = followed_[ticket];
        if (!known.told || *known.told != status) {
            known.told = status;
            news_ = true;
            sink_->status(std::move(status));
        }
    }
    /// Says it once more: a submit or kill has come back to it.
    void repeat(const std::string& ticket) {
        if (const auto found = followed_.find(ticket); found != followed_.end()) {
            found->second.told.reset();
        }
        changed(ticket);
    }
    void released(const std::string& ticket) { followed_.erase(ticket); }
    void hurry() {
        poll_.hurry();
        if (waiting_) {
            waiting_->wake(WakeReason::changed);
        }
    }

private:
    struct Followed {
        std::optional<ApplicationStatus> told{};
        std::optional<SteadyTime> missing_since{};
        std::optional<SteadyTime> killed_at{};  ///< the master was told last
        bool waited{false};                     ///< was submitted at the last look
    };

    static asio::awaitable<void> look(Self self);
    /// Gives why they cannot be asked about; empty: they have been.
    static asio::awaitable<std::string> ask_about_missing(Self self,
                                                          std::vector<std::string> drivers,
                                                          std::shared_ptr<Sights> sights);
    static asio::awaitable<void> take_in(Self self, std::string ticket, DriverSight sight,
                                         std::shared_ptr<const ClusterView> view);
    static asio::awaitable<void> perform(Self self, std::string ticket, TrackingDecision decision);
    static asio::awaitable<std::string> words_of_log(Self self, std::string ticket);
    static asio::awaitable<void> seal(Self self, std::string ticket, TicketEnd end);
    static asio::awaitable<void> pause(Self self, std::optional<std::chrono::milliseconds> length);

    std::vector<std::string> open_tickets() const;
    TrackingSight sight_of_driver(const std::string& ticket, DriverSight sight);
    void trouble(std::string reason) {
        if (reason != trouble_) {
            trouble_ = reason;
            sink_->trouble(std::move(reason));
        }
    }

    std::shared_ptr<StandaloneState> state_;
    std::shared_ptr<EventSink> sink_;
    PollMachine poll_;
    TrackingRules rules_{};
    std::map<std::string, Followed> followed_{};
    std::string trouble_{};
    bool news_{false};  ///< since the last look
    std::shared_ptr<Waiter> waiting_{};
};

}  // namespace sparkhost::detail::standalone

#endif
