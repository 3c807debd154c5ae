// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_WEBHDFS_ANSWER_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_WEBHDFS_ANSWER_HPP

// What NameNodes and DataNodes say. Pure.

#include "backends/yarn/staging.hpp"

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>

namespace sparkhost::detail::yarn {

/// What an answer that is no success means.
struct HdfsRefusal {
    enum class Who {
        this_one,  ///< only this NameNode cannot say: ask the next one
        all        ///< the file system's word
    };
    Who who{Who::all};
    Error error{};  ///< as Staging has them
};
HdfsRefusal read_hdfs_refusal(int status, std::string_view body);

/// Of op=GETFILESTATUS. Errors: backend_failed – it is something else, or a folder.
Result<FileStatus> read_file_status(std::string_view body);
/// Of op=MKDIRS and op=DELETE: {"boolean":…}. Errors: backend_failed – it is something else.
Result<bool> read_hdfs_verdict(std::string_view body);

/// A Location, in two: what a client is made for, and the target asked of it. Errors:
/// backend_failed – it is none.
struct HdfsLocation {
    std::string server{};  ///< "http://datanode:9864"
    std::string target{};
};
Result<HdfsLocation> read_location(std::string_view location);

/// "/webhdfs/v1/folder/file?op=OP&user.name=USER".
std::string hdfs_target(std::string_view path, std::string_view operation, std::string_view user);

}  // namespace sparkhost::detail::yarn

#endif
