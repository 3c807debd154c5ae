// SPDX-License-Identifier: Apache-2.0
#include "backends/guarded/log_machine.hpp"

#include <cstddef>

namespace sparkhost::detail::guarded {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

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

}  // namespace sparkhost::detail::guarded
