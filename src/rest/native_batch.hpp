// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_NATIVE_BATCH_HPP
#define SPARKHOST_SRC_REST_NATIVE_BATCH_HPP

#include <sparkhost/batch.hpp>

#include <string>

namespace sparkhost::detail::rest {

/// "2026-01-01T00:00:00.000Z" (RFC 3339).
std::string format_time(Timestamp time);

/// Everything there is to know about a batch, without its secrets: the object of
/// GET /api/v1/batches/{id}.
std::string native_batch_json(BatchRecord record);

}  // namespace sparkhost::detail::rest

#endif
