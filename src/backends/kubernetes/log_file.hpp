// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_FILE_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_LOG_FILE_HPP

#include "backends/common/line_index.hpp"
#include "backends/common/posix_file.hpp"
#include "backends/kubernetes/log_machine.hpp"

#include <sparkhost/backend.hpp>

#include <mutex>
#include <string>
#include <string_view>

namespace sparkhost::detail::kubernetes {

/// One driver's log on the host's disk: the lines with their time stamps, so that the file itself
/// says how far it has come. Its name says whether it is complete. Everything blocks; may be
/// called from any thread, one call at a time.
class LogFile {
public:
    LogFile(std::string work_dir, const std::string& ticket);

    /// Tells `stitcher` what there is. What has been written in half is cut off.
    Result<void> resume(LogStitcher& stitcher);
    Result<void> append(std::string_view records);
    /// All of it is durable, `rest` included, and nothing will come any more.
    Result<void> complete(std::string_view rest);
    Result<void> remove();

    bool exists();
    bool is_complete();
    /// The page there is now. Errors: not_found – there is no file.
    Result<LogPage> page(const LogRequest& request);

private:
    Result<void> open_for_append();
    Result<UniqueFd> open_to_read(bool& complete) const;

    std::mutex mutex_{};
    std::string folder_;
    std::string growing_;
    std::string complete_;
    UniqueFd out_{};
    LineIndex index_{};
};

}  // namespace sparkhost::detail::kubernetes

#endif
