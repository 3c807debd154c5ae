// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_UNIT_TWIN_COURSE_HPP
#define SPARKHOST_TESTS_UNIT_TWIN_COURSE_HPP

#include "waiter.hpp"

#include <sparkhost/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sparkhost::twin {

namespace asio = boost::asio;

inline constexpr std::size_t never = static_cast<std::size_t>(-1);

/// What has happened in a run, in order.
using Trace = std::vector<std::string>;

/// One life of a host as a row of effects, numbered from 0. Every durable or outward step passes
/// here before it takes place, so the host can die between any two of them: from then on nothing
/// that it does has an effect, and what waits for an effect never goes on.
class Course {
public:
    explicit Course(std::shared_ptr<Trace> trace) : trace_(std::move(trace)) {}

    std::size_t dies_at{never};         ///< this effect does not take place any more
    std::function<void()> on_death{};   ///< keeps the host from running on
    std::size_t held_at{never};         ///< this effect waits until all else has come to rest
    std::size_t also_held_at{never};    ///< this one, too, and longer
    std::size_t meddled_at{never};      ///< when this effect takes place …
    std::function<void()> on_meddle{};  ///< … this is done
    std::function<void()> on_effect{};  ///< called at each effect

    bool dead() const { return dead_; }
    std::size_t passed() const { return passed_; }

    /// False: the host is dead, and this must not take place.
    bool pass(const std::string& what) {
        if (dead_) {
            return false;
        }
        if (passed_ == dies_at) {
            dead_ = true;
            trace_->push_back("the host dies before: " + what);
            on_death();
            return false;
        }
        const auto number = passed_++;
        trace_->push_back(std::to_string(number) + " " + what);
        if (on_effect) {
            on_effect();
        }
        if (number == meddled_at) {
            on_meddle();
        }
        return true;
    }

    /// A pass() for a step that can be waited for. False only when the life is cleared away.
    static asio::awaitable<bool> reach(std::shared_ptr<Course> self, std::string what) {
        const auto number = self->passed_;
        bool alive = self->pass(what);
        if (alive && (number == self->held_at || number == self->also_held_at)) {
            auto gate = std::make_shared<detail::Waiter>();
            self->held_.emplace_back(what, gate);
            co_await detail::Waiter::wait(gate);
            alive = !self->dead_;
        }
        if (!alive && !self->over_) {
            auto grave = std::make_shared<detail::Waiter>();
            self->graves_.push_back(grave);
            co_await detail::Waiter::wait(grave);
        }
        co_return alive;
    }

    /// The host dies in the middle of something.
    void die(const std::string& how) {
        if (!dead_) {
            dead_ = true;
            trace_->push_back(how);
            on_death();
        }
    }

    /// Lets the one that has been held for longest go on. False: none is held.
    bool let_go() {
        if (held_.empty()) {
            return false;
        }
        auto [what, gate] = std::move(held_.front());
        held_.erase(held_.begin());
        trace_->push_back("goes on: " + what);
        gate->wake(detail::WakeReason::changed);
        return true;
    }

    /// The run is over: whatever waited in a dead host is set free, to no effect.
    void clear_away() {
        dead_ = over_ = true;
        for (auto& [what, gate] : std::exchange(held_, {})) {
            gate->wake(detail::WakeReason::stopped);
        }
        for (const auto& grave : std::exchange(graves_, {})) {
            grave->wake(detail::WakeReason::stopped);
        }
    }

    /// Calls that have left the host and have not arrived: after its death each may still arrive,
    /// or be lost.
    std::map<std::string, std::function<Awaitable<void>()>> on_their_way{};

private:
    std::shared_ptr<Trace> trace_;
    std::size_t passed_{0};
    bool dead_{false};
    bool over_{false};
    std::vector<std::pair<std::string, std::shared_ptr<detail::Waiter>>> held_{};
    std::vector<std::shared_ptr<detail::Waiter>> graves_{};
};
using CoursePtr = std::shared_ptr<Course>;

}  // namespace sparkhost::twin

#endif
