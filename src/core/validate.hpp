// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_VALIDATE_HPP
#define SPARKHOST_SRC_CORE_VALIDATE_HPP

#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>
#include <sparkhost/host.hpp>

namespace sparkhost::detail {

/// The rules of BatchSpec that hold for every backend. Errors: invalid_argument with the field.
Result<void> validate(const BatchSpec& spec);

/// Throws std::invalid_argument naming the option that breaks its rule.
void validate(const HostOptions& options);
void validate(const HostPlugins& plugins);

}  // namespace sparkhost::detail

#endif
