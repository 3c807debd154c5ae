// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_SECRET_HPP
#define SPARKHOST_SRC_CORE_SECRET_HPP

#include <string>
#include <string_view>

namespace sparkhost::detail {

/// 256 random bits in hexadecimal digits. Throws std::runtime_error when the system has none.
std::string make_secret();

/// SHA-256 in hexadecimal digits: what is stored of a secret.
std::string hash_secret(std::string_view secret);

/// Whether the secret is the one whose hash was stored; takes the same time for any wrong one.
bool is_secret(std::string_view secret, std::string_view stored_hash);

}  // namespace sparkhost::detail

#endif
