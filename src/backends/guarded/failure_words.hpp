// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_GUARDED_FAILURE_WORDS_HPP
#define SPARKHOST_SRC_BACKENDS_GUARDED_FAILURE_WORDS_HPP

#include <string>
#include <string_view>

namespace sparkhost::detail::guarded {

/// What the ends of a driver's output say about why it failed; empty: nothing. A cluster may
/// not know, and a guard learns nothing of System.exit. Pure.
std::string failure_words(std::string_view error_output, std::string_view output);

}  // namespace sparkhost::detail::guarded

#endif
