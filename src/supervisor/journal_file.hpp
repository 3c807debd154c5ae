// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_SUPERVISOR_JOURNAL_FILE_HPP
#define SPARKHOST_SRC_SUPERVISOR_JOURNAL_FILE_HPP

#include "backends/local/journal.hpp"
#include "supervisor/fd.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sparkhost::supervisor {

/// The ticket's journal, with a copy in memory. What the disk does not take (full, broken) waits
/// in memory, in order, until a later flush succeeds.
class JournalFile {
public:
    /// `file` is open for writing and nobody else writes to it.
    explicit JournalFile(Fd file) : file_(static_cast<Fd&&>(file)) {}

    /// Adds a line, with the present time. It does not count before flush.
    void add(detail::JournalEntry entry);

    /// Makes all added lines durable; false, with errno, when the disk does not take them now.
    bool flush();

    bool has_pending() const { return durable_ < text_.size(); }

    /// All lines that are durable.
    std::string_view durable() const { return std::string_view(text_).substr(0, durable_); }

private:
    Fd file_;
    std::string text_{};
    std::size_t durable_{0};
};

}  // namespace sparkhost::supervisor

#endif
