// SPDX-License-Identifier: Apache-2.0
// The body of POST /batches. Beyond not crashing: what is refused is refused as the client's
// mistake, with words; what is accepted is the same when read again.
#include "rest/livy_request.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    const auto first = sparkhost::detail::rest::read_create_batch(body);
    const auto again = sparkhost::detail::rest::read_create_batch(body);
    require(first.has_value() == again.has_value());
    if (first) {
        require(first->spec == again->spec && first->has_empty_name == again->has_empty_name);
        require(!first->has_empty_name || first->spec.name.empty());
    } else {
        require(first.error().is(sparkhost::Errc::invalid_argument));
        require(!first.error().detail.empty());
    }
    return 0;
}
