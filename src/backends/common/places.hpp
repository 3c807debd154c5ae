// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_PLACES_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_PLACES_HPP

#include "waiter.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

namespace sparkhost::detail {

/// So many may be at something at a time; the others wait, first come, first served, and hold
/// nothing meanwhile. For one strand.
class Places {
public:
    using Hold = std::shared_ptr<void>;  ///< given back when it is destroyed

    explicit Places(std::size_t count) : free_(count) {}

    /// Not for coroutines that are cancelled: a place given to one that has gone away would be
    /// nobody's.
    static asio::awaitable<Hold> take(std::shared_ptr<Places> places) {
        if (places->free_ == 0) {
            auto waiter = std::make_shared<Waiter>();
            places->waiting_.push_back(waiter);
            co_await Waiter::wait(std::move(waiter));
        } else {
            --places->free_;
        }
        co_return Hold(places.get(), [places](void*) { places->give_back(); });
    }

private:
    void give_back() {
        if (waiting_.empty()) {
            ++free_;
            return;
        }
        const auto next = waiting_.front();
        waiting_.pop_front();
        next->wake(WakeReason::changed);
    }

    std::size_t free_;
    std::deque<std::shared_ptr<Waiter>> waiting_{};
};

}  // namespace sparkhost::detail

#endif
