// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_WATCH_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_WATCH_HPP

#include "backends/guarded/watching.hpp"
#include "backends/standalone/standalone_state.hpp"
#include "backends/standalone/tracking_machine.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::detail::standalone {

using Sights = std::map<std::string, DriverSight>;  ///< by driver

/// One call of Backend::watch.
class Watch final : public guarded::Watching {
public:
    using Self = std::shared_ptr<Watch>;

    Watch(std::shared_ptr<StandaloneState> state, std::shared_ptr<EventSink> sink)
        : Watching(state, std::move(sink),
                   guarded::PollMachine(state->options.shortest_interval,
                                        state->options.longest_interval)),
          state_(std::move(state)) {
        rules_.lost_after = state_->options.lost_after;
        rules_.agent_address = state_->context.agent_address;
    }

private:
    struct Followed {
        std::optional<SteadyTime> missing_since{};
        std::optional<SteadyTime> killed_at{};  ///< the master was told last
        bool waited{false};                     ///< was submitted at the last look
    };

    asio::awaitable<void> look() override {
        return look_at_master(std::static_pointer_cast<Watch>(shared_from_this()));
    }
    void forgotten(const std::string& ticket) override { followed_.erase(ticket); }

    static asio::awaitable<void> look_at_master(Self self);
    /// Gives why they cannot be asked about; empty: they have been.
    static asio::awaitable<std::string> ask_about_missing(Self self,
                                                          std::vector<std::string> drivers,
                                                          std::shared_ptr<Sights> sights);
    static asio::awaitable<void> take_in(Self self, std::string ticket, DriverSight sight,
                                         std::shared_ptr<const ClusterView> view);
    static asio::awaitable<void> perform(Self self, std::string ticket, TrackingDecision decision);
    static asio::awaitable<std::string> words_of_log(Self self, std::string ticket);

    TrackingSight sight_of_driver(const std::string& ticket, DriverSight sight);

    std::shared_ptr<StandaloneState> state_;
    TrackingRules rules_{};
    std::map<std::string, Followed> followed_{};
};

}  // namespace sparkhost::detail::standalone

#endif
