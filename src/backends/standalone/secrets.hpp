// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_SECRETS_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_SECRETS_HPP

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail::standalone {

/// The key of `work_dir`, made when there is none (0600). Blocking.
Result<std::string> load_or_make_key(const std::string& path);

/// What a ticket's guard has to know: of this key, ticket and nonce alone, so that it is written
/// nowhere. Hex.
std::string guard_secret_of(std::string_view key, std::string_view ticket, std::string_view nonce);

/// Compares in a time that says nothing about where they differ.
bool equal_secrets(std::string_view one, std::string_view other);

/// The key of a master's JWSFilter from its file: base64url, at least 32 bytes, for nobody else to
/// read. Blocking. Errors: backend_failed – names the option.
Result<std::string> load_jws_key(const std::string& path);

/// A JWS (RFC 7515) over `payload` by HMAC-SHA256, in its compact form.
std::string make_jws(std::string_view key, std::string_view payload);

/// The first 8 hex digits of the SHA-256 of `bytes`.
std::string short_hash(std::string_view bytes);

}  // namespace sparkhost::detail::standalone

#endif
