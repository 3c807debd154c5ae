// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_YARN_OPTIONS_HPP
#define SPARKHOST_EXAMPLES_SERVER_YARN_OPTIONS_HPP

#include <sparkhost/backends/yarn.hpp>

#include <string>

namespace server {

/// One --yarn: "KEY=VALUE,KEY=VALUE…"; a comma in a value is written twice. Throws ConfigError,
/// which names the key. `work_dir` is left empty.
sparkhost::YarnBackendOptions parse_yarn(const std::string& text);

/// What is wrong with one; empty: nothing.
std::string yarn_rule(const std::string& text);

}  // namespace server

#endif
