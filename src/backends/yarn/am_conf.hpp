// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_AM_CONF_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_AM_CONF_HPP

// Which Spark properties mean something to an ApplicationMaster that is submitted without
// spark-submit, and which may be set. Pure.

#include "backends/common/properties_file.hpp"

#include <sparkhost/error.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::yarn {

inline constexpr std::string_view am_environment_prefix = "spark.yarn.appMasterEnv.";
inline constexpr std::string_view executor_environment_prefix = "spark.executorEnv.";

/// What every application has, whatever is asked for.
const Properties& forced_properties();

/// Why nobody must set this property to this; empty: it may be set.
std::string conf_refusal(const std::string& key, std::string_view value);

/// Whether the value becomes a part of the AM's command line, which everybody on its node can read.
bool is_of_the_command(std::string_view key);

/// Whether a variable of this name is the backend's, or no variable.
bool is_variable_refused(std::string_view name);

/// Spark's times: "100s", "2m", "500"; a bare number means milliseconds. Nothing: it is none.
std::optional<std::chrono::milliseconds> spark_time(std::string_view text);

std::string text_of(const Properties& properties, std::string_view key);

/// A whole number of at most nine digits; `otherwise` where the property is not set.
/// Errors: invalid_argument – it is none, or is below `least`.
Result<int> count_property(const Properties& properties, const std::string& key, int least,
                           int otherwise);

}  // namespace sparkhost::detail::yarn

#endif
