// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/failure_words.hpp"
#include "backends/standalone/log_page.hpp"
#include "backends/standalone/watch.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace sparkhost::detail::standalone {

namespace {

/// Of a driver's output, for why it failed.
constexpr std::size_t tail_size = std::size_t{16} * 1024;

}  // namespace

/// Why its driver failed, as far as the ends of its output say.
asio::awaitable<std::string> Watch::words_of_log(Self self, std::string ticket) {
    std::string tails[2];
    for (std::size_t i = 0; i < 2; ++i) {
        const auto* facts = self->state_->find(ticket);
        if (facts == nullptr || facts->worker.empty()) {
            break;
        }
        std::string worker = facts->worker;
        std::string target = "/log/?driverId=" + facts->driver() +
                             "&logType=" + (i == 0 ? "stderr" : "stdout") +
                             "&byteLength=" + std::to_string(tail_size);
        Result<std::string> body = co_await Masters::ask_worker(
            self->state_->masters, std::move(worker), std::move(target));
        const auto piece = body ? read_log_piece(*body) : std::nullopt;
        tails[i] = piece ? piece->text : std::string();
    }
    co_return guarded::failure_words(tails[0], tails[1]);
}

asio::awaitable<void> Watch::perform(Self self, std::string ticket, TrackingDecision decision) {
    const auto& state = self->state_;
    if (decision.look_into_log) {
        const std::string words = co_await words_of_log(self, ticket);
        decision.end.reason = words.empty() ? decision.end.reason : words;
    }
    decision.end.at = state->now();
    switch (decision.what) {
        case TrackingDecision::Do::nothing:
            co_return;
        case TrackingDecision::Do::seal:
            co_await seal(self, std::move(ticket), std::move(decision.end));
            co_return;
        case TrackingDecision::Do::finish:
            co_await finish(self, std::move(ticket), std::move(decision.end));
            co_return;
        case TrackingDecision::Do::kill_again: {
            const auto* facts = state->find(ticket);
            if (facts != nullptr) {
                self->followed_[ticket].killed_at = state->context.clock->steady_now();
                std::string driver = facts->driver();
                (void)co_await Masters::kill(state->masters, std::move(driver));
            }
            co_return;
        }
    }
}

}  // namespace sparkhost::detail::standalone
