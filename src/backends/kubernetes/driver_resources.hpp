// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_RESOURCES_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_RESOURCES_HPP

// What a driver asks of its node, computed as Spark does (BasicDriverFeatureStep).

#include "backends/common/properties_file.hpp"

#include <sparkhost/error.hpp>

#include <boost/json/object.hpp>

#include <string>

namespace sparkhost::detail::kubernetes {

struct ResourceInput {
    bool non_jvm{false};          ///< Python or R: more memory beside the heap
    bool minimum_overhead{true};  ///< spark.driver.minMemoryOverhead counts (Spark 4)
};

struct DriverResources {
    boost::json::object requests{};
    boost::json::object limits{};
    std::string overhead_factor{};  ///< for spark.kubernetes.memoryOverheadFactor
};

/// Errors: invalid_argument – a property is no size, number or quantity; `field` names it.
Result<DriverResources> driver_resources(const Properties& properties, ResourceInput input);

}  // namespace sparkhost::detail::kubernetes

#endif
