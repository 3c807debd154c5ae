// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BENCHMARKS_SUPPORT_LOAD_HPP
#define SPARKHOST_BENCHMARKS_SUPPORT_LOAD_HPP

#include "support/report.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace sparkhost::bench {

struct LoadPlan {
    std::uint16_t port{0};
    std::size_t connections{1};
    std::chrono::milliseconds duration{2000};
    std::chrono::milliseconds warm_up{300};
    /// The bytes of the n-th request of a connection.
    std::function<std::string(std::size_t connection, std::size_t n)> request{};
    unsigned status{200};  ///< any other answer ends the program
};

struct LoadResult {
    double rate{0};  ///< answers per second
    Samples latency{};
};

/// Keeps `connections` keep-alive connections busy, each with one request at a time, from one
/// thread of its own (the calling one).
LoadResult run_load(LoadPlan plan);

std::string get_request(const std::string& target);
std::string post_request(const std::string& target, const std::string& body);

}  // namespace sparkhost::bench

#endif
