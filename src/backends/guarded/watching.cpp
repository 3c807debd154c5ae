// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/watching.hpp"

#include "hop.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace sparkhost::detail::guarded {

/// Lets the other operations reach the watch while it runs.
class HookedIn {
public:
    explicit HookedIn(const std::shared_ptr<Watching>& watch) : state_(watch->shared_) {
        state_->watch.changed = [watch](const auto& ticket) { watch->changed(ticket); };
        state_->watch.repeat = [watch](const auto& ticket) { watch->repeat(ticket); };
        state_->watch.released = [watch](const auto& ticket) { watch->released(ticket); };
        state_->watch.hurry = [watch] { watch->hurry(); };
    }
    ~HookedIn() { state_->watch = {}; }
    HookedIn(const HookedIn&) = delete;
    HookedIn& operator=(const HookedIn&) = delete;

private:
    std::shared_ptr<GuardedState> state_;
};

bool Watching::is_cancelled(const asio::cancellation_state& state) {
    return state.cancelled() != asio::cancellation_type::none;
}

std::vector<std::string> Watching::open_tickets() const {
    std::vector<std::string> tickets;
    for (const auto& [ticket, facts] : shared_->table) {
        if (!facts.end && !facts.driver().empty()) {
            tickets.push_back(ticket);
        }
    }
    return tickets;
}

void Watching::trouble(std::string reason) {
    if (reason != trouble_) {
        trouble_ = reason;
        sink_->trouble(std::move(reason));
    }
}

void Watching::changed(const std::string& ticket) {
    const auto* facts = shared_->find(ticket);
    const bool is_taken =
        facts != nullptr && (facts->end || facts->claimed || !facts->drivers.empty());
    if (!is_taken) {
        return;
    }
    ApplicationStatus status = status_of(ticket, *facts);
    const auto told = told_.find(ticket);
    if (told == told_.end() || told->second != status) {
        told_[ticket] = status;
        news_ = true;
        sink_->status(std::move(status));
    }
}

void Watching::repeat(const std::string& ticket) {
    told_.erase(ticket);
    changed(ticket);
}

void Watching::released(const std::string& ticket) {
    told_.erase(ticket);
    forgotten(ticket);
}

void Watching::hurry() {
    poll_.hurry();
    hurried_ = true;
    if (waiting_) {
        waiting_->wake(WakeReason::changed);
    }
}

asio::awaitable<void> Watching::seal(Self self, std::string ticket, TicketEnd end) {
    const auto& state = self->shared_;
    Result<ClaimSight> before = co_await take_claim(state, ticket);
    if (!before) {
        state->log(LogLevel::error, before.error().text());
        co_return;
    }
    auto* facts = state->find(ticket);
    if (facts == nullptr) {
        co_return;
    }
    if (before->held && !facts->claimed) {
        JournalLine line{JournalLine::What::claimed, state->now(), before->driver, {}};
        apply(*facts, line);  // its own driver is followed from now on
        self->changed(ticket);
        self->hurry();
        co_return;
    }
    if (!before->held) {
        co_await finish(std::move(self), std::move(ticket), std::move(end));
    }
}

asio::awaitable<void> Watching::finish(Self self, std::string ticket, TicketEnd end) {
    const auto& state = self->shared_;
    Result<void> done = co_await finish_ticket(state, std::move(ticket), std::move(end));
    if (!done && !done.error().is(Errc::not_found)) {
        state->log(LogLevel::error, done.error().text());
    }
}

/// Until it is time, or hurry() is called.
asio::awaitable<void> Watching::pause(Self self, std::optional<std::chrono::milliseconds> length) {
    auto waiter = std::make_shared<Waiter>();
    self->waiting_ = waiter;
    auto over = std::make_shared<asio::cancellation_signal>();
    if (length) {
        auto clock = self->shared_->context.clock;
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

/// Gives how long to wait for the next look.
asio::awaitable<PollMachine::Interval> Watching::look_once(Self self) {
    const auto& clock = self->shared_->context.clock;
    const auto began = clock->steady_now();
    self->news_ = false;
    co_await self->look();
    const auto took = clock->steady_now() - began;
    self->hurried_ = false;  // the machine knows
    co_return self->poll_.looked(self->news_,
                                 std::chrono::duration_cast<PollMachine::Interval>(took));
}

/// Behind a look, however many hurry: a crowd that comes is one change.
asio::awaitable<void> Watching::rest(Self self) {
    const auto looked = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(looked)) {
        co_return;
    }
    const auto& clock = self->shared_->context.clock;
    co_await clock->sleep_until(clock->steady_now() + self->poll_.rest());
}

asio::awaitable<void> Watching::go_on(Self self) {
    for (const auto& [ticket, facts] : self->shared_->table) {
        self->changed(ticket);
    }
    // What exists is known without the cluster, which is asked only how it goes.
    self->sink_->snapshot_complete();
    while (true) {
        std::optional<PollMachine::Interval> length;
        const bool looks = !self->open_tickets().empty();
        if (looks) {
            length = co_await look_once(self);
            co_await rest(self);
            *length -= self->poll_.rest();
        }
        const auto looked = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(looked)) {
            break;
        }
        const bool looks_again = looks ? self->hurried_ : !self->open_tickets().empty();
        if (!looks_again) {
            co_await pause(self, length);
        }
        const auto paused = co_await asio::this_coro::cancellation_state;
        if (is_cancelled(paused)) {
            break;
        }
    }
}

Awaitable<void> Watching::run(Self self) {
    const bool throwing = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    {
        const HookedIn hooked(self);
        co_await go_on(self);
    }
    co_await asio::this_coro::throw_if_cancelled(throwing);
    co_return ok();
}

}  // namespace sparkhost::detail::guarded
