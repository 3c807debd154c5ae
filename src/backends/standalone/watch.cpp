// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/watch.hpp"

#include "hop.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sparkhost::detail::standalone {

namespace {

bool is_cancelled(const asio::cancellation_state& state) {
    return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace

/// Of those that have a driver and no end.
std::vector<std::string> Watch::open_tickets() const {
    std::vector<std::string> tickets;
    for (const auto& [ticket, facts] : state_->table) {
        if (!facts.end && !facts.driver().empty()) {
            tickets.push_back(ticket);
        }
    }
    return tickets;
}

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
        (void)co_await record(state, ticket, std::move(line));
    } else if (sight.state == DriverState::submitted &&
               std::exchange(self->followed_[ticket].waited, true) && facts->steps.size() < 2) {
        line.what = JournalLine::What::waiting;
        line.text = view->workers.empty()
                        ? "the cluster has no worker that is alive"
                        : "no worker has room for the driver: the one with most has " +
                              std::to_string(view->free_cores) + " cores and " +
                              std::to_string(view->free_memory) + " MiB free";
        (void)co_await record(state, ticket, std::move(line));
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

asio::awaitable<void> Watch::look(Self self) {
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

/// Until it is time, or hurry() is called.
asio::awaitable<void> Watch::pause(Self self, std::optional<std::chrono::milliseconds> length) {
    auto waiter = std::make_shared<Waiter>();
    self->waiting_ = waiter;
    auto over = std::make_shared<asio::cancellation_signal>();
    if (length) {
        auto clock = self->state_->context.clock;
        const auto until = clock->steady_now() + *length;
        auto sleep = [](std::shared_ptr<Clock> by, SteadyTime time,
                        std::shared_ptr<Waiter> woken) -> asio::awaitable<void> {
            co_await asio::this_coro::throw_if_cancelled(false);
            co_await by->sleep_until(time);
            woken->wake(WakeReason::timed_out);
        };
        const auto executor = co_await asio::this_coro::executor;
        asio::co_spawn(executor, sleep(std::move(clock), until, waiter),
                       asio::bind_cancellation_slot(over->slot(), [over](std::exception_ptr) {}));
    }
    co_await Waiter::wait(waiter);
    self->waiting_.reset();
    over->emit(asio::cancellation_type::all);
}

asio::awaitable<void> Watch::run(Self self) {
    for (const auto& [ticket, facts] : self->state_->table) {
        self->changed(ticket);
    }
    // What exists is known without the masters: who is asked only how it goes.
    self->sink_->snapshot_complete();
    while (true) {
        const auto before = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(before)) {
            break;
        }
        std::optional<std::chrono::milliseconds> length;
        if (!self->open_tickets().empty()) {
            self->news_ = false;
            co_await look(self);
            length = self->poll_.looked(self->news_);
        }
        const auto cancellation = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(cancellation)) {
            break;
        }
        if (length || self->open_tickets().empty()) {
            co_await pause(self, length);
        }
    }
}

namespace {

/// Lets the other operations reach the watch while it runs.
class HookedIn {
public:
    HookedIn(std::shared_ptr<StandaloneState> state, const std::shared_ptr<Watch>& watch)
        : state_(std::move(state)) {
        state_->watch.changed = [watch](const auto& ticket) { watch->changed(ticket); };
        state_->watch.repeat = [watch](const auto& ticket) { watch->repeat(ticket); };
        state_->watch.released = [watch](const auto& ticket) { watch->released(ticket); };
        state_->watch.hurry = [watch] { watch->hurry(); };
    }
    ~HookedIn() { state_->watch = {}; }
    HookedIn(const HookedIn&) = delete;
    HookedIn& operator=(const HookedIn&) = delete;

private:
    std::shared_ptr<StandaloneState> state_;
};

}  // namespace

Awaitable<void> watch_applications(std::shared_ptr<StandaloneState> state,
                                   std::shared_ptr<EventSink> sink) {
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    {
        auto watch = std::make_shared<Watch>(state, std::move(sink));
        const HookedIn hooked(state, watch);
        co_await Watch::run(watch);
    }
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return ok();
}

}  // namespace sparkhost::detail::standalone
