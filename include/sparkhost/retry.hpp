// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_RETRY_HPP
#define SPARKHOST_RETRY_HPP

#include <chrono>
#include <optional>
#include <set>
#include <string_view>

namespace sparkhost {

/// How an attempt can fail so that another one may be made. One that was killed is never made
/// again, nor is a request that the backend says can never run.
enum class RetryCause {
    failed,       ///< it ran, and ended in another way than with exit status 0
    not_started,  ///< it could not be started: none of its code has run
    unknown       ///< it is over, but nobody can tell how; its code may have done all its work
};

/// Whether, when and how often a batch that has failed is tried again. Each attempt has a ticket of
/// its own, and begins only after the one before is known to have ended and has been released.
/// Empty members take their values from HostOptions::retry, and those from the defaults named here.
struct RetryPolicy {
    std::optional<int> max_attempts{};  ///< 1 … 100, the first included; 1: no retry. Default: 1
    /// Between the end of the first attempt and the second one. 0 … 24 h. Default: 10 s
    std::optional<std::chrono::milliseconds> delay{};
    std::optional<double> factor{};  ///< each further delay is so many times longer. 1 … 100.
                                     ///< Default: 2
    std::optional<std::chrono::milliseconds> max_delay{};  ///< 0 … 24 h. Default: 5 min
    /// Each delay is shortened by chance, by at most this part of it. 0 … 1. Default: 0.2
    std::optional<double> jitter{};
    /// Default: failed and not_started
    std::optional<std::set<RetryCause>> causes{};

    bool operator==(const RetryPolicy&) const = default;
};

inline constexpr std::string_view to_string(RetryCause cause) noexcept {
    switch (cause) {
        case RetryCause::failed:
            return "failed";
        case RetryCause::not_started:
            return "not_started";
        case RetryCause::unknown:
            return "unknown";
    }
    return "unknown";
}

}  // namespace sparkhost

#endif
