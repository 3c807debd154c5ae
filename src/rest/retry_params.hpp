// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_RETRY_PARAMS_HPP
#define SPARKHOST_SRC_REST_RETRY_PARAMS_HPP

#include "rest/target.hpp"

#include <sparkhost/retry.hpp>

namespace sparkhost::detail::rest {

/// ?maxAttempts, retryDelay, retryFactor, retryMaxDelay, retryJitter and retryOn. Their ranges are
/// the host's business. Errors: invalid_argument – not a number, time or cause; `field` is the
/// parameter.
Result<RetryPolicy> parse_retry(const Target& target);

}  // namespace sparkhost::detail::rest

#endif
