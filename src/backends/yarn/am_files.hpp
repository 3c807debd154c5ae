// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_AM_FILES_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_AM_FILES_HPP

// What the containers of an application find in their folders. Pure.

#include "backends/yarn/am_plan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::yarn {

inline constexpr std::string_view app_jar_name = "__app__.jar";
inline constexpr std::string_view spark_archive_link = "__spark_libs__";
/// Where .py files lie that are to be imported.
inline constexpr std::string_view python_folder = "__pyfiles__";

enum class AppKind { jar, python, r };
AppKind kind_of(std::string_view file);

/// Whether a NodeManager unpacks it, which it decides by the name.
bool is_archive_name(std::string_view name);

struct AmFiles {
    std::vector<PlannedResource> resources{};
    std::vector<std::string> jars{};         ///< beside the application's: links, or local: URIs
    std::vector<std::string> python_path{};  ///< links, or paths on every node
    std::string main{};                      ///< the application's file, as the driver finds it
    std::string local_jar{};                 ///< the application's, where it is on every node
};

/// Errors: invalid_argument – a file that cannot be had, or two of one name; `field` says which.
Result<AmFiles> plan_files(const YarnBackendOptions& options, const AmInput& input);

/// The words for a granted file; empty: it is none.
std::string granted_word(const std::vector<DriverFile>& files, const std::string& path);

}  // namespace sparkhost::detail::yarn

#endif
