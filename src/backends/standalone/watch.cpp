// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/watch.hpp"

#include "hop.hpp"

#include <boost/asio/this_coro.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sparkhost::detail::standalone {

TrackingSight Watch::sight_of_driver(const std::string& ticket, DriverSight sight) {
    auto& known = followed_[ticket];
    const SteadyTime now = state_->context.clock->steady_now();
    const bool is_missing =
        sight.state == DriverState::missing || sight.state == DriverState::unclear;
    if (!is_missing) {
        known.missing_since.reset();
    } else if (!known.missing_since) {
        known.missing_since = now;
    }
    TrackingSight seen;
    seen.driver = std::move(sight);
    auto since = [now](const SteadyTime& then) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(now - then);
    };
    seen.missing_for =
        known.missing_since ? since(*known.missing_since) : std::chrono::milliseconds{0};
    const auto* facts = state_->find(ticket);
    if (facts != nullptr && facts->kill_requested && !known.killed_at) {
        known.killed_at = now;
    }
    seen.since_kill = known.killed_at ? since(*known.killed_at) : std::chrono::milliseconds{0};
    return seen;
}

asio::awaitable<void> Watch::take_in(Self self, std::string ticket, DriverSight sight,
                                     std::shared_ptr<const ClusterView> view) {
    const auto& state = self->state_;
    auto* facts = state->find(ticket);
    if (facts == nullptr || facts->end) {
        co_return;
    }
    const auto worker = view->workers.find(sight.worker);
    JournalLine line;
    line.at = state->now();
    if (worker != view->workers.end() && facts->worker != worker->second) {
        line.what = JournalLine::What::launched;
        line.text = worker->first;
        line.more = worker->second;
        (void)co_await guarded::record(state, ticket, std::move(line));
    } else if (sight.state == DriverState::submitted &&
               std::exchange(self->followed_[ticket].waited, true) && facts->steps.size() < 2) {
        line.what = JournalLine::What::waiting;
        line.text = view->workers.empty()
                        ? "the cluster has no worker that is alive"
                        : "no worker has room for the driver: the one with most has " +
                              std::to_string(view->free_cores) + " cores and " +
                              std::to_string(view->free_memory) + " MiB free";
        (void)co_await guarded::record(state, ticket, std::move(line));
    }
    facts = state->find(ticket);
    if (facts == nullptr) {
        co_return;
    }
    const TrackingSight seen = self->sight_of_driver(ticket, std::move(sight));
    TrackingDecision decision = decide_tracking(*facts, seen, self->rules_);
    co_await perform(self, std::move(ticket), std::move(decision));
}

/// The list has the last few hundred of those that are over; and may be older than the newest.
asio::awaitable<std::string> Watch::ask_about_missing(Self self, std::vector<std::string> drivers,
                                                      std::shared_ptr<Sights> sights) {
    for (const auto& each : drivers) {
        std::string driver = each;
        SubmissionAnswer answer = co_await Masters::status(self->state_->masters, driver);
        if (answer.verdict == SubmissionAnswer::Verdict::done) {
            (*sights)[each] = answer.sight;
        } else if (answer.verdict == SubmissionAnswer::Verdict::unknown_id) {
            (*sights)[each] = DriverSight{};
        } else {
            co_return answer.words;
        }
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(cancellation)) {
            break;
        }
    }
    co_return std::string();
}

asio::awaitable<void> Watch::look_at_master(Self self) {
    const auto& state = self->state_;
    Result<ClusterView> got = co_await Masters::look(state->masters);
    const auto after_look = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(after_look)) {
        co_return;
    }
    if (!got) {
        self->trouble(got.error().detail);
        co_return;
    }
    const auto view = std::make_shared<const ClusterView>(std::move(*got));
    auto sights = std::make_shared<Sights>();
    std::vector<std::string> missing;
    for (const auto& ticket : self->open_tickets()) {
        const std::string driver = state->find(ticket)->driver();
        const auto found = view->drivers.find(driver);
        if (found == view->drivers.end()) {
            missing.push_back(driver);
        } else if (is_over(found->second.state) && found->second.state != DriverState::finished &&
                   found->second.state != DriverState::killed) {
            missing.push_back(driver);  // only its status has the reason
            sights->emplace(driver, found->second);
        } else {
            sights->emplace(driver, found->second);
        }
    }
    std::string why = co_await ask_about_missing(self, std::move(missing), sights);
    self->trouble(std::move(why));
    for (const auto& ticket : self->open_tickets()) {
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(cancellation)) {
            co_return;
        }
        const auto* facts = state->find(ticket);
        const auto sight = facts == nullptr ? sights->end() : sights->find(facts->driver());
        if (sight != sights->end()) {
            DriverSight copy = sight->second;
            std::string name = ticket;
            co_await take_in(self, std::move(name), std::move(copy), view);
        }
    }
}

Awaitable<void> watch_applications(std::shared_ptr<StandaloneState> state,
                                   std::shared_ptr<EventSink> sink) {
    return Watch::run(std::make_shared<Watch>(std::move(state), std::move(sink)));
}

}  // namespace sparkhost::detail::standalone
