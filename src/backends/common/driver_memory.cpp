// SPDX-License-Identifier: Apache-2.0
#include "backends/common/driver_memory.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <utility>

namespace sparkhost::detail {

namespace {

Error wrong_property(const std::string& key, const std::string& rule) {
    return Error(Errc::invalid_argument, rule, "conf." + key);
}

std::string property_or(const Properties& properties, const std::string& key,
                        std::string otherwise) {
    const auto found = properties.find(key);
    return found == properties.end() ? std::move(otherwise) : found->second;
}

Result<std::int64_t> size_property(const Properties& properties, const std::string& key,
                                   const std::string& otherwise) {
    const auto size = mebibytes(property_or(properties, key, otherwise));
    if (!size) {
        return wrong_property(key, "must be a size, as in \"512m\"");
    }
    return *size;
}

Result<double> factor_property(const std::string& key, const std::string& text) {
    double factor = -1;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), factor);
    if (code != std::errc{} || end != text.data() + text.size() || !(factor >= 0 && factor < 1e6)) {
        return wrong_property(key, "must be a number, as in \"0.2\"");
    }
    return factor;
}

Result<std::int64_t> overhead_mebibytes(const Properties& properties, const OverheadRule& rule,
                                        std::int64_t memory) {
    constexpr const char* factor_key = "spark.driver.memoryOverheadFactor";
    if (properties.contains("spark.driver.memoryOverhead")) {
        return size_property(properties, "spark.driver.memoryOverhead", "");
    }
    const bool own = properties.contains(factor_key);
    auto factor = factor_property(own ? factor_key : rule.factor_key,
                                  own ? properties.at(factor_key) : rule.factor);
    if (!factor) {
        return factor.error();
    }
    constexpr const char* minimum_key = "spark.driver.minMemoryOverhead";
    auto minimum =
        rule.minimum ? size_property(properties, minimum_key, "384") : Result<std::int64_t>(384);
    if (!minimum) {
        return minimum;
    }
    const double share = *factor * static_cast<double>(memory);
    const double most = std::numeric_limits<int>::max();  // it is an Int in Spark
    return std::max(static_cast<std::int64_t>(std::min(share, most)), *minimum);
}

}  // namespace

std::optional<std::int64_t> mebibytes(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    while (lower.ends_with(' ')) {
        lower.pop_back();
    }
    lower.erase(0, lower.find_first_not_of(' '));
    std::int64_t number = 0;
    const char* last = lower.data() + lower.size();
    const auto [end, code] = std::from_chars(lower.data(), last, number);
    if (code != std::errc{} || number < 0) {
        return std::nullopt;
    }
    const std::string_view unit(end, static_cast<std::size_t>(last - end));
    struct Unit {
        std::string_view name;
        int shift;  // against MiB
    };
    constexpr Unit units[] = {{"", 0},   {"b", -20}, {"k", -10}, {"kb", -10},
                              {"m", 0},  {"mb", 0},  {"g", 10},  {"gb", 10},
                              {"t", 20}, {"tb", 20}, {"p", 30},  {"pb", 30}};
    for (const auto& each : units) {
        if (each.name == unit) {
            if (each.shift <= 0) {
                return number >> -each.shift;
            }
            constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
            return number <= (most >> each.shift) ? std::optional(number << each.shift)
                                                  : std::nullopt;
        }
    }
    return std::nullopt;
}

Result<DriverMemory> driver_memory(const Properties& properties, const OverheadRule& rule) {
    DriverMemory memory;
    auto heap = size_property(properties, "spark.driver.memory", "1g");
    if (!heap) {
        return heap.error();
    }
    auto overhead = overhead_mebibytes(properties, rule, *heap);
    if (!overhead) {
        return overhead.error();
    }
    memory.heap = *heap;
    memory.overhead = *overhead;
    return memory;
}

}  // namespace sparkhost::detail
