// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/ticket_store.hpp"

#include "backends/common/posix_file.hpp"
#include "backends/common/ticket_names.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cerrno>
#include <exception>
#include <filesystem>
#include <system_error>

#include <sys/stat.h>

namespace sparkhost::detail::guarded {

namespace {

constexpr std::size_t max_granted_file = std::size_t{64} << 20;
/// Folders that are being removed.
constexpr std::string_view leaving = ".gone-";

Error no_ticket(const std::string& ticket) {
    return Error(Errc::not_found, "there is no ticket " + ticket);
}

struct TicketFile {
    TicketStore::Whose whose{};
    bool prepared{false};
    std::vector<std::string> files{};
};

std::string write_ticket_file(const TicketFile& file) {
    boost::json::array names;
    for (const auto& each : file.files) {
        names.emplace_back(each);
    }
    return boost::json::serialize(boost::json::object{{"store", file.whose.store},
                                                      {"nonce", file.whose.nonce},
                                                      {"prepared", file.prepared},
                                                      {"files", std::move(names)}});
}

Result<TicketFile> read_ticket_file(const std::string& path, const std::string& ticket) {
    auto text = read_whole_file(path);
    if (!text) {
        return text.error().is(Errc::not_found) ? no_ticket(ticket) : text.error();
    }
    try {
        const auto value = boost::json::parse(*text);
        const auto& object = value.as_object();
        TicketFile file;
        file.whose.store = std::string(object.at("store").as_string());
        file.whose.nonce = std::string(object.at("nonce").as_string());
        file.prepared = object.at("prepared").as_bool();
        for (const auto& each : object.at("files").as_array()) {
            file.files.emplace_back(each.as_string());
        }
        return file;
    } catch (const std::exception& failure) {
        return Error(Errc::backend_failed, path + " cannot be read: " + failure.what());
    }
}

/// A line that a crash has torn is ended first: it counts for nothing, and takes no other along.
Result<void> append_line(const std::string& path, const std::string& line) {
    auto fd = open_file(path, O_RDWR | O_APPEND | O_CREAT);
    if (!fd) {
        return fd.error();
    }
    struct stat status {};
    if (::fstat(fd->get(), &status) != 0) {
        return errno_error("look at", path, errno);
    }
    char last = '\n';
    if (status.st_size > 0 && ::pread(fd->get(), &last, 1, status.st_size - 1) != 1) {
        return errno_error("read", path, errno);
    }
    if (auto written = write_fully(fd->get(), (last == '\n' ? "" : "\n") + line, path); !written) {
        return written;
    }
    return ::fdatasync(fd->get()) == 0 ? ok() : Result<void>(errno_error("sync", path, errno));
}

Result<void> read_journal(const std::string& path, TicketFacts& facts) {
    auto text = read_whole_file(path);
    if (!text) {
        return text.error().is(Errc::not_found) ? ok() : Result<void>(text.error());
    }
    std::string_view rest = *text;
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
        if (const auto line = read_journal_line(rest.substr(0, end))) {
            apply(facts, *line);
        }
        rest.remove_prefix(end + 1);
    }
    return ok();
}

}  // namespace

Result<void> TicketStore::open() const {
    if (auto made = make_folder(folder_); !made) {
        return made;
    }
    std::error_code failed;
    for (std::filesystem::directory_iterator each(folder_, failed), end; !failed && each != end;
         each.increment(failed)) {
        if (each->path().filename().string().starts_with(leaving)) {
            if (auto removed = remove_tree(each->path().string()); !removed) {
                return removed;
            }
        }
    }
    return failed ? Result<void>(Error(Errc::backend_failed,
                                       "cannot list " + folder_ + ": " + failed.message()))
                  : ok();
}

bool TicketStore::exists(const std::string& ticket) const {
    return file_exists(path(ticket));
}

Result<std::vector<std::string>> TicketStore::list() const {
    std::vector<std::string> tickets;
    std::error_code failed;
    for (std::filesystem::directory_iterator each(folder_, failed), end; !failed && each != end;
         each.increment(failed)) {
        std::string name = each->path().filename().string();
        if (is_ticket_id(name) && file_exists(path(name) + "/ticket")) {
            tickets.push_back(std::move(name));
        }
    }
    if (failed) {
        return Error(Errc::backend_failed, "cannot list " + folder_ + ": " + failed.message());
    }
    return tickets;
}

Result<void> TicketStore::prepare(const std::string& ticket, const Whose& whose,
                                  const std::vector<ClaimAnswer::File>* files) const {
    const std::string here = path(ticket);
    if (file_exists(here + "/ticket")) {
        return ok();
    }
    TicketFile file;
    file.whose = whose;
    file.prepared = files != nullptr;
    if (auto made = make_folder(here + "/files"); !made) {
        return made;
    }
    for (std::size_t i = 0; files != nullptr && i < files->size(); ++i) {
        const auto& each = (*files)[i];
        if (auto written = write_file_durably(here + "/files/" + each.name, each.content);
            !written) {
            return written;
        }
        file.files.push_back(each.name);
    }
    if (auto synced = sync_folder(here); !synced) {
        return synced;
    }
    if (auto synced = sync_folder(folder_); !synced) {
        return synced;
    }
    return write_file_durably(here + "/ticket", write_ticket_file(file));
}

Result<TicketFacts> TicketStore::read(const std::string& ticket) const {
    const std::string here = path(ticket);
    auto file = read_ticket_file(here + "/ticket", ticket);
    if (!file) {
        return file.error();
    }
    TicketFacts facts;
    facts.store = std::move(file->whose.store);
    facts.nonce = std::move(file->whose.nonce);
    facts.prepared = file->prepared;
    if (auto journal = read_journal(here + "/journal", facts); !journal) {
        return journal.error();
    }
    auto end = read_whole_file(here + "/end");
    if (end) {
        facts.end = read_end(*end);
    } else if (!end.error().is(Errc::not_found)) {
        return end.error();
    }
    return facts;
}

Result<std::vector<ClaimAnswer::File>> TicketStore::granted(const std::string& ticket) const {
    const std::string here = path(ticket);
    auto file = read_ticket_file(here + "/ticket", ticket);
    if (!file) {
        return file.error();
    }
    std::vector<ClaimAnswer::File> files;
    for (auto& name : file->files) {
        auto content = read_whole_file(here + "/files/" + name, max_granted_file);
        if (!content) {
            return content.error();
        }
        files.push_back({std::move(name), std::move(*content)});
    }
    return files;
}

Result<void> TicketStore::append(const std::string& ticket, const JournalLine& line) const {
    if (!file_exists(path(ticket) + "/ticket")) {
        return no_ticket(ticket);
    }
    const std::string journal = path(ticket) + "/journal";
    const bool is_new = !file_exists(journal);
    if (auto appended = append_line(journal, write_journal_line(line)); !appended) {
        return appended;
    }
    return is_new ? sync_folder(path(ticket)) : ok();
}

Result<TicketEnd> TicketStore::finish(const std::string& ticket, const TicketEnd& end) const {
    const std::string here = path(ticket);
    if (!file_exists(here + "/ticket")) {
        return no_ticket(ticket);
    }
    const std::string draft = here + "/end." + random_hex(8);
    if (auto written = write_file_durably(draft, write_end(end)); !written) {
        return written.error();
    }
    const int failed = ::link(draft.c_str(), (here + "/end").c_str()) == 0 ? 0 : errno;
    ::unlink(draft.c_str());
    if (failed != 0 && failed != EEXIST) {
        return errno_error("make", here + "/end", failed);
    }
    if (auto synced = sync_folder(here); !synced) {
        return synced.error();
    }
    auto text = read_whole_file(here + "/end");
    if (!text) {
        return text.error();
    }
    auto first = read_end(*text);
    return first ? Result<TicketEnd>(std::move(*first))
                 : Result<TicketEnd>(Error(Errc::backend_failed, here + "/end cannot be read"));
}

Result<void> TicketStore::remove(const std::string& ticket) const {
    const std::string gone = folder_ + "/" + std::string(leaving) + ticket + "-" + random_hex(8);
    if (::rename(path(ticket).c_str(), gone.c_str()) != 0) {
        return errno == ENOENT ? ok() : Result<void>(errno_error("rename", path(ticket), errno));
    }
    if (auto synced = sync_folder(folder_); !synced) {
        return synced;
    }
    return remove_tree(gone);
}

}  // namespace sparkhost::detail::guarded
