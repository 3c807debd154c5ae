// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_LIVY_VALUES_HPP
#define SPARKHOST_EXAMPLES_SERVER_LIVY_VALUES_HPP

#include <boost/json/value.hpp>

#include <string>

namespace server {

// Values of livy.conf as values of options (Option::set). Throw ConfigError saying what is
// expected.
boost::json::value livy_text(const std::string& text);
boost::json::value livy_number(const std::string& text);
boost::json::value livy_upload(const std::string& text);  ///< of a file → of a request with it
boost::json::value livy_flag(const std::string& text);
boost::json::value livy_list(const std::string& text);    ///< separated by commas
boost::json::value livy_master(const std::string& text);  ///< one that this server can run
/// A time in Livy's syntax: "10m", "600s", "1d"; a number alone is milliseconds. Rounded up to
/// seconds, at least one.
boost::json::value livy_seconds(const std::string& text);

}  // namespace server

#endif
