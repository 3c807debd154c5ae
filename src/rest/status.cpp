// SPDX-License-Identifier: Apache-2.0
#include "rest/status.hpp"

#include <boost/asio/error.hpp>

#include <array>

namespace sparkhost::detail::rest {

ErrorStatus to_status(const Error& error, Dialect dialect) noexcept {
    using boost::beast::http::status;
    struct Row {
        Errc code;
        status native;
        status livy;
        bool retry_later;
    };
    static constexpr std::array rows{
        Row{Errc::not_found, status::not_found, status::not_found, false},
        // Livy knows 400 only; a key used for another request is ours, so it has its own status.
        Row{Errc::already_exists, status::conflict, status::bad_request, false},
        Row{Errc::conflict, status::conflict, status::conflict, true},
        Row{Errc::invalid_argument, status::bad_request, status::bad_request, false},
        Row{Errc::invalid_state, status::conflict, status::bad_request, false},
        Row{Errc::rejected, status::too_many_requests, status::bad_request, true},
        Row{Errc::not_supported, status::not_implemented, status::bad_request, false},
        Row{Errc::backend_failed, status::bad_gateway, status::bad_gateway, false},
        Row{Errc::storage_failed, status::service_unavailable, status::service_unavailable, true},
        Row{Errc::indeterminate, status::service_unavailable, status::service_unavailable, true},
        Row{Errc::expired, status::gone, status::gone, false},
        Row{Errc::timed_out, status::gateway_timeout, status::gateway_timeout, true},
        Row{Errc::stopped, status::service_unavailable, status::service_unavailable, true},
    };
    if (error.is(Errc::already_exists) && error.field == "idempotency_key") {
        return {.status = status::unprocessable_entity};
    }
    if (error.code == boost::asio::error::operation_aborted) {  // a wait given up by the server
        return {.status = status::service_unavailable, .retry_later = true};
    }
    for (const Row& row : rows) {
        if (error.is(row.code)) {
            return {.status = dialect == Dialect::livy ? row.livy : row.native,
                    .retry_later = row.retry_later};
        }
    }
    return {};
}

}  // namespace sparkhost::detail::rest
