// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/access_machine.hpp"
#include "backends/kubernetes/tracker.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace sparkhost::detail::kubernetes {

/// The API server was away when the host started: asks what it allows as soon as it is back.
asio::awaitable<void> Tracker::settle_access(std::shared_ptr<Tracker> self) {
    co_await asio::this_coro::throw_if_cancelled(false);
    AccessMachine machine;
    while (!machine.is_settled()) {
        const auto until = self->context_.clock->steady_now() + machine.pause();
        co_await self->context_.clock->sleep_until(until);
        if (self->stopped_) {
            co_return;
        }
        Awaitable<void> question = self->options_.check_access();
        const Result<void> access = co_await std::move(question);
        if (self->stopped_) {
            co_return;
        }
        if (auto words = machine.asked(access)) {
            self->tell_access(std::move(*words));
        }
    }
}

void Tracker::tell_access(std::string words) {
    if (!words.empty()) {
        log(LogLevel::error, words);
    }
    access_trouble_ = std::move(words);
    sink_->trouble(present_trouble());
}

/// A watch that is cut matters more than what is not allowed.
std::string Tracker::present_trouble() const {
    return troubles_.empty() ? access_trouble_ : troubles_.begin()->second;
}

}  // namespace sparkhost::detail::kubernetes
