// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_YAML_JSON_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_YAML_JSON_HPP

#include <sparkhost/error.hpp>

#include <boost/json/value.hpp>

#include <string_view>

namespace sparkhost::detail::kubernetes {

/// The first document of a YAML text (JSON is YAML) as JSON; null when it is empty. Plain scalars
/// become null, booleans and numbers as in YAML 1.2's core schema, quoted ones strings.
/// Errors: invalid_argument – it is no YAML, or grows without measure by its aliases; `detail` says
/// where.
Result<boost::json::value> parse_yaml(std::string_view text);

}  // namespace sparkhost::detail::kubernetes

#endif
