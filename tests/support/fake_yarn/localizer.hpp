// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_SUPPORT_FAKE_YARN_LOCALIZER_HPP
#define SPARKHOST_TESTS_SUPPORT_FAKE_YARN_LOCALIZER_HPP

#include "support/fake_yarn/application.hpp"
#include "support/fake_yarn/fake_hdfs.hpp"

#include <map>
#include <string>

namespace sparkhost::test::yarn {

/// What a container's folder has in it: bytes by link.
struct Localized {
    std::map<std::string, std::string> files{};
    std::string failure{};  ///< in a NodeManager's words; empty: all is there
    std::string sin{};      ///< what a NodeManager would not have noticed
};

/// Fetches the local resources of a launch context as a NodeManager does.
Localized localize(const Hdfs& hdfs, const Application& application);

/// The entries of {"entry":[{"key":…,"value":…}]} at `name`.
std::map<std::string, boost::json::value> entries_of(const boost::json::object& object,
                                                     const std::string& name);

/// Removes "file:///x" or "hdfs://host/x" with all that is in it.
void remove_tree(Hdfs& hdfs, const std::string& uri);

}  // namespace sparkhost::test::yarn

#endif
