// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_RESOURCES_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_RESOURCES_HPP

// What a driver asks of its node, computed as Spark does (BasicDriverFeatureStep).

#include "backends/common/properties_file.hpp"

#include <sparkhost/error.hpp>

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::kubernetes {

/// Spark's sizes: "2g", "512mb"; a bare number means MiB. Parts of a MiB are cut. Nothing: it is no
/// such size.
std::optional<std::int64_t> mebibytes(std::string_view text);

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
