// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/failure_words.hpp"
#include "backends/yarn/watch.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace sparkhost::detail::yarn {

namespace {

/// Of a driver's output, for why it failed.
constexpr std::int64_t tail_size = 16 * 1024;

asio::awaitable<std::string> tail_of(std::shared_ptr<guarded::LogSource> source,
                                     guarded::LogSource::Place place, std::string file) {
    Result<guarded::LogPiece> head = co_await source->read(place, file, 0, 1);
    if (!head || head->total == 0) {
        co_return std::string();
    }
    const std::int64_t begin = std::max<std::int64_t>(head->total - tail_size, 0);
    Result<guarded::LogPiece> tail =
        co_await source->read(std::move(place), std::move(file), begin, tail_size);
    co_return tail ? std::move(tail->text) : std::string();
}

}  // namespace

/// Why its driver failed, as far as the ends of its output say.
asio::awaitable<std::string> Watch::words_of_log(Self self, std::string ticket) {
    const auto* facts = self->state_->find(ticket);
    if (facts == nullptr || facts->worker.empty()) {
        co_return std::string();
    }
    guarded::LogSource::Place place;
    place.driver = facts->driver();
    place.worker = facts->worker;
    const auto source = log_reading(self->state_).source;
    const std::string errors = co_await tail_of(source, place, "stderr");
    const std::string output = co_await tail_of(source, std::move(place), "stdout");
    co_return guarded::failure_words(errors, output);
}

asio::awaitable<void> Watch::perform(Self self, std::string ticket, TrackingDecision decision,
                                     std::optional<AppSight> app) {
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
        case TrackingDecision::Do::kill_again:
            self->followed_[ticket].killed_at = state->context.clock->steady_now();
            (void)co_await ResourceManagers::kill(state->managers, app->user, app->id);
            co_return;
    }
}

}  // namespace sparkhost::detail::yarn
