// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_OPTIONS_HPP
#define SPARKHOST_EXAMPLES_SERVER_OPTIONS_HPP

#include "config.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server {

/// How an option's value is written. In the config file: a string, a number, true or false, or
/// a list of strings; a duration is a number of seconds or a string such as "1500ms".
enum class Kind { text, count, duration, flag, list };

/// One row of the table that the command line, the config file, --help and --print-config share.
struct Option {
    std::string_view name;      ///< long option and config key
    std::string_view group;     ///< heading in --help
    std::string_view argument;  ///< "N"; empty for flags
    std::string_view help;
    Kind kind{Kind::text};
    /// Takes a value of the kind's JSON type (durations: milliseconds). Gives what would have
    /// been right when it refuses the value; empty when it took it.
    std::function<std::string(Config&, const boost::json::value&)> set{};
    std::function<boost::json::value(const Config&)> get{};
};

/// All options that a config file may hold too, in the order of --help.
const std::vector<Option>& options();

/// The rows of `options` that are about batches that fail.
std::vector<Option> retry_options();

/// Those about where batches and sessions run.
std::vector<Option> backend_options();

/// The row of this name; nullptr where there is none.
const Option* find_option(std::string_view name);

/// "10s", "1500ms", "2m", "10" (seconds) → milliseconds.
std::optional<std::int64_t> parse_duration(std::string_view text);

/// The number that the whole text is.
std::optional<std::int64_t> whole_number(std::string_view text);

/// "; did you mean --max-running?", or nothing when no name is near.
std::string suggestion(std::string_view unknown, std::string_view prefix);

/// Reads the words of a command line as the kind's JSON type. Throws ConfigError.
boost::json::value value_from_text(const Option& option, const std::string& text);

/// Checks a value of a config file and brings it to the form that `set` takes. Throws ConfigError.
boost::json::value value_from_json(const Option& option, const boost::json::value& value,
                                   const std::string& where);

}  // namespace server

#endif
