// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/watch.hpp"

#include "hop.hpp"

#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sparkhost::detail::yarn {

namespace {

/// Lines that one look can write for an application.
constexpr int most_news = 3;

/// More than so many that are over are asked about with one list.
constexpr std::size_t most_singly = 4;

void add_to(Sights& sights, std::vector<AppSight> list) {
    for (auto& each : list) {
        std::string id = each.id;
        sights.emplace(std::move(id), std::move(each));
    }
}

}  // namespace

TrackingSight Watch::sight_of(const std::string& ticket, const std::optional<AppSight>& app) {
    auto& known = followed_[ticket];
    const SteadyTime now = state_->context.clock->steady_now();
    if (app) {
        known.missing_since.reset();
    } else if (!known.missing_since) {
        known.missing_since = now;
    }
    if (app && is_over(app->state) && !known.over_since) {
        known.over_since = now;
    }
    const auto* facts = state_->find(ticket);
    if (facts != nullptr && facts->kill_requested && !known.killed_at) {
        known.killed_at = now;
    }
    auto since = [now](const std::optional<SteadyTime>& then) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(now - then.value_or(now));
    };
    TrackingSight seen;
    seen.app = app;
    seen.missing_for = since(known.missing_since);
    seen.since_kill = since(known.killed_at);
    seen.over_for = since(known.over_since);
    return seen;
}

asio::awaitable<void> Watch::write_news(Self self, std::string ticket, AppSight app) {
    const auto& state = self->state_;
    const bool seen = std::exchange(self->followed_[ticket].seen, true);
    for (int i = 0; i < most_news; ++i) {
        const auto* facts = state->find(ticket);
        auto line = facts == nullptr ? std::nullopt : news_of(*facts, app, seen);
        if (!line) {
            co_return;
        }
        line->at = state->now();
        Result<void> written = co_await guarded::record(state, ticket, std::move(*line));
        if (!written) {
            co_return;  // said again at the next look
        }
    }
}

asio::awaitable<void> Watch::take_in(Self self, std::string ticket, std::optional<AppSight> app) {
    const auto* before = self->state_->find(ticket);
    if (before == nullptr || before->end) {
        co_return;
    }
    if (app) {
        co_await write_news(self, ticket, *app);
    }
    const auto* facts = self->state_->find(ticket);
    if (facts == nullptr) {
        co_return;
    }
    const TrackingSight seen = self->sight_of(ticket, app);
    TrackingDecision decision = decide_tracking(*facts, seen, self->rules_);
    co_await perform(self, std::move(ticket), std::move(decision), std::move(app));
}

asio::awaitable<std::string> Watch::ask_about(Self self, std::vector<std::string> applications,
                                              std::shared_ptr<Sights> sights) {
    for (const auto& each : applications) {
        AppLook look = co_await ResourceManagers::application(self->state_->managers, each);
        switch (look.verdict) {
            case AppLook::Verdict::found:
                (*sights)[each] = std::move(look.sight);
                break;
            case AppLook::Verdict::absent:
                (*sights)[each] = std::nullopt;
                break;
            case AppLook::Verdict::unknown:
                co_return look.words;
        }
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(cancellation)) {
            break;
        }
    }
    co_return std::string();
}

std::vector<std::string> Watch::not_among(const Sights& sights) const {
    std::vector<std::string> others;
    for (const auto& ticket : open_tickets()) {
        std::string application = state_->find(ticket)->driver();
        if (!sights.contains(application)) {
            others.push_back(std::move(application));
        }
    }
    return others;
}

/// Gives why they could not be asked about, all of them; empty: they have been.
asio::awaitable<std::string> Watch::ask_about_all(Self self, std::shared_ptr<Sights> sights) {
    const auto& managers = self->state_->managers;
    const std::string tag = store_tag(self->state_->context.store_uuid);
    Result<std::vector<AppSight>> list =
        co_await ResourceManagers::list(managers, tag, Listed::active);
    if (!list) {
        co_return list.error().detail;
    }
    add_to(*sights, std::move(*list));
    auto others = self->not_among(*sights);  // that are over, or newer than the list
    if (others.size() > most_singly) {
        Result<std::vector<AppSight>> over =
            co_await ResourceManagers::list(managers, tag, Listed::over);
        if (over) {
            add_to(*sights, std::move(*over));
            others = self->not_among(*sights);
        }
    }
    co_return co_await ask_about(self, std::move(others), sights);
}

asio::awaitable<void> Watch::look_at_cluster(Self self) {
    const auto& state = self->state_;
    auto sights = std::make_shared<Sights>();
    std::string why = co_await ask_about_all(self, sights);
    const auto asked = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(asked)) {
        co_return;
    }
    self->trouble(std::move(why));
    for (const auto& ticket : self->open_tickets()) {
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(cancellation)) {
            co_return;
        }
        const auto* facts = state->find(ticket);
        const auto sight = facts == nullptr ? sights->end() : sights->find(facts->driver());
        if (sight != sights->end()) {
            std::optional<AppSight> app = sight->second;
            std::string name = ticket;
            co_await take_in(self, std::move(name), std::move(app));
        }
    }
}

Awaitable<void> watch_applications(std::shared_ptr<YarnState> state,
                                   std::shared_ptr<EventSink> sink) {
    return Watch::run(std::make_shared<Watch>(std::move(state), std::move(sink)));
}

}  // namespace sparkhost::detail::yarn
