// SPDX-License-Identifier: Apache-2.0
#include "backends/local/ticket_folder.hpp"

#include "backends/local/leftovers.hpp"
#include "backends/local/ticket_data.hpp"

#include "crash_point.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace sparkhost::detail::local {

namespace {

std::uint32_t fnv1a(std::string_view text) {
    std::uint32_t hash = 2166136261u;
    for (char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    }
    return hash;
}

Result<Claim> require_claim(const WorkPaths& paths, const std::string& ticket) {
    auto claim = read_claim(paths, ticket);
    if (!claim) {
        return claim.error();
    }
    if (!*claim) {
        return Error(Errc::backend_failed, "the claim of " + ticket + " has vanished");
    }
    return **claim;
}

}  // namespace

std::string WorkPaths::kept_log(const std::string& ticket) const {
    constexpr char digits[] = "0123456789abcdef";
    const std::uint32_t hash = fnv1a(ticket);
    std::string path = root + "/logs/";
    path += digits[(hash >> 4) & 0xF];
    path += digits[hash & 0xF];
    return path + "/" + ticket + ".log";
}

Result<std::optional<Claim>> read_claim(const WorkPaths& paths, const std::string& ticket) {
    auto text = read_whole_file(paths.claim(ticket), 4096);
    if (!text) {
        if (text.error().is(Errc::not_found)) {
            return std::optional<Claim>();
        }
        return text.error();
    }
    auto claim = parse_claim(*text);
    if (!claim) {
        return Error(Errc::backend_failed, paths.claim(ticket) + " cannot be understood");
    }
    return claim;
}

Result<Claim> claim_for_killer(const WorkPaths& paths, const std::string& ticket, Timestamp now,
                               const std::string& given_up) {
    const std::string folder = paths.folder(ticket);
    if (auto made = make_folder(folder); !made) {
        return made.error();
    }
    static std::atomic<unsigned> counter{0};
    const std::string temporary = folder + "/claim.kill." + std::to_string(::getpid()) + "." +
                                  std::to_string(counter.fetch_add(1));
    Claim claim;
    claim.killed = true;
    claim.killed_at = now;
    claim.given_up = given_up;
    auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (!fd) {
        return fd.error();
    }
    if (auto written = write_fully(fd->get(), format_claim(claim), temporary); !written) {
        return written.error();
    }
    if (::fsync(fd->get()) != 0) {
        return errno_error("sync", temporary, errno);
    }
    SPARKHOST_CRASH_POINT("local.kill.before_claim");
    // link, not rename: whoever comes second must fail
    const bool linked = ::link(temporary.c_str(), paths.claim(ticket).c_str()) == 0;
    const int failure = errno;
    SPARKHOST_CRASH_POINT("local.kill.claimed");
    ::unlink(temporary.c_str());
    if (!linked && failure != EEXIST) {
        return errno_error("claim", folder, failure);
    }
    if (auto synced = sync_folder(folder); !synced) {
        return synced.error();
    }
    if (auto synced = sync_folder(paths.tickets()); !synced) {
        return synced.error();
    }
    return require_claim(paths, ticket);
}

Result<std::vector<JournalEntry>> read_journal(const WorkPaths& paths, const std::string& ticket) {
    auto text = read_whole_file(paths.journal(ticket));
    if (!text) {
        if (text.error().is(Errc::not_found)) {
            return std::vector<JournalEntry>();
        }
        return text.error();
    }
    return parse_journal(*text);
}

Result<void> prepare_ticket_folder(const WorkPaths& paths, const std::string& ticket,
                                   const std::string& properties, const LaunchPlan& plan) {
    const std::string folder = paths.folder(ticket);
    for (const char* name : {"", "/work", "/local"}) {
        if (auto made = make_folder(folder + name); !made) {
            return made;
        }
    }
    SPARKHOST_CRASH_POINT("local.submit.folder_made");
    if (auto fault = launch_fault(plan); !fault.empty()) {
        return Error(Errc::backend_failed, fault);
    }
    if (auto written = write_file_durably(paths.properties(ticket), properties); !written) {
        return written;
    }
    SPARKHOST_CRASH_POINT("local.submit.properties_written");
    if (auto written = write_file_durably(paths.launch(ticket), encode_launch(plan)); !written) {
        return written;
    }
    return sync_folder(paths.tickets());
}

Result<UniqueFd> connect_control(const WorkPaths& paths, const std::string& ticket, pid_t pid) {
    auto folder = open_file(paths.folder(ticket), O_PATH | O_DIRECTORY);
    if (!folder) {
        return folder.error();
    }
    // a socket's path holds 107 bytes, a folder's own may be longer
    const std::string path =
        "/proc/self/fd/" + std::to_string(folder->get()) + "/control." + std::to_string(pid);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) {
        return errno_error("make", "a socket", errno);
    }
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return errno_error("connect to the supervisor of", ticket, errno);
    }
    return socket;
}

Result<void> release_ticket(const WorkPaths& paths, const std::string& ticket, bool keep_log) {
    const std::string log = paths.driver_log(ticket);
    const std::string kept = paths.kept_log(ticket);
    if (!keep_log) {
        if (auto removed = remove_tree(kept); !removed) {
            return removed;
        }
    } else if (file_exists(log)) {
        if (auto made = make_folder(kept.substr(0, kept.find_last_of('/'))); !made) {
            return made;
        }
        if (::rename(log.c_str(), kept.c_str()) != 0) {
            return errno_error("move", log, errno);
        }
    }
    SPARKHOST_CRASH_POINT("local.release.log_moved");
    auto removed = remove_tree(paths.folder(ticket));
    SPARKHOST_CRASH_POINT("local.release.removed");
    return removed;
}

Result<void> settle_abandoned(const WorkPaths& paths, const std::string& ticket, const Claim& claim,
                              Timestamp now) {
    const std::string path = paths.journal(ticket);
    auto journal = open_file(path, O_RDWR | O_CREAT | O_APPEND, 0600);
    if (!journal) {
        return journal.error();
    }
    if (::flock(journal->get(), LOCK_EX) != 0) {
        return errno_error("lock", path, errno);
    }
    auto text = read_whole_file(path);
    if (!text) {
        return text.error();
    }
    auto entries = parse_journal(*text);
    for (const auto& entry : entries) {
        if (entry.word == JournalWord::ended) {
            return ok();
        }
    }
    if (claim.supervisor.boot_id == boot_id()) {
        end_leftovers(ticket, entries);
    }
    SPARKHOST_CRASH_POINT("local.abandoned.leftovers_ended");
    JournalEntry ended;
    ended.time = now;
    ended.word = JournalWord::ended;
    ended.end = JournalEnd::unknown;
    std::string line = format_journal_line(ended);
    if (!text->empty() && text->back() != '\n') {
        line.insert(0, torn_line_end);
    }
    if (auto written = write_fully(journal->get(), line, path); !written) {
        return written;
    }
    SPARKHOST_CRASH_POINT("local.abandoned.written");
    if (::fdatasync(journal->get()) != 0) {
        return errno_error("sync", path, errno);
    }
    return ok();
}

Result<std::vector<std::string>> list_tickets(const WorkPaths& paths) {
    std::vector<std::string> tickets;
    std::error_code error;
    std::filesystem::directory_iterator entry(paths.tickets(), error);
    for (std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
        std::string name = entry->path().filename().string();
        if (is_ticket_id(name)) {
            tickets.push_back(std::move(name));
        }
    }
    if (error) {
        return Error(Errc::backend_failed,
                     "cannot read " + paths.tickets() + ": " + error.message());
    }
    std::sort(tickets.begin(), tickets.end());
    return tickets;
}

}  // namespace sparkhost::detail::local
