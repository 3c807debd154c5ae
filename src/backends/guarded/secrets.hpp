// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_SECRETS_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_SECRETS_HPP

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail::guarded {

/// The key of `work_dir`, made when there is none (0600). Blocking.
Result<std::string> load_or_make_key(const std::string& path);

/// What a ticket's guard has to know: of this key, ticket and nonce alone, so that it is written
/// nowhere. Hex.
std::string guard_secret_of(std::string_view key, std::string_view ticket, std::string_view nonce);

/// Compares in a time that says nothing about where they differ.
bool equal_secrets(std::string_view one, std::string_view other);

/// 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);

/// The first 8 hex digits of the SHA-256 of `bytes`.
std::string short_hash(std::string_view bytes);

}  // namespace sparkhost::detail::guarded

#endif
