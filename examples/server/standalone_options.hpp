// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_STANDALONE_OPTIONS_HPP
#define SPARKHOST_EXAMPLES_SERVER_STANDALONE_OPTIONS_HPP

#include <sparkhost/backends/standalone.hpp>

#include <string>

namespace server {

/// One --standalone: "KEY=VALUE,KEY=VALUE…"; a comma in a value is written twice. Throws
/// ConfigError, which names the key. `work_dir` is left empty.
sparkhost::StandaloneBackendOptions parse_standalone(const std::string& text);

/// What is wrong with one; empty: nothing.
std::string standalone_rule(const std::string& text);

}  // namespace server

#endif
