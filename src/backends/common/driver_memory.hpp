// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_COMMON_DRIVER_MEMORY_HPP
#define SPARKHOST_SRC_BACKENDS_COMMON_DRIVER_MEMORY_HPP

// How much memory the container of a driver needs, computed as Spark does.

#include "backends/common/properties_file.hpp"

#include <sparkhost/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail {

/// Spark's sizes: "2g", "512mb"; a bare number means MiB. Parts of a MiB are cut. Nothing: it is no
/// such size.
std::optional<std::int64_t> mebibytes(std::string_view text);

/// Where spark.driver.memoryOverhead and spark.driver.memoryOverheadFactor are not set.
struct OverheadRule {
    std::string factor{"0.1"};
    std::string factor_key{"spark.driver.memoryOverheadFactor"};  ///< the property it came from
    bool minimum{true};  ///< spark.driver.minMemoryOverhead counts (Spark 4), else it is 384 MiB
};

/// In MiB.
struct DriverMemory {
    std::int64_t heap{0};
    std::int64_t overhead{0};
};

/// Errors: invalid_argument – a property is no size or number; `field` names it.
Result<DriverMemory> driver_memory(const Properties& properties, const OverheadRule& rule);

}  // namespace sparkhost::detail

#endif
