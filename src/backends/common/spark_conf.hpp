// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_SPARK_CONF_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_SPARK_CONF_HPP

// From a request to Spark's properties: what every backend does alike.

#include "backends/common/properties_file.hpp"

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail {

/// Where properties come from; later members win.
struct ConfLayers {
    Properties defaults{};               ///< spark-defaults.conf or the like
    Properties conf{};                   ///< the backend's options
    std::vector<std::string> refused{};  ///< of the request; a trailing '*' matches any rest
};

/// The properties of defaults, then the backend, then the request's conf, then its fields. What a
/// backend forces comes on top of it.
/// Errors: invalid_argument – a refused or malformed property or field; `field` is its path.
Result<Properties> merged_properties(const ConfLayers& layers, const BatchSpec& spec);

/// Checks what of the request goes into a command line: file, class name, arguments, user.
/// Errors: invalid_argument – it could be taken for something else, or can never be passed.
Result<void> check_command_fields(const BatchSpec& spec);

/// Whether `key` matches one of the patterns.
bool matches_any(const std::vector<std::string>& patterns, std::string_view key);

/// Checks properties that an operator gives; throws std::invalid_argument. `option` is where:
/// "LocalBackendOptions::conf".
void check_operator_conf(const Properties& conf, const std::string& option);

/// (?i)secret|password|token|access[.]?key, Spark's default redaction pattern.
bool matches_redaction(std::string_view text);

/// "module/package": what Spark has to open in Java 17 and later. The last of Spark's versions to
/// need one more was 3.5.
const std::vector<std::string>& opened_java_packages();

/// Below 0x20, or 0x7F.
bool has_control_character(std::string_view text);

/// Of "s3a://bucket/x" it is "s3a"; in lower case; empty: there is none.
std::string uri_scheme(std::string_view text);

/// The path of a URI, its percent escapes decoded; without authority, query and fragment.
std::string uri_path(std::string_view uri);

/// The local path `file` names: a bare absolute path, or a file: or local: URI with its percent
/// escapes decoded. Empty: it is none, Spark looks at it itself.
std::string local_path(std::string_view file);

}  // namespace sparkhost::detail

#endif
