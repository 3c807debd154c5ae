// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_LIVY_CONF_HPP
#define SPARKHOST_EXAMPLES_SERVER_LIVY_CONF_HPP

#include "config.hpp"
#include "livy_keys.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace server {

/// What a configuration of Livy asks for.
struct LivyConf {
    /// An option that it sets.
    struct Setting {
        std::string option{};
        boost::json::value value{};  ///< as Option::set takes it
        std::string source{};        ///< the file, and the key
    };
    /// An entry, for people.
    struct Line {
        std::string entry{};    ///< "livy.server.port = 8999"
        std::string options{};  ///< that it sets, separated by blanks
        std::string note{};
    };
    std::string file{};
    std::vector<Setting> settings{};
    std::vector<Line> lines{};
};

/// Reads livy.conf, or the folder it is in, and spark-blacklist.conf beside it.
/// Throws ConfigError: a file cannot be read, a value has the wrong shape, or something is refused.
LivyConf read_livy_conf(const std::string& path);

/// The same of texts that have been read from files of these names; without the second file its
/// name is empty.
LivyConf parse_livy_conf(const std::string& name, std::string_view text,
                         const std::string& blacklist_name = {}, std::string_view blacklist = {});

/// Which entry does what, one a line. `config`: after everything has been applied.
std::string report(const LivyConf& conf, const Config& config);

/// The table of docs/livy_conf.md.
std::string livy_conf_markdown();

}  // namespace server

#endif
