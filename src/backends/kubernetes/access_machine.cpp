// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/access_machine.hpp"

#include <algorithm>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr std::chrono::seconds longest_pause{15};
/// Somebody has to change a role first.
constexpr std::chrono::seconds pause_after_refusal{30};

}  // namespace

std::optional<std::string> AccessMachine::asked(const Result<void>& access) {
    std::string news;
    if (access) {
        settled_ = true;
    } else if (access.error().is(Errc::indeterminate)) {
        pause_ = std::min<std::chrono::milliseconds>(2 * pause_, longest_pause);
        return std::nullopt;  // what was told before stands
    } else {
        pause_ = pause_after_refusal;
        news = access.error().text();
    }
    if (news == told_) {
        return std::nullopt;
    }
    told_ = news;
    return news;
}

}  // namespace sparkhost::detail::kubernetes
