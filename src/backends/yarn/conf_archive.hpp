// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_CONF_ARCHIVE_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_CONF_ARCHIVE_HPP

#include <sparkhost/error.hpp>

#include <map>
#include <string>

namespace sparkhost::detail::yarn {

/// A zip with these files, the same bytes for the same files. Errors: backend_failed – with the
/// library's words.
Result<std::string> make_zip(const std::map<std::string, std::string>& files);

}  // namespace sparkhost::detail::yarn

#endif
