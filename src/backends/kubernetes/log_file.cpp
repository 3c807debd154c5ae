// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/log_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace sparkhost::detail::kubernetes {

namespace {

Result<std::string> read_end(const std::string& path, std::size_t size) {
    return read_file_tail(path, size);
}

/// Where what is sound ends: behind the last line that is whole and has a stamp.
std::size_t sound_size(std::string_view records, bool from_beginning) {
    std::size_t begin = 0;
    if (!from_beginning) {
        begin = std::min(records.find('\n'), records.size() - 1) + 1;
    }
    for (;;) {
        const auto end = records.find('\n', begin);
        if (end == std::string_view::npos || !log_stamp(records.substr(begin, end - begin))) {
            return begin;
        }
        begin = end + 1;
    }
}

}  // namespace

LogFile::LogFile(std::string work_dir, const std::string& ticket)
    : folder_(std::move(work_dir) + "/logs"),
      growing_(folder_ + "/" + ticket + ".growing"),
      complete_(folder_ + "/" + ticket + ".log") {}

bool LogFile::is_complete() {
    return file_exists(complete_);
}

bool LogFile::exists() {
    return file_exists(complete_) || file_exists(growing_);
}

Result<void> LogFile::open_for_append() {
    if (out_) {
        return ok();
    }
    auto made = make_folder(folder_);
    if (!made) {
        return made;
    }
    auto opened = open_file(growing_, O_WRONLY | O_CREAT | O_APPEND);
    if (!opened) {
        return opened.error();
    }
    out_ = std::move(*opened);
    return ok();
}

Result<void> LogFile::resume(LogStitcher& stitcher) {
    const std::lock_guard lock(mutex_);
    auto opened = open_for_append();
    if (!opened) {
        return opened;
    }
    struct stat status {};
    if (::fstat(out_.get(), &status) != 0) {
        return errno_error("read", growing_, errno);
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    std::size_t wanted = std::min<std::size_t>(size, 256 * 1024);
    Result<std::string> end = read_end(growing_, wanted);
    while (end && wanted < size && LogStitcher::needs_more(*end)) {
        wanted = std::min(size, wanted * 4);
        end = read_end(growing_, wanted);
    }
    if (!end) {
        return end.error();
    }
    const std::size_t sound = sound_size(*end, wanted == size);
    const std::size_t kept = size - end->size() + sound;
    if (kept < size && ::ftruncate(out_.get(), static_cast<off_t>(kept)) != 0) {
        return errno_error("cut", growing_, errno);
    }
    end->resize(sound);
    stitcher.remember(*end);
    return ok();
}

Result<void> LogFile::append(std::string_view records) {
    const std::lock_guard lock(mutex_);
    auto opened = open_for_append();
    if (!opened || records.empty()) {
        return opened;
    }
    return write_fully(out_.get(), records, growing_);
}

Result<void> LogFile::complete(std::string_view rest) {
    const std::lock_guard lock(mutex_);
    auto opened = open_for_append();
    if (opened && !rest.empty()) {
        opened = write_fully(out_.get(), rest, growing_);
    }
    if (!opened) {
        return opened;
    }
    if (::fsync(out_.get()) != 0) {
        return errno_error("sync", growing_, errno);
    }
    if (::rename(growing_.c_str(), complete_.c_str()) != 0) {
        return errno_error("rename", growing_, errno);
    }
    out_.reset();
    return sync_folder(folder_);
}

Result<void> LogFile::remove() {
    const std::lock_guard lock(mutex_);
    out_.reset();
    auto removed = remove_tree(growing_);
    return removed ? remove_tree(complete_) : removed;
}

/// The complete one is looked for last, too: it may have been renamed in between.
Result<UniqueFd> LogFile::open_to_read(bool& complete) const {
    complete = true;
    auto opened = open_file(complete_, O_RDONLY);
    if (!opened && opened.error().is(Errc::not_found)) {
        complete = false;
        opened = open_file(growing_, O_RDONLY);
    }
    if (!opened && opened.error().is(Errc::not_found)) {
        complete = true;
        opened = open_file(complete_, O_RDONLY);
    }
    return opened;
}

Result<LogPage> LogFile::page(const LogRequest& request) {
    const std::lock_guard lock(mutex_);
    LogPage page;
    auto opened = open_to_read(page.complete);
    if (!opened) {
        return opened.error();
    }
    const int fd = opened->get();
    auto updated = index_.update(fd);
    if (!updated) {
        return updated.error();
    }
    page.total = index_.complete_lines();
    if (page.complete && index_.has_unfinished_line()) {
        ++page.total;
    }
    page.offset = request.offset >= 0 ? request.offset
                                      : std::max<std::int64_t>(page.total + request.offset, 0);
    auto lines = index_.read(fd, page.offset, page.total, request.limit, request.max_bytes);
    if (!lines) {
        return lines.error();
    }
    for (std::string& line : *lines) {
        line.erase(0, line.size() - log_text(line).size());
    }
    page.lines = std::move(*lines);
    return page;
}

}  // namespace sparkhost::detail::kubernetes
