// SPDX-License-Identifier: Apache-2.0
#include "supervisor/journal_file.hpp"

#include "crash_point.hpp"

#include <cerrno>
#include <chrono>

#include <unistd.h>

namespace sparkhost::supervisor {

void JournalFile::add(detail::JournalEntry entry) {
    entry.time =
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    text_ += detail::format_journal_line(entry);
}

bool JournalFile::flush() {
    // Always from the last durable byte: after a failed sync, nothing says which of the bytes
    // since then the kernel has dropped.
    std::size_t written = durable_;
    while (written < text_.size()) {
        const auto size = ::pwrite(file_.get(), text_.data() + written, text_.size() - written,
                                   static_cast<off_t>(written));
        if (size < 0 && errno != EINTR) {
            return false;
        }
        written += size > 0 ? static_cast<std::size_t>(size) : 0;
        SPARKHOST_CRASH_POINT("supervisor.journal.written");
    }
    if (durable_ < written && ::fdatasync(file_.get()) != 0) {
        return false;
    }
    durable_ = written;
    SPARKHOST_CRASH_POINT("supervisor.journal.synced");
    return true;
}

}  // namespace sparkhost::supervisor
