// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_OPTION_KINDS_HPP
#define SPARKHOST_EXAMPLES_SERVER_OPTION_KINDS_HPP

#include "options.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace server {

// Rows of the table of options, by the kind of their values.

/// Any text but the empty one.
Option text_option(std::string_view name, std::string_view group, std::string_view argument,
                   std::string_view help, std::string Config::*member);

/// A whole number, `least` or more.
Option count_option(std::string_view name, std::string_view group, std::string_view help,
                    std::int64_t Config::*member, std::int64_t least);

/// Such as 10s, 500ms, 1m.
Option duration_option(std::string_view name, std::string_view group, std::string_view help,
                       std::chrono::milliseconds Config::*member);

Option flag_option(std::string_view name, std::string_view group, std::string_view help,
                   bool Config::*member);

/// `rule` says what would have been right, of one item; empty: it is.
Option list_option(std::string_view name, std::string_view group, std::string_view argument,
                   std::string_view help, std::vector<std::string> Config::*member,
                   std::string (*rule)(const std::string& item));

/// A duration of whole seconds, `least` of them.
Option seconds_option(std::string_view name, std::string_view group, std::string_view help,
                      std::chrono::milliseconds Config::*member, std::int64_t least);

}  // namespace server

#endif
