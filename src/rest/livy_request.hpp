// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_LIVY_REQUEST_HPP
#define SPARKHOST_SRC_REST_LIVY_REQUEST_HPP

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>

#include <string_view>

namespace sparkhost::detail::rest {

/// The body of Livy's POST /batches.
struct CreateBatch {
    BatchSpec spec{};
    bool has_empty_name{false};  ///< "name": "" – not the same as no name
};

/// Reads the body as Livy's Jackson does: unknown fields are refused, null means absent,
/// numbers and booleans are taken where a string is wanted. Rules about the values are the
/// host's business. Errors: invalid_argument – not JSON, or a field of the wrong shape.
Result<CreateBatch> read_create_batch(std::string_view body);

}  // namespace sparkhost::detail::rest

#endif
