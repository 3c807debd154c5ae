// SPDX-License-Identifier: Apache-2.0
#include "http/limit_machine.hpp"

#include <algorithm>

namespace sparkhost::detail::http {

ConcurrencyLimit::ConcurrencyLimit(std::size_t most)
    : most_(static_cast<double>(std::max<std::size_t>(most, 1))), limit_(most_) {}

std::uint64_t ConcurrencyLimit::begin() {
    ++in_use_;
    return round_;
}

void ConcurrencyLimit::end(std::uint64_t round, End how) {
    const bool was_full = in_use_ >= limit();
    in_use_ -= std::min<std::size_t>(in_use_, 1);
    if (how == End::throttled && round == round_) {
        limit_ = std::max(1.0, limit_ / 2);
        ++round_;
    }
    // a limit that is not reached has not been tried: it does not grow
    if (how == End::answered && was_full) {
        limit_ = std::min(most_, limit_ + 1 / limit_);
    }
}

void ConcurrencyLimit::hold(Time until) {
    held_until_ = std::max(held_until_, until);
}

}  // namespace sparkhost::detail::http
