// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_RETRY_HPP
#define SPARKHOST_SRC_CORE_RETRY_HPP

// Retry policies as decisions: no I/O, no clock, no dice.

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace sparkhost::detail {

/// Errors: invalid_argument – a value out of its range; `field` is "retry.<member>".
Result<void> validate(const RetryPolicy& policy);

/// What is not said in `policy` as `defaults` has it; empty where there is one attempt only.
RetryPolicy completed(RetryPolicy policy, const RetryPolicy& defaults);

/// The wait after so many attempts have failed (1, 2 …). `chance` is from 0 to 1.
std::chrono::milliseconds delay_after(const RetryPolicy& policy, std::size_t failed, double chance);

/// Whether there is another attempt after so many have failed, the last one like this.
bool is_retried(const RetryPolicy& policy, std::size_t failed, RetryCause cause);

/// What is left of the wait. Never more than the whole of it, however the clock has jumped.
std::chrono::milliseconds left_of(const NextAttempt& next, Timestamp now);

/// Only what is said; nothing for an empty policy.
void put_retry(boost::json::object& object, const RetryPolicy& policy);
/// Reading throws where it is not one of ours.
RetryPolicy get_retry(const boost::json::object& object);

}  // namespace sparkhost::detail

#endif
