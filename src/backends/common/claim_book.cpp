// SPDX-License-Identifier: Apache-2.0
#include "backends/common/claim_book.hpp"

#include "backends/common/posix_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace sparkhost::detail {

namespace claim_book {

namespace fs = std::filesystem;

constexpr std::string_view killed_line = "killed\n";
constexpr std::string_view claimed_word = "claimed ";
constexpr std::string_view temporary_mark = ".tmp.";
constexpr std::size_t longest_content = 4096;

bool is_digit_or(char c, char first, char last) {
    return (c >= '0' && c <= '9') || (c >= first && c <= last);
}

bool is_ticket(std::string_view text) {
    constexpr std::size_t longest = 63;
    return !text.empty() && text.size() <= longest &&
           std::ranges::all_of(text, [](char c) { return is_digit_or(c, 'a', 'z') || c == '-'; });
}

bool is_nonce(std::string_view text) {
    constexpr std::size_t longest = 64;
    return !text.empty() && text.size() <= longest && std::ranges::all_of(text, [](char c) {
        return is_digit_or(c, 'a', 'z') || (c >= 'A' && c <= 'Z');
    });
}

bool is_driver(std::string_view text) {
    constexpr std::size_t longest = 255;
    return text.size() <= longest &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

Result<void> check(const std::string& ticket) {
    if (!is_ticket(ticket)) {
        return Error(Errc::invalid_argument, "this is no ticket");
    }
    return ok();
}

std::string main_file(const std::string& folder, const std::string& ticket) {
    return folder + "/" + ticket;
}
std::string driver_file(const std::string& folder, const std::string& ticket) {
    return main_file(folder, ticket) + ".driver";
}
std::string killed_file(const std::string& folder, const std::string& ticket) {
    return main_file(folder, ticket) + ".killed";
}

/// A file without its last byte is none: its line has no end.
ClaimEntry parse(std::string_view content) {
    ClaimEntry entry;
    if (content == killed_line) {
        entry.killed = true;
        return entry;
    }
    entry.holder = ClaimEntry::Holder::unreadable;
    if (!content.starts_with(claimed_word) || !content.ends_with('\n')) {
        return entry;
    }
    content = content.substr(claimed_word.size(), content.size() - claimed_word.size() - 1);
    const auto space = content.find(' ');
    if (space == std::string_view::npos || !is_nonce(content.substr(0, space)) ||
        !is_driver(content.substr(space + 1))) {
        return entry;
    }
    entry.holder = ClaimEntry::Holder::driver;
    entry.nonce = content.substr(0, space);
    entry.driver = content.substr(space + 1);
    return entry;
}

std::string write(const std::string& nonce, const std::string& driver) {
    return std::string(claimed_word) + nonce + " " + driver + "\n";
}

/// Unlike file_exists: what cannot be looked at may be there.
Result<bool> exists(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0) {
        return true;
    }
    if (errno == ENOENT) {
        return false;
    }
    return errno_error("look at", path, errno);
}

/// A complete file of a name that nobody else has, on any machine; removed with the object.
class Temporary {
public:
    static Result<Temporary> write(const std::string& path, std::string_view content) {
        Temporary made(path + std::string(temporary_mark) + "XXXXXX");
        UniqueFd fd(::mkostemp(made.path_.data(), O_CLOEXEC));
        if (!fd) {
            const auto failure = errno_error("make", made.path_, errno);
            made.path_.clear();
            return failure;
        }
        if (auto written = write_fully(fd.get(), content, made.path_); !written) {
            return written.error();
        }
        if (::fsync(fd.get()) != 0) {
            return errno_error("sync", made.path_, errno);
        }
        return made;
    }
    Temporary(Temporary&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    Temporary& operator=(Temporary&&) = delete;
    ~Temporary() {
        if (!path_.empty()) {
            ::unlink(path_.c_str());
        }
    }
    const std::string& path() const { return path_; }

private:
    explicit Temporary(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

/// Whether the name was free. The file is there completely, or not at all.
Result<bool> write_first(const std::string& folder, const std::string& file,
                         std::string_view content) {
    {
        const auto temporary = Temporary::write(file, content);
        if (!temporary) {
            return temporary.error();
        }
        if (::link(temporary->path().c_str(), file.c_str()) != 0) {
            if (errno == EEXIST) {
                return false;
            }
            return errno_error("make", file, errno);
        }
    }
    if (auto synced = sync_folder(folder); !synced) {
        return synced.error();
    }
    return true;
}

/// Makes a file durable that is there as it is to be: whoever wrote it may have been cut short
/// before the folder was on disk.
Result<void> write_again(const std::string& folder, const std::string& file,
                         std::string_view content) {
    const auto temporary = Temporary::write(file, content);
    if (!temporary) {
        return temporary.error();
    }
    if (::rename(temporary->path().c_str(), file.c_str()) != 0) {
        return errno_error("rename", temporary->path(), errno);
    }
    return sync_folder(folder);
}

bool is_free(const ClaimEntry& entry) {
    return entry.holder == ClaimEntry::Holder::nobody && !entry.killed;
}

bool is_of(const ClaimEntry& entry, const std::string& nonce) {
    return entry.holder == ClaimEntry::Holder::driver && entry.nonce == nonce && !entry.killed;
}

ClaimDecision decide(ClaimEntry entry, const std::string& nonce) {
    ClaimDecision decision;
    if (entry.killed) {
        decision.answer = ClaimDecision::Answer::killed;
    } else if (is_of(entry, nonce)) {
        decision.answer = ClaimDecision::Answer::granted;
    }
    decision.entry = std::move(entry);
    return decision;
}

}  // namespace claim_book

ClaimBook::ClaimBook(std::string folder) : folder_(std::move(folder)) {}

Result<void> ClaimBook::open() {
    if (auto made = make_folder(folder_); !made) {
        return made;
    }
    // a claim is no more durable than the folder that it is in
    if (auto synced = sync_folder(folder_ + "/.."); !synced) {
        return synced;
    }
    std::error_code failure;
    std::vector<std::string> leftovers;
    for (claim_book::fs::directory_iterator each(folder_, failure), end; !failure && each != end;
         each.increment(failure)) {
        if (each->path().filename().string().find(claim_book::temporary_mark) !=
            std::string::npos) {
            leftovers.push_back(each->path().string());
        }
    }
    if (failure) {
        return errno_error("read", folder_, failure.value());
    }
    for (const auto& leftover : leftovers) {
        ::unlink(leftover.c_str());
    }
    return ok();
}

Result<ClaimEntry> ClaimBook::read(const std::string& ticket) const {
    using namespace claim_book;
    if (auto checked = check(ticket); !checked) {
        return checked.error();
    }
    ClaimEntry entry;
    const auto content = read_whole_file(main_file(folder_, ticket), longest_content);
    if (content) {
        entry = parse(*content);
    } else if (!content.error().is(Errc::not_found) || !is_folder(folder_)) {
        return Error(Errc::backend_failed, content.error().detail);
    }
    if (entry.holder == ClaimEntry::Holder::driver && entry.driver.empty()) {
        auto driver = read_whole_file(driver_file(folder_, ticket), longest_content);
        if (driver && driver->ends_with('\n')) {
            driver->pop_back();
            entry.driver = is_driver(*driver) ? *driver : std::string();
        }
    }
    const auto killed = exists(killed_file(folder_, ticket));
    if (!killed) {
        return killed.error();
    }
    entry.killed = entry.killed || *killed;
    return entry;
}

Result<ClaimDecision> ClaimBook::claim(const std::string& ticket, const std::string& nonce,
                                       const std::string& driver) {
    using namespace claim_book;
    if (!is_nonce(nonce) || !is_driver(driver)) {
        return Error(Errc::invalid_argument, "this is no nonce, or no name of a driver");
    }
    auto entry = read(ticket);
    if (!entry) {
        return entry.error();
    }
    const auto file = main_file(folder_, ticket);
    bool durable = false;
    if (is_free(*entry)) {
        const auto first = write_first(folder_, file, write(nonce, driver));
        if (!first) {
            return first.error();
        }
        durable = *first;
        entry = read(ticket);
        if (!entry) {
            return entry.error();
        }
    }
    if (is_of(*entry, nonce) && !durable) {
        // as it was written: a name that came later has a file of its own
        const auto content = read_whole_file(file, longest_content);
        const auto again = content ? write_again(folder_, file, *content) : content.error();
        if (!again) {
            return again.error();
        }
    }
    if (is_of(*entry, nonce) && entry->driver.empty() && !driver.empty()) {
        const auto named = write_first(folder_, driver_file(folder_, ticket), driver + "\n");
        if (!named) {
            return named.error();
        }
    }
    entry = read(ticket);  // a kill may have come meanwhile
    if (!entry) {
        return entry.error();
    }
    return decide(std::move(*entry), nonce);
}

Result<ClaimEntry> ClaimBook::take(const std::string& ticket) {
    using namespace claim_book;
    auto entry = read(ticket);
    if (!entry) {
        return entry;
    }
    const auto file = main_file(folder_, ticket);
    if (is_free(*entry)) {
        const auto first = write_first(folder_, file, killed_line);
        if (!first) {
            return first.error();
        }
        entry = read(ticket);
        if (!entry || *first) {
            return entry;
        }
    }
    const bool by_mark = entry->holder != ClaimEntry::Holder::nobody;
    const auto mark = by_mark ? killed_file(folder_, ticket) : file;
    if (!entry->killed) {
        const auto marked = write_first(folder_, mark, killed_line);
        if (!marked) {
            return marked.error();
        }
        if (*marked) {
            return read(ticket);
        }
    }
    // somebody else's kill, which may have been cut short
    if (auto again = write_again(folder_, mark, killed_line); !again) {
        return again.error();
    }
    return read(ticket);
}

Result<void> ClaimBook::forget(const std::string& ticket) {
    using namespace claim_book;
    if (auto checked = check(ticket); !checked) {
        return checked;
    }
    bool removed = false;
    // the mark of a kill last: what is left after a crash is never granted
    for (const auto& file :
         {main_file(folder_, ticket), driver_file(folder_, ticket), killed_file(folder_, ticket)}) {
        if (::unlink(file.c_str()) == 0) {
            removed = true;
        } else if (errno != ENOENT) {
            return errno_error("remove", file, errno);
        }
    }
    return removed ? sync_folder(folder_) : ok();
}

}  // namespace sparkhost::detail
