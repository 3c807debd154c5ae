// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_SHARED_FILES_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_SHARED_FILES_HPP

// Files that the host and all nodes see under the same path (file: URIs). Everything blocks.

#include "backends/yarn/staging.hpp"

#include <string>
#include <string_view>

namespace sparkhost::detail::yarn {

// Errors: as Staging has them.

/// The file is there with all its bytes or not at all, also for the nodes.
Result<FileStatus> write_shared_file(const std::string& path, std::string_view bytes);
Result<FileStatus> copy_shared_file(const std::string& path, const std::string& from);
Result<FileStatus> shared_file_status(const std::string& path);

}  // namespace sparkhost::detail::yarn

#endif
