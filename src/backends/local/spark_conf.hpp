// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_SPARK_CONF_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_SPARK_CONF_HPP

#include "backends/common/spark_conf.hpp"

#include <string>

namespace sparkhost::detail::local {

/// What the operator has decided about Spark properties.
struct ConfPolicy {
    ConfLayers layers{};
    std::string master{};
};

/// The properties the application is started with: the layers, the request, then what is forced.
/// Errors: as merged_properties.
Result<Properties> final_properties(const ConfPolicy& policy, const BatchSpec& spec);

/// Checks options.conf and options.master; throws std::invalid_argument.
void check_operator_settings(const Properties& conf, const std::string& master);

}  // namespace sparkhost::detail::local

#endif
