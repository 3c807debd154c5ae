// SPDX-License-Identifier: Apache-2.0
#include "backends/standalone/log_machine.hpp"

#include <charconv>
#include <cstddef>

namespace sparkhost::detail::standalone {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

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

/// Of a line in which each byte that is no text has become one replacement character.
std::int64_t bytes_of_line(std::string_view line) {
    auto bytes = static_cast<std::int64_t>(line.size());
    for (auto at = line.find(replacement); at != std::string_view::npos;
         at = line.find(replacement, at + replacement.size())) {
        bytes -= static_cast<std::int64_t>(replacement.size()) - 1;
    }
    return bytes;
}

LogTake whole_piece(const LogPiece& piece) {
    LogTake take;
    take.text = piece.text;
    if (!take.text.empty() && !take.text.ends_with('\n')) {
        take.text += '\n';
    }
    take.next = piece.end;
    take.at_end = piece.end == piece.total;
    return take;
}

}  // namespace

std::optional<LogPiece> read_log_piece(std::string_view body) {
    LogPiece piece;
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

LogTake take_lines(const LogPiece& piece, bool final) {
    LogTake take;
    take.next = piece.begin;
    const bool is_last = piece.end == piece.total;
    const std::int64_t bytes = piece.end - piece.begin;
    if (bytes == 0) {
        take.at_end = is_last;
        return take;
    }
    if (is_last && final) {
        return whole_piece(piece);
    }
    // up to what is no text, the text is the bytes
    const bool is_exact = static_cast<std::int64_t>(piece.text.size()) == bytes;
    const auto damage = is_exact ? std::string::npos : piece.text.find(replacement);
    const auto line_end = piece.text.rfind('\n', damage);
    if (line_end != std::string::npos) {
        take.text = piece.text.substr(0, line_end + 1);
        take.next = piece.begin + static_cast<std::int64_t>(line_end) + 1;
        take.at_end = is_last && damage == std::string::npos;
        return take;
    }
    const auto first_end = piece.text.find('\n');
    if (first_end == std::string::npos) {
        take.at_end = is_last;  // a line that still grows
        return is_last ? take : whole_piece(piece);
    }
    const std::int64_t guess = bytes_of_line(std::string_view(piece.text).substr(0, first_end + 1));
    if (guess <= 0 || guess >= bytes) {
        return whole_piece(piece);
    }
    take.ask_for = guess;
    return take;
}

}  // namespace sparkhost::detail::standalone
