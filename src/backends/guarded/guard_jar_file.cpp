// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/guard_jar_file.hpp"

#include "backends/common/posix_file.hpp"
#include "backends/guarded/secrets.hpp"

namespace sparkhost::detail::guarded {

std::string guard_jar_path(const std::string& work_dir, std::string_view jar) {
    return work_dir + "/sparkhost-guard-" + short_hash(jar) + ".jar";
}

Result<void> place_guard_jar(const std::string& work_dir, std::string_view jar) {
    const std::string path = guard_jar_path(work_dir, jar);
    auto there = read_whole_file(path);
    if (there && *there == jar) {
        return ok();
    }
    return write_file_durably(path, jar);
}

}  // namespace sparkhost::detail::guarded
