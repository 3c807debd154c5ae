// SPDX-License-Identifier: Apache-2.0

// A batch that waits for its next attempt. It holds no slot; its time is stored.

#include "core/host_impl.hpp"
#include "core/retry.hpp"

#include <random>
#include <utility>

namespace sparkhost {

boost::asio::awaitable<void> HostImpl::await_retry(ActivePtr batch) {
    auto self = shared_from_this();
    const auto next = batch->record.next_attempt.value_or(NextAttempt{});
    const auto deadline = clock->steady_now() + detail::left_of(next, clock->now());
    co_await clock->sleep_until(deadline);
    if (stage != Stage::ready || clock->steady_now() < deadline) {
        co_return;  // woken before its time: somebody has ended the wait
    }
    detail::BatchObservation due;
    due.event = detail::BatchEvent::due;
    due.at = clock->now();
    observe(std::move(batch), std::move(due));
}

/// Its record has changed, or has been read again.
void HostImpl::follow_retry(const ActivePtr& batch) {
    const auto phase = batch->record.phase;
    if (phase != BatchPhase::waiting && std::exchange(batch->progress.awaiting_retry, false)) {
        cancel_task(batch->retry_timer);
    }
    if (phase == BatchPhase::accepted && !batch->progress.admitted) {
        // What was done for the attempt before says nothing about the next one.
        batch->progress = {};
        batch->taken_in = batch->reported_in = 0;
        batch->retry_delay = {};
    }
}

double HostImpl::any_chance() {
    std::uniform_real_distribution<double> dice(0, 1);
    return dice(random);
}

}  // namespace sparkhost
