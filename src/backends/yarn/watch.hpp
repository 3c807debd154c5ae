// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_WATCH_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_WATCH_HPP

#include "backends/guarded/watching.hpp"
#include "backends/yarn/tracking_machine.hpp"
#include "backends/yarn/yarn_state.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::detail::yarn {

/// By application; nothing: the active ResourceManager does not know it.
using Sights = std::map<std::string, std::optional<AppSight>>;

/// One call of Backend::watch.
class Watch final : public guarded::Watching {
public:
    using Self = std::shared_ptr<Watch>;

    Watch(std::shared_ptr<YarnState> state, std::shared_ptr<EventSink> sink)
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
        std::optional<SteadyTime> killed_at{};  ///< the ResourceManager was told last
        std::optional<SteadyTime> over_since{};
        bool seen{false};  ///< at an earlier look
    };

    asio::awaitable<void> look() override {
        return look_at_cluster(std::static_pointer_cast<Watch>(shared_from_this()));
    }
    void forgotten(const std::string& ticket) override { followed_.erase(ticket); }

    static asio::awaitable<void> look_at_cluster(Self self);
    static asio::awaitable<std::string> ask_about_all(Self self, std::shared_ptr<Sights> sights);
    /// Gives why they cannot be asked about; empty: they have been.
    static asio::awaitable<std::string> ask_about(Self self, std::vector<std::string> applications,
                                                  std::shared_ptr<Sights> sights);
    static asio::awaitable<void> take_in(Self self, std::string ticket,
                                         std::optional<AppSight> app);
    static asio::awaitable<void> write_news(Self self, std::string ticket, AppSight app);
    static asio::awaitable<void> perform(Self self, std::string ticket, TrackingDecision decision,
                                         std::optional<AppSight> app);
    static asio::awaitable<std::string> words_of_log(Self self, std::string ticket);

    /// The applications of tickets that are open.
    std::vector<std::string> not_among(const Sights& sights) const;
    TrackingSight sight_of(const std::string& ticket, const std::optional<AppSight>& app);

    std::shared_ptr<YarnState> state_;
    TrackingRules rules_{};
    std::map<std::string, Followed> followed_{};
};

}  // namespace sparkhost::detail::yarn

#endif
