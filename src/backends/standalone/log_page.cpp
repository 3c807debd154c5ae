// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/log_page.hpp"

#include <charconv>
#include <cstddef>
#include <string>

namespace sparkhost::detail::standalone {

namespace {

bool take_word(std::string_view& text, std::string_view word) {
    if (!text.starts_with(word)) {
        return false;
    }
    text.remove_prefix(word.size());
    return true;
}

bool take_number(std::string_view& text, std::int64_t& number) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || number < 0) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return true;
}

}  // namespace

std::optional<guarded::LogPiece> read_log_piece(std::string_view body) {
    guarded::LogPiece piece;
    const auto line_end = body.find('\n');
    std::string_view head = body.substr(0, line_end);
    const bool good = line_end != std::string_view::npos && take_word(head, "==== Bytes ") &&
                      take_number(head, piece.begin) && take_word(head, "-") &&
                      take_number(head, piece.end) && take_word(head, " of ") &&
                      take_number(head, piece.total) && head.ends_with(" ====");
    if (!good || piece.begin > piece.end || piece.end > piece.total) {
        return std::nullopt;
    }
    if (piece.total > 0) {  // an empty file's text is why there is none
        piece.text = std::string(body.substr(line_end + 1));
    }
    return piece;
}

}  // namespace sparkhost::detail::standalone
