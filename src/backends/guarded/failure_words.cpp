// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/failure_words.hpp"

#include "backends/common/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace sparkhost::detail::guarded {

namespace {

constexpr std::size_t longest_failure_words = 1000;

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (!line.empty()) {
            lines.push_back(line);
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

bool is_indented(std::string_view line) {
    return line.starts_with(' ') || line.starts_with('\t');
}

/// "ValueError: no such thing": the line behind the frames of Python's last traceback.
std::string_view of_python(const Lines& lines) {
    const auto begin = std::find_if(lines.rbegin(), lines.rend(), [](std::string_view line) {
        return line.starts_with("Traceback (most recent call last)");
    });
    if (begin == lines.rend()) {
        return {};
    }
    const auto found = std::find_if_not(begin.base(), lines.end(), is_indented);
    return found == lines.end() ? std::string_view() : *found;
}

/// From `word` on, or from where the word begins that it ends.
std::string_view last_with(const Lines& lines, std::string_view word) {
    const auto found = std::find_if(lines.rbegin(), lines.rend(), [word](std::string_view line) {
        return line.find(word) != std::string_view::npos;
    });
    if (found == lines.rend()) {
        return {};
    }
    const auto blank = found->substr(0, found->find(word)).find_last_of(" \t");
    return found->substr(blank == std::string_view::npos ? 0 : blank + 1);
}

}  // namespace

std::string failure_words(std::string_view error_output, std::string_view output) {
    const Lines errors = lines_of(error_output);
    const Lines out = lines_of(output);
    std::string words(of_python(out));
    if (words.empty()) {
        words = std::string(of_python(errors));
    }
    if (words.empty()) {
        for (std::string_view word : {"Local jar ", "Error: "}) {
            const auto found = last_with(errors, word);
            words += (words.empty() || found.empty() ? "" : " ") + std::string(found);
        }
    }
    if (words.empty()) {
        words = std::string(last_with(out, "can't open file"));
    }
    for (std::string_view word : {"Exception in thread ", "sparkhost guard: "}) {
        if (words.empty()) {
            words = std::string(last_with(errors, word));
        }
    }
    return valid_utf8(words.substr(0, longest_failure_words));
}

}  // namespace sparkhost::detail::guarded
