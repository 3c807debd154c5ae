// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_VALIDATE_HPP
#define SPARKHOST_SRC_CORE_VALIDATE_HPP

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/host.hpp>
#include <sparkhost/session.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail {

/// The rules of BatchSpec that hold for every backend. Errors: invalid_argument with the field.
Result<void> validate(const BatchSpec& spec);

/// The rule of an idempotency key. Errors: as above.
Result<void> validate_key(const std::string& key);

/// The rules of one path of a request; `field` names it. Errors: as above.
Result<void> validate_path(const std::string& path, const std::string& field);

/// The same of SessionSpec; its application needs no file.
Result<void> validate(const SessionSpec& spec);

/// The rules of StatementSpec; its session speaks these kinds.
Result<void> validate(const StatementSpec& spec, const std::vector<std::string>& kinds);

/// Throws std::invalid_argument naming the option that breaks its rule.
void validate(const HostOptions& options);
void validate(const HostPlugins& plugins);
void validate(const HostOptions& options, const HostPlugins& plugins);

}  // namespace sparkhost::detail

#endif
