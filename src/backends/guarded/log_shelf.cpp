// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/log_shelf.hpp"

#include "backends/common/posix_file.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>

namespace sparkhost::detail::guarded {

namespace {

std::string write_place(const LogPlace& place) {
    return boost::json::serialize(boost::json::object{{"size", place.size},
                                                      {"stdout", place.out_at},
                                                      {"stderr", place.error_at},
                                                      {"complete", place.complete}});
}

}  // namespace

Result<LogPlace> ShelvedLog::read_place() const {
    auto text = read_whole_file(folder_ + "/place");
    if (!text) {
        return text.error().is(Errc::not_found) ? Result<LogPlace>(LogPlace{}) : text.error();
    }
    try {
        const auto value = boost::json::parse(*text);
        const auto& object = value.as_object();
        LogPlace place;
        place.size = object.at("size").as_int64();
        place.out_at = object.at("stdout").as_int64();
        place.error_at = object.at("stderr").as_int64();
        place.complete = object.at("complete").as_bool();
        return place;
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed, folder_ + "/place cannot be read: " + failure.what());
    }
}

Result<LogPlace> ShelvedLog::place() {
    const std::lock_guard lock(mutex_);
    return read_place();
}

Result<void> ShelvedLog::append(const LogPlace& from, LogPlace to, const std::string& text) {
    const std::lock_guard lock(mutex_);
    auto now = read_place();
    if (!now) {
        return now.error();
    }
    if (*now != from) {
        return ok();
    }
    if (auto made = make_folder(folder_); !made) {
        return made;
    }
    const std::string path = folder_ + "/log";
    auto fd = open_file(path, O_WRONLY | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    if (::ftruncate(fd->get(), from.size) != 0 || ::lseek(fd->get(), from.size, SEEK_SET) < 0) {
        return errno_error("cut", path, errno);
    }
    if (auto written = write_fully(fd->get(), text, path); !written) {
        return written;
    }
    if (::fdatasync(fd->get()) != 0) {
        return errno_error("sync", path, errno);
    }
    to.size = from.size + static_cast<std::int64_t>(text.size());
    return write_file_durably(folder_ + "/place", write_place(to));
}

Result<LogPage> ShelvedLog::page(const LogRequest& request) {
    const std::lock_guard lock(mutex_);
    auto place = read_place();
    if (!place) {
        return place.error();
    }
    LogPage page;
    page.complete = place->complete;
    auto fd = open_file(folder_ + "/log", O_RDWR);
    if (fd) {
        if (::ftruncate(fd->get(), place->size) != 0) {
            return errno_error("cut", folder_ + "/log", errno);
        }
        if (auto updated = index_.update(fd->get()); !updated) {
            return updated.error();
        }
        page.total = index_.complete_lines();
    } else if (!fd.error().is(Errc::not_found)) {
        return fd.error();
    }
    page.offset = request.offset >= 0 ? request.offset
                                      : std::max<std::int64_t>(page.total + request.offset, 0);
    if (fd) {
        auto lines =
            index_.read(fd->get(), page.offset, page.total, request.limit, request.max_bytes);
        if (!lines) {
            return lines.error();
        }
        page.lines = std::move(*lines);
    }
    return page;
}

std::shared_ptr<ShelvedLog> LogShelf::log(const std::string& ticket) {
    auto found = std::find_if(logs_.begin(), logs_.end(),
                              [&ticket](const auto& each) { return each.ticket == ticket; });
    if (found != logs_.end()) {
        logs_.splice(logs_.begin(), logs_, found);
        return logs_.front().log;
    }
    logs_.push_front({ticket, std::make_shared<ShelvedLog>(folder_of(ticket))});
    // what is still in use must stay the only one for its files
    for (auto each = logs_.rbegin(); logs_.size() > kept_logs && each != logs_.rend(); ++each) {
        if (each->log.use_count() == 1) {
            logs_.erase(std::next(each).base());
            break;
        }
    }
    return logs_.front().log;
}

bool LogShelf::exists(const std::string& ticket) const {
    return file_exists(folder_of(ticket));
}

void LogShelf::forget(const std::string& ticket) {
    logs_.remove_if([&ticket](const auto& each) { return each.ticket == ticket; });
}

}  // namespace sparkhost::detail::guarded
