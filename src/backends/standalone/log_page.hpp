// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_LOG_PAGE_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_LOG_PAGE_HPP

#include "backends/guarded/log_machine.hpp"

#include <optional>
#include <string_view>

namespace sparkhost::detail::standalone {

/// Reads "==== Bytes 0-12 of 12 of PATH ====\n…". Nothing: it is something else.
std::optional<guarded::LogPiece> read_log_piece(std::string_view body);

}  // namespace sparkhost::detail::standalone

#endif
