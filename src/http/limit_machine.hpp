// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_LIMIT_MACHINE_HPP
#define SPARKHOST_SRC_HTTP_LIMIT_MACHINE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace sparkhost::detail::http {

/// How many requests may be under way at once: halved when the server says that it has too many,
/// one more for each round of answers after that. Pure.
class ConcurrencyLimit {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// Never more than `most`, which is where it begins.
    explicit ConcurrencyLimit(std::size_t most);

    bool may_begin(Time now) const { return in_use_ < limit() && now >= held_until_; }
    /// No request begins before this time. In the past: nothing is held.
    Time held_until() const { return held_until_; }
    std::size_t limit() const { return static_cast<std::size_t>(limit_); }
    std::size_t in_use() const { return in_use_; }

    /// Gives the number of the round in which the request begins, for end().
    std::uint64_t begin();

    enum class End {
        answered,   ///< the server has had room for it
        throttled,  ///< 429 or 503
        broken      ///< says nothing about room
    };
    /// A round is halved once: the requests that were under way together are told together.
    void end(std::uint64_t round, End how);
    /// For requests that are not counted.
    void hold(Time until);

private:
    double most_;
    double limit_;
    std::size_t in_use_{0};
    std::uint64_t round_{0};
    Time held_until_{Time::min()};
};

}  // namespace sparkhost::detail::http

#endif
