// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_GUARD_JAR_FILE_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_GUARD_JAR_FILE_HPP

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail::guarded {

/// Path of a guard in `work_dir`, "sparkhost-guard-HASH.jar"; `jar` is its bytes.
std::string guard_jar_path(const std::string& work_dir, std::string_view jar);

/// Writes it there, unless it is there. Blocks. Errors: as those of writing a file.
Result<void> place_guard_jar(const std::string& work_dir, std::string_view jar);

}  // namespace sparkhost::detail::guarded

#endif
