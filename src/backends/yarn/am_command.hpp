// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_AM_COMMAND_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_AM_COMMAND_HPP

// The command and the environment of an ApplicationMaster's container. Pure.
//
// A NodeManager writes both into a bash script: `export NAME="VALUE"`, then `exec /bin/bash -c
// "COMMAND"`; before that it replaces {{ and }}, <CPS>, <LOG_DIR> and the like. So what is not ours
// has no such words in it, and its special characters are escaped.

#include "backends/yarn/am_files.hpp"

#include <map>
#include <string>
#include <string_view>

namespace sparkhost::detail::yarn {

/// What Spark puts in the application id's place in Java options.
inline constexpr std::string_view application_id_place = "{{APP_ID}}";

/// Whether a NodeManager would replace a part of it.
bool is_expanded(std::string_view text);

/// One word of the command, taken literally.
std::string command_word(std::string_view text);

/// A variable's value, taken literally.
std::string variable_value(std::string_view text);

/// Still with application_id_place where the options have it.
/// Errors: invalid_argument – Java options or a library path that cannot be passed; `field` names
/// the property.
Result<std::string> am_command(const Properties& properties, int heap_mib, bool has_jar);

/// Of the AM, but for what is only known when it is submitted.
/// Errors: invalid_argument – a variable that cannot be set; `field` names the property.
Result<std::map<std::string, std::string>> am_environment(const YarnBackendOptions& options,
                                                          const Properties& properties,
                                                          const AmFiles& files,
                                                          const std::string& user);

/// The executors' part of it, as properties.
void add_executor_environment(const YarnBackendOptions& options, const AmFiles& files,
                              Properties& properties);

}  // namespace sparkhost::detail::yarn

#endif
