// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_REST_REDACT_HPP
#define SPARKHOST_SRC_REST_REDACT_HPP

#include <sparkhost/batch.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail::rest {

/// What stands where a secret was; Spark's own words.
inline constexpr std::string_view redacted = "*********(redacted)";

/// Whether a name is that of a secret: secret, password, token, credential, access key …
bool names_secret(std::string_view name);

/// Takes the secrets out of everything that is shown: conf values by their key or their own look,
/// the same values wherever else they occur, arguments after --password and the like, passwords in
/// URIs.
void redact(BatchSpec& spec);
void redact(BatchRecord& record);

}  // namespace sparkhost::detail::rest

#endif
