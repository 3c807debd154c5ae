// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_CORE_STORAGE_TROUBLE_HPP
#define SPARKHOST_SRC_CORE_STORAGE_TROUBLE_HPP

#include <sparkhost/clock.hpp>

#include <optional>

namespace sparkhost {

struct StorageTrouble {
    std::optional<SteadyTime> since{};            ///< the storage has not worked since
    double total{0};                              ///< seconds, of what is over
    std::optional<SteadyTime> oldest_unstored{};  ///< a report that it has not taken
};

}  // namespace sparkhost

#endif
