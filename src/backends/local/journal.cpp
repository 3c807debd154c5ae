// SPDX-License-Identifier: Apache-2.0
#include "backends/local/journal.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace sparkhost::detail {

namespace journal {

struct Word {
    JournalWord word;
    std::string_view name;
};

constexpr std::array<Word, 9> words{{{JournalWord::claimed, "claimed"},
                                     {JournalWord::process, "process"},
                                     {JournalWord::started, "started"},
                                     {JournalWord::exec_failed, "exec_failed"},
                                     {JournalWord::connected, "connected"},
                                     {JournalWord::application, "application"},
                                     {JournalWord::state, "state"},
                                     {JournalWord::kill_requested, "kill_requested"},
                                     {JournalWord::ended, "ended"}}};

struct End {
    JournalEnd end;
    std::string_view name;
};

constexpr std::array<End, 4> ends{{{JournalEnd::exited, "exit"},
                                   {JournalEnd::signaled, "signal"},
                                   {JournalEnd::failed, "failed"},
                                   {JournalEnd::unknown, "unknown"}}};

template <class Number>
bool parse_number(std::string_view text, Number& number) {
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return !text.empty() && parsed.ec == std::errc() && parsed.ptr == end;
}

/// The text up to the next blank, cut off `rest` together with that blank.
std::string_view cut_word(std::string_view& rest) {
    const auto blank = rest.find(' ');
    const auto word = rest.substr(0, blank);
    rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
    return word;
}

bool parse_time(std::string_view text, JournalTime& time) {
    std::int64_t count = 0;
    if (!parse_number(text, count)) {
        return false;
    }
    time = JournalTime(std::chrono::milliseconds(count));
    return true;
}

std::string format_time(JournalTime time) {
    return std::to_string(time.time_since_epoch().count());
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool has_control(std::string_view text) {
    for (const char c : text) {
        if (is_control(c)) {
            return true;
        }
    }
    return false;
}

std::string one_line(std::string_view text) {
    if (text.size() > max_journal_text) {
        std::size_t size = max_journal_text;
        while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
            --size;
        }
        text = text.substr(0, size);
    }
    std::string line(text);
    for (char& c : line) {
        if (is_control(c)) {
            c = ' ';
        }
    }
    return line;
}

std::string format_process(const ProcessIdentity& process) {
    return std::to_string(process.pid) + ' ' + std::to_string(process.start_time);
}

bool parse_process(std::string_view& rest, ProcessIdentity& process) {
    return parse_number(cut_word(rest), process.pid) && process.pid > 0 &&
           parse_number(cut_word(rest), process.start_time);
}

bool parse_supervisor(std::string_view rest, ProcessIdentity& process) {
    if (!parse_process(rest, process) || rest.empty() || rest.find(' ') != std::string_view::npos) {
        return false;
    }
    process.boot_id = rest;
    return true;
}

bool parse_end(std::string_view rest, JournalEntry& entry) {
    const auto name = cut_word(rest);
    for (const auto& end : ends) {
        if (end.name == name) {
            entry.end = end.end;
            return end.end == JournalEnd::unknown ? rest.empty() : parse_number(rest, entry.number);
        }
    }
    return false;
}

bool parse_rest(std::string_view rest, JournalEntry& entry) {
    switch (entry.word) {
        case JournalWord::claimed:
            return parse_supervisor(rest, entry.process);
        case JournalWord::process:
            return parse_process(rest, entry.process) && rest.empty();
        case JournalWord::exec_failed:
            if (!parse_number(cut_word(rest), entry.number)) {
                return false;
            }
            entry.text = rest;
            return true;
        case JournalWord::ended:
            return parse_end(rest, entry);
        case JournalWord::connected:
        case JournalWord::application:
        case JournalWord::state:
            entry.text = rest;
            return true;
        case JournalWord::started:
        case JournalWord::kill_requested:
            return rest.empty();
    }
    return false;
}

std::string format_rest(const JournalEntry& entry) {
    switch (entry.word) {
        case JournalWord::claimed:
            return ' ' + format_process(entry.process) + ' ' + entry.process.boot_id;
        case JournalWord::process:
            return ' ' + format_process(entry.process);
        case JournalWord::exec_failed:
            return ' ' + std::to_string(entry.number) + ' ' + one_line(entry.text);
        case JournalWord::ended: {
            std::string rest(1, ' ');
            rest += ends[static_cast<std::size_t>(entry.end)].name;
            if (entry.end != JournalEnd::unknown) {
                rest += ' ' + std::to_string(entry.number);
            }
            return rest;
        }
        case JournalWord::connected:
        case JournalWord::application:
        case JournalWord::state:
            return ' ' + one_line(entry.text);
        case JournalWord::started:
        case JournalWord::kill_requested:
            break;
    }
    return {};
}

/// Hands each complete line of `text` to `visit`.
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', begin)) {
        visit(text.substr(begin, end - begin));
        begin = end + 1;
    }
}

}  // namespace journal

std::string format_claim(const Claim& claim) {
    if (claim.killed && !claim.given_up.empty()) {
        return "given-up " + journal::format_time(claim.killed_at) + ' ' +
               journal::one_line(claim.given_up) + '\n';
    }
    if (claim.killed) {
        return "killed " + journal::format_time(claim.killed_at) + '\n';
    }
    return "supervisor " + journal::format_process(claim.supervisor) + ' ' +
           claim.supervisor.boot_id + '\n';
}

std::optional<Claim> parse_claim(std::string_view text) {
    if (text.empty() || text.back() != '\n') {
        return std::nullopt;
    }
    text.remove_suffix(1);
    if (journal::has_control(text)) {
        return std::nullopt;
    }
    Claim claim;
    const auto word = journal::cut_word(text);
    if (word == "killed" && journal::parse_time(text, claim.killed_at)) {
        claim.killed = true;
        return claim;
    }
    if (word == "given-up" && journal::parse_time(journal::cut_word(text), claim.killed_at) &&
        !text.empty()) {
        claim.killed = true;
        claim.given_up = text;
        return claim;
    }
    if (word == "supervisor" && journal::parse_supervisor(text, claim.supervisor)) {
        return claim;
    }
    return std::nullopt;
}

std::string format_journal_line(const JournalEntry& entry) {
    std::string line = journal::format_time(entry.time);
    line += ' ';
    line += journal::words[static_cast<std::size_t>(entry.word)].name;
    line += journal::format_rest(entry);
    line += '\n';
    return line;
}

std::optional<JournalEntry> parse_journal_line(std::string_view line) {
    JournalEntry entry;
    if (journal::has_control(line) || !journal::parse_time(journal::cut_word(line), entry.time)) {
        return std::nullopt;
    }
    const auto name = journal::cut_word(line);
    for (const auto& word : journal::words) {
        if (word.name == name) {
            entry.word = word.word;
            return journal::parse_rest(line, entry) ? std::optional(std::move(entry))
                                                    : std::nullopt;
        }
    }
    return std::nullopt;
}

std::vector<JournalEntry> parse_journal(std::string_view text) {
    std::vector<JournalEntry> entries;
    journal::for_each_line(text, [&](std::string_view line) {
        if (auto entry = parse_journal_line(line)) {
            entries.push_back(std::move(*entry));
        }
    });
    return entries;
}

std::vector<JournalEntry> take_journal_entries(std::string& buffer) {
    auto entries = parse_journal(buffer);
    const auto end = buffer.rfind('\n');
    buffer.erase(0, end == std::string::npos ? 0 : end + 1);
    return entries;
}

}  // namespace sparkhost::detail
