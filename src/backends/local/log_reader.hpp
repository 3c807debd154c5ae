// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_LOG_READER_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_LOG_READER_HPP

#include "backends/common/line_index.hpp"
#include "backends/local/folder_events.hpp"
#include "backends/local/ticket_folder.hpp"

#include <sparkhost/backend.hpp>

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

namespace sparkhost::detail::local {

/// The index of one ticket's log. Shared with the blocking executor's threads.
struct IndexedLog {
    std::string ticket{};
    std::mutex mutex{};
    LineIndex index{};
};

/// The indexes of the logs read last. For one strand.
class LogReader {
public:
    std::shared_ptr<IndexedLog> log(const std::string& ticket);
    void forget(const std::string& ticket);
    std::shared_ptr<FolderEvents> events() const { return events_; }

private:
    static constexpr std::size_t kept_indexes = 64;
    std::list<std::shared_ptr<IndexedLog>> logs_{};  ///< used last first
    std::shared_ptr<FolderEvents> events_ = std::make_shared<FolderEvents>();
};

/// The page there is now; nothing is waited for. Blocking.
/// Errors: not_found – there is neither a ticket nor a kept log.
Result<LogPage> read_log_page(const WorkPaths& paths, IndexedLog& log, const LogRequest& request);

/// Whether a following reader has to wait on after this page.
bool is_waiting_page(const LogPage& page, const LogRequest& request);

}  // namespace sparkhost::detail::local

#endif
