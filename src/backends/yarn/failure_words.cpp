// SPDX-License-Identifier: Apache-2.0
#include "backends/yarn/failure_words.hpp"

#include "backends/common/utf8.hpp"
#include "backends/guarded/failure_words.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace sparkhost::detail::yarn {

namespace {

constexpr std::size_t longest_words = 1000;
constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The first line that is not empty.
std::string_view first_line(std::string_view text) {
    text = trimmed(text);
    return trimmed(text.substr(0, text.find('\n')));
}

std::string_view behind(std::string_view text, std::string_view word) {
    const auto at = text.find(word);
    return at == std::string_view::npos ? std::string_view() : text.substr(at + word.size());
}

std::string_view behind_last(std::string_view text, std::string_view word) {
    const auto at = text.rfind(word);
    return at == std::string_view::npos ? std::string_view() : text.substr(at + word.size());
}

std::optional<int> number_behind(std::string_view text, std::string_view word) {
    const std::string_view rest = trimmed(behind(text, word));
    int number = 0;
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    return read.ec == std::errc() ? std::optional<int>(number) : std::nullopt;
}

std::optional<int> exit_code_in(std::string_view diagnostics) {
    // the first ones are the NodeManager's; what comes later can be the application's own output
    for (std::string_view word : {"exitCode:", "Exit code:", "exited with status"}) {
        if (const auto code = number_behind(diagnostics, word)) {
            return *code >= 0 ? code : std::nullopt;
        }
    }
    return std::nullopt;
}

bool says_little(std::string_view text) {
    return text.starts_with("User application exited with") ||
           text.starts_with("Shutdown hook called before");
}

/// Cuts the bracket that was opened before the text.
std::string_view without_closing_bracket(std::string_view text) {
    const bool is_open = std::ranges::count(text, '(') < std::ranges::count(text, ')');
    if (is_open && text.ends_with(')')) {
        text.remove_suffix(1);
    }
    return text;
}

/// "Final app status: FAILED, exitCode: 15, (reason: User class threw exception: …)", which the AM
/// writes last; or the reason alone, where it could tell the ResourceManager.
std::string_view of_spark(std::string_view diagnostics) {
    for (std::string_view word : {"User class threw exception:", "Uncaught exception:"}) {
        if (const auto rest = behind_last(diagnostics, word); !rest.empty()) {
            return without_closing_bracket(first_line(rest));
        }
    }
    const std::string_view reason = behind_last(diagnostics, "(reason: ");
    if (!reason.empty()) {
        return without_closing_bracket(first_line(reason));
    }
    return says_little(diagnostics) ? first_line(diagnostics) : std::string_view();
}

/// "Container [pid=…] is running 1 GB beyond the 'PHYSICAL' memory limit. Current usage: …"
std::string_view of_memory(std::string_view diagnostics) {
    for (std::string_view word : {"memory limit", "virtual memory"}) {
        const auto at = diagnostics.find(word);
        const auto begin = diagnostics.rfind("is running ", at);
        if (at != std::string_view::npos && begin != std::string_view::npos) {
            return first_line(diagnostics.substr(begin));
        }
    }
    return {};
}

/// "Diagnostics: [time]File does not exist: hdfs://…": what kept the container from its start.
std::string_view of_launch(std::string_view diagnostics) {
    std::string_view line = first_line(behind(diagnostics, "Diagnostics: "));
    if (line.starts_with('[')) {
        line = trimmed(behind(line, "]"));
    }
    return line.starts_with("Exception from container-launch") ? std::string_view() : line;
}

/// "Application application_1_2 submitted by user u to unknown queue: q", or that it has failed.
std::string_view of_manager(std::string_view diagnostics) {
    std::string_view line = first_line(diagnostics);
    if (line.starts_with("Application application_")) {
        line = trimmed(behind(line.substr(std::string_view("Application ").size()), " "));
    }
    return line;
}

std::string bounded(std::string_view words) {
    return valid_utf8(std::string(words.substr(0, longest_words)));
}

}  // namespace

FailureWords failure_words(std::string_view diagnostics) {
    FailureWords words;
    words.exit_code = exit_code_in(diagnostics);
    const std::string_view spark = of_spark(diagnostics);
    const std::string output = guarded::failure_words(diagnostics, {});
    for (std::string_view each :
         {of_memory(diagnostics), says_little(spark) ? std::string_view() : spark,
          of_launch(diagnostics), std::string_view(output)}) {
        if (!each.empty()) {
            words.reason = bounded(each);
            words.telling = true;
            return words;
        }
    }
    const std::string_view line = of_manager(diagnostics);
    words.reason = bounded(spark.empty() ? line : spark);
    words.telling = spark.empty() && !line.empty() && line.find(" times due to ") == line.npos;
    return words;
}

std::string waiting_words(std::string_view diagnostics) {
    std::string_view words = first_line(diagnostics);
    if (words.starts_with('[')) {
        words = trimmed(behind(words, "]"));
    }
    words = trimmed(words.substr(0, words.find("Details :")));
    // a container has been found: nothing is waited for that somebody could do
    const bool has_place = words.starts_with("Scheduler has assigned a container") ||
                           words.starts_with("AM container is launched");
    return has_place ? std::string() : bounded(words);
}

}  // namespace sparkhost::detail::yarn
