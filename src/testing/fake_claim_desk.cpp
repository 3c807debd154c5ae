// SPDX-License-Identifier: Apache-2.0
#include <sparkhost/testing/fake_claim_desk.hpp>

#include <sparkhost/testing/backend_wrapper.hpp>

#include "hop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <functional>
#include <iomanip>
#include <mutex>
#include <sstream>
#include <utility>

namespace sparkhost::testing {

struct FakeClaimDesk::State {
    mutable std::mutex mutex{};
    std::string address{};
    std::weak_ptr<ClaimJudge> judge{};
    boost::asio::any_io_executor strand{};
    std::size_t claims{0};
    std::size_t granted{0};
};

namespace claim_desk {

namespace asio = boost::asio;
using StatePtr = std::shared_ptr<FakeClaimDesk::State>;

void fill(const StatePtr& state, BackendContext& context, asio::any_io_executor strand) {
    context.agent_address = state->address;
    context.take_claims = [state, strand = std::move(strand)](std::weak_ptr<ClaimJudge> judge) {
        const std::lock_guard lock(state->mutex);
        state->judge = std::move(judge);
        state->strand = strand;
    };
}

/// Keeps the judge while it is asked.
Awaitable<ClaimAnswer> ask(std::shared_ptr<ClaimJudge> judge, DriverClaim claim) {
    auto answer = co_await judge->claim(std::move(claim));
    co_return answer;
}

ClaimAnswer later(std::string detail) {
    ClaimAnswer answer;
    answer.code = ClaimAnswer::Code::later;
    answer.detail = std::move(detail);
    return answer;
}

Awaitable<ClaimAnswer> claim_at(StatePtr state, DriverClaim claim) {
    std::shared_ptr<ClaimJudge> judge;
    asio::any_io_executor strand;
    {
        const std::lock_guard lock(state->mutex);
        ++state->claims;
        judge = state->judge.lock();
        strand = state->strand;
    }
    if (!judge) {
        co_return later("there is no judge");
    }
    auto start = [strand, judge, claim](std::function<void(Result<ClaimAnswer>)> done) {
        auto over = [done = std::move(done)](std::exception_ptr escaped,
                                             Result<ClaimAnswer> answer) {
            escaped ? done(Error(Errc::backend_failed, "an exception")) : done(std::move(answer));
        };
        asio::co_spawn(strand, ask(judge, claim), std::move(over));
    };
    judge.reset();
    auto answer = co_await detail::await_callback<Result<ClaimAnswer>>(std::move(start));
    if (!answer) {
        co_return later(answer.error().text());
    }
    if (answer->code == ClaimAnswer::Code::granted) {
        const std::lock_guard lock(state->mutex);
        ++state->granted;
    }
    co_return answer;
}

/// Calls the judge where it is to be called, if there is one then.
void tell(const StatePtr& state, std::function<void(ClaimJudge&)> call) {
    const std::lock_guard lock(state->mutex);
    if (!state->strand) {
        return;
    }
    asio::post(state->strand, [weak = state->judge, call = std::move(call)] {
        if (const auto judge = weak.lock()) {
            call(*judge);
        }
    });
}

void let_go(FakeClaimDesk::State& state) {
    const std::lock_guard lock(state.mutex);
    state.judge.reset();
    state.strand = {};
}

class ServedBackend final : public BackendWrapper {
public:
    ServedBackend(std::shared_ptr<Backend> inner, StatePtr state)
        : BackendWrapper(std::move(inner)), state_(std::move(state)) {}
    ~ServedBackend() override { let_go(*state_); }
    Awaitable<void> open(BackendContext context) override {
        return open_with(inner_, state_, std::move(context));
    }

private:
    static Awaitable<void> open_with(std::shared_ptr<Backend> inner, StatePtr state,
                                     BackendContext context) {
        auto strand = co_await asio::this_coro::executor;
        fill(state, context, std::move(strand));
        co_return co_await inner->open(std::move(context));
    }
    StatePtr state_;
};

}  // namespace claim_desk

FakeClaimDesk::FakeClaimDesk(std::string agent_address) : state_(std::make_shared<State>()) {
    state_->address = std::move(agent_address);
}

std::unique_ptr<Backend> FakeClaimDesk::wrap(std::shared_ptr<Backend> backend) {
    return std::make_unique<claim_desk::ServedBackend>(std::move(backend), state_);
}

void FakeClaimDesk::fill(BackendContext& context, boost::asio::any_io_executor strand) {
    claim_desk::fill(state_, context, std::move(strand));
}

void FakeClaimDesk::let_go() {
    claim_desk::let_go(*state_);
}

Awaitable<ClaimAnswer> FakeClaimDesk::claim(DriverClaim claim) {
    return claim_desk::claim_at(state_, std::move(claim));
}

void FakeClaimDesk::report(DriverReport report) {
    claim_desk::tell(state_, [report](ClaimJudge& judge) { judge.reported(report); });
}

void FakeClaimDesk::leave(std::string ticket) {
    claim_desk::tell(state_, [ticket](ClaimJudge& judge) { judge.guard_gone(ticket); });
}

bool FakeClaimDesk::has_judge() const {
    const std::lock_guard lock(state_->mutex);
    return !state_->judge.expired();
}

std::size_t FakeClaimDesk::claims() const {
    const std::lock_guard lock(state_->mutex);
    return state_->claims;
}

std::size_t FakeClaimDesk::granted() const {
    const std::lock_guard lock(state_->mutex);
    return state_->granted;
}

std::string FakeClaimDesk::nonce(std::uint64_t number) {
    std::ostringstream digits;
    digits << std::hex << std::setfill('0') << std::setw(32) << number;
    return digits.str();
}

}  // namespace sparkhost::testing
