// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_HTTP_RETRY_MACHINE_HPP
#define SPARKHOST_SRC_HTTP_RETRY_MACHINE_HPP

#include <chrono>
#include <optional>
#include <string_view>

namespace sparkhost::detail::http {

/// How one try of a request went.
struct Attempt {
    enum class End {
        answered,      ///< there is an answer
        unreachable,   ///< no connection
        not_sent,      ///< the connection ended before a byte was sent
        unanswered,    ///< something was sent; no byte came back
        half_answered  ///< the answer broke off
    };
    End end{End::answered};
    bool reused{false};  ///< the connection had served another request
    int status{0};
    std::optional<std::chrono::milliseconds> retry_after{};
};

/// What is known about the request when a try is over.
struct RetryFacts {
    bool repeatable{false};
    int throttled{0};              ///< tries so far, with this one, that were told to come later
    int broken{0};                 ///< tries so far, with this one, that ended without an answer
    bool may_reread_token{false};  ///< there is a token file, not asked for this request yet
    std::chrono::milliseconds left{0};  ///< until the request's deadline
    double dice{0};                     ///< [0, 1)
};

struct RetryDecision {
    enum class What { give, again, reread_token };
    What what{What::give};
    std::chrono::milliseconds delay{0};
    bool fresh_connection{false};
    bool operator==(const RetryDecision&) const = default;
};

/// What to do after a try. Pure.
RetryDecision decide_retry(const Attempt& attempt, const RetryFacts& facts);

/// How long the whole client holds back after this try; zero: not at all.
std::chrono::milliseconds hold_after(const Attempt& attempt);

bool is_throttled(int status);

/// The value of a Retry-After header: seconds, or a date, which counts from the answer's own Date
/// (RFC 9110 §10.2.3). Nothing: it is neither.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value,
                                                           std::string_view date);

}  // namespace sparkhost::detail::http

#endif
