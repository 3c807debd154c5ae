// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_SITE_RULES_HPP
#define SPARKHOST_SRC_CORE_SITE_RULES_HPP

// What a site's options make of requests, in every dialect.

#include <sparkhost/backend.hpp>
#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/host.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail {

/// Checks a spec that has been validated against the site's rules, and takes out of its conf what
/// only a Livy server would read. Where drivers do not see this host's files, "local:" means
/// theirs, and no root. Errors: invalid_argument, in Livy's words.
Result<void> apply_site_rules(const HostOptions& options, const Backend::Traits& backend,
                              BatchSpec& spec);

/// The same for a file that a running session is to be given; `own_folder` is where the host keeps
/// files for it. Nothing is asked of a driver that does not see this host's files.
Result<void> check_session_file(const HostOptions& options, const Backend::Traits& backend,
                                const std::string& uri, const std::string& own_folder);

/// Adds the site's properties that the request does not have.
void add_default_conf(const HostOptions& options, BatchSpec& spec);

/// Whether everything that Spark could take this path for, as a local file, lies in one of the
/// roots; true for what is not local.
bool is_in_roots(const std::vector<std::string>& roots, const std::string& path);

}  // namespace sparkhost::detail

#endif
