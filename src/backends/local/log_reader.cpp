// SPDX-License-Identifier: Apache-2.0
#include "backends/local/log_reader.hpp"

#include <algorithm>

namespace sparkhost::detail::local {

namespace {

struct LogSource {
    UniqueFd fd{};  ///< empty: the application has not written anything
    bool ended{false};
};

bool has_ended(const WorkPaths& paths, const std::string& ticket) {
    auto claim = read_claim(paths, ticket);
    if (claim && *claim && (*claim)->killed) {
        return true;
    }
    auto entries = read_journal(paths, ticket);
    return entries && std::any_of(entries->begin(), entries->end(), [](const JournalEntry& entry) {
               return entry.word == JournalWord::ended;
           });
}

Result<LogSource> open_log(const WorkPaths& paths, const std::string& ticket) {
    LogSource source;
    // asked first: what is written before the end is then seen for certain
    const bool present = is_folder(paths.folder(ticket));
    source.ended = present && has_ended(paths, ticket);
    if (present) {
        auto fd = open_file(paths.driver_log(ticket), O_RDONLY);
        if (fd) {
            source.fd = std::move(*fd);
            return source;
        }
        if (!fd.error().is(Errc::not_found)) {
            return fd.error();
        }
    }
    auto kept = open_file(paths.kept_log(ticket), O_RDONLY);
    if (kept) {
        source.fd = std::move(*kept);
        source.ended = true;
        return source;
    }
    if (present && kept.error().is(Errc::not_found)) {
        return source;
    }
    return kept.error().is(Errc::not_found) ? Error(Errc::not_found, "there is no log of " + ticket)
                                            : kept.error();
}

}  // namespace

std::shared_ptr<IndexedLog> LogReader::log(const std::string& ticket) {
    auto found = std::find_if(logs_.begin(), logs_.end(),
                              [&ticket](const auto& log) { return log->ticket == ticket; });
    if (found != logs_.end()) {
        logs_.splice(logs_.begin(), logs_, found);
        return logs_.front();
    }
    auto log = std::make_shared<IndexedLog>();
    log->ticket = ticket;
    logs_.push_front(log);
    if (logs_.size() > kept_indexes) {
        logs_.pop_back();
    }
    return log;
}

void LogReader::forget(const std::string& ticket) {
    logs_.remove_if([&ticket](const auto& log) { return log->ticket == ticket; });
}

Result<LogPage> read_log_page(const WorkPaths& paths, IndexedLog& log, const LogRequest& request) {
    auto source = open_log(paths, request.ticket.id);
    if (!source) {
        return source.error();
    }
    LogPage page;
    page.complete = source->ended;
    std::lock_guard lock(log.mutex);
    if (source->fd) {
        if (auto updated = log.index.update(source->fd.get()); !updated) {
            return updated.error();
        }
        page.total = log.index.complete_lines();
        // a last line without its end may still grow: it counts only when nothing can come any more
        if (page.complete && log.index.has_unfinished_line()) {
            ++page.total;
        }
    }
    page.offset = request.offset >= 0 ? request.offset
                                      : std::max<std::int64_t>(page.total + request.offset, 0);
    if (source->fd) {
        auto lines = log.index.read(source->fd.get(), page.offset, page.total, request.limit,
                                    request.max_bytes);
        if (!lines) {
            return lines.error();
        }
        page.lines = std::move(*lines);
    }
    return page;
}

bool is_waiting_page(const LogPage& page, const LogRequest& request) {
    return request.follow && request.limit > 0 && page.lines.empty() && !page.complete;
}

}  // namespace sparkhost::detail::local
