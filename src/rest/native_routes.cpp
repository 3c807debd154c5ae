// SPDX-License-Identifier: Apache-2.0
#include "rest/lookup.hpp"
#include "rest/native_batch.hpp"
#include "rest/route.hpp"

#include <array>
#include <utility>

namespace sparkhost::detail::rest {

namespace native {

asio::awaitable<Answer> get_batch(Call call) {
    std::string if_none_match(call.request[http::field::if_none_match]);
    auto observed = co_await observe_batch(call.state, call.id, std::move(if_none_match),
                                           std::move(call.target));
    if (!observed && observed.error().is(Errc::not_found)) {
        co_return problem_response(http::status::not_found, "There is no batch '" + call.id + "'.");
    }
    if (!observed) {
        co_return error_response(Dialect::native, observed.error());
    }
    const std::int64_t version = observed->record.version;
    Response response;
    if (observed->not_modified) {
        response.result(http::status::not_modified);
    } else {
        response = make_response(http::status::ok, "application/json",
                                 native_batch_json(std::move(observed->record)));
    }
    set_etag(response, version);
    co_return response;
}

constexpr std::array table{
    Route{http::verb::get, "api/v1/batches/{}", &get_batch, Dialect::native},
};

}  // namespace native

std::span<const Route> native_routes() {
    return native::table;
}

}  // namespace sparkhost::detail::rest
