// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_FAILURE_WORDS_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_FAILURE_WORDS_HPP

// What the diagnostics of an application say. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::yarn {

struct FailureWords {
    /// Of the AM's process; a NodeManager's own numbers, which are negative, are none.
    std::optional<int> exit_code{};
    std::string reason{};
    /// The reason says what has gone wrong, not only that something has.
    bool telling{false};
};

/// Diagnostics have the end of the AM's error output in them, too.
FailureWords failure_words(std::string_view diagnostics);

/// For what an application waits that has no container; empty: for nothing in particular. The same
/// words for the same reason: without times and figures.
std::string waiting_words(std::string_view diagnostics);

}  // namespace sparkhost::detail::yarn

#endif
