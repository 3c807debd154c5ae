// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_JWS_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_JWS_HPP

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail::standalone {

/// The key of a master's JWSFilter from its file: base64url, at least 32 bytes, for nobody else to
/// read. Blocking. Errors: backend_failed – names the option.
Result<std::string> load_jws_key(const std::string& path);

/// A JWS (RFC 7515) over `payload` by HMAC-SHA256, in its compact form.
std::string make_jws(std::string_view key, std::string_view payload);

}  // namespace sparkhost::detail::standalone

#endif
