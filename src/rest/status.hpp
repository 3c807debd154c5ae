// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_STATUS_HPP
#define SPARKHOST_SRC_REST_STATUS_HPP

#include <sparkhost/error.hpp>

#include <boost/beast/http/status.hpp>

namespace sparkhost::detail::rest {

/// Whose manners an answer follows.
enum class Dialect { livy, native, plain };

struct ErrorStatus {
    boost::beast::http::status status{boost::beast::http::status::internal_server_error};
    bool retry_later{false};  ///< the same request may succeed later: send Retry-After
};

/// The one place where an error becomes an HTTP status.
ErrorStatus to_status(const Error& error, Dialect dialect) noexcept;

}  // namespace sparkhost::detail::rest

#endif
