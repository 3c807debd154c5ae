// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_SPARK_CONF_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_SPARK_CONF_HPP

#include "backends/local/properties_file.hpp"

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::local {

/// What the operator has decided about Spark properties.
struct ConfPolicy {
    Properties defaults{};               ///< spark-defaults.conf
    Properties conf{};                   ///< LocalBackendOptions::conf
    std::vector<std::string> refused{};  ///< patterns; a trailing '*' matches any rest
    std::string master{};
};

/// The properties the application is started with: defaults, then the backend's, then the
/// request's, then its fields, then what is forced.
/// Errors: invalid_argument – a refused or malformed property or field; `field` is its path.
Result<Properties> final_properties(const ConfPolicy& policy, const BatchSpec& spec);

/// Checks what of the request goes into the command line: file, class name, arguments, user.
/// Errors: invalid_argument – it could be taken for something else, or can never be passed.
Result<void> check_command_fields(const BatchSpec& spec);

/// Whether `key` matches one of the patterns.
bool matches_any(const std::vector<std::string>& patterns, std::string_view key);

/// Checks options.conf; throws std::invalid_argument.
void check_operator_conf(const Properties& conf, const std::string& master);

/// The local path `file` names: a bare absolute path, or a file: or local: URI with its percent
/// escapes decoded. Empty: it is none, Spark looks at it itself.
std::string local_path(std::string_view file);

}  // namespace sparkhost::detail::local

#endif
