// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_EXAMPLES_SERVER_LIVY_KEYS_HPP
#define SPARKHOST_EXAMPLES_SERVER_LIVY_KEYS_HPP

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace server {

/// What becomes of a key of livy.conf.
enum class LivyFate {
    mapped,   ///< it sets options of this server
    ignored,  ///< it changes nothing here, and that endangers nobody
    refused   ///< the server would be less safe than the file says, or run jobs elsewhere
};

/// A row of the table that --livy-conf and docs/livy_conf.md share.
struct LivyKey {
    std::string_view key;  ///< a '*' at the end stands for any rest; the first row that fits counts
    LivyFate fate;
    std::string_view options;  ///< of what is mapped: their names, separated by blanks
    std::string_view why;      ///< for people; of what is mapped a remark, if any
    /// Of what is refused: the value with which it is not; empty: none.
    std::string_view harmless{};
    /// Of what is mapped: the text as the option's value. Throws ConfigError saying what is
    /// expected. Null: put together with other keys.
    boost::json::value (*convert)(const std::string& text){nullptr};
};

/// All keys of Livy 0.9.
const std::vector<LivyKey>& livy_keys();

/// The row for a key; null for keys that are not Livy's.
const LivyKey* find_livy_key(std::string_view key);

/// Today's spelling of a key that Livy still takes by an older one.
std::string_view current_spelling(std::string_view key);

/// The older spellings and today's.
struct LivySpelling {
    std::string_view old;
    std::string_view current;
};
const std::vector<LivySpelling>& livy_spellings();

}  // namespace server

#endif
