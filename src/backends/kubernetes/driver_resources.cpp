// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/driver_resources.hpp"

#include "backends/common/driver_memory.hpp"
#include "backends/kubernetes/driver_conf.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr std::string_view resource_prefix = "spark.driver.resource.";

Error wrong_property(const std::string& key, const std::string& rule) {
    return Error(Errc::invalid_argument, rule, "conf." + key);
}

std::string property_or(const Properties& properties, const std::string& key,
                        std::string otherwise) {
    const auto found = properties.find(key);
    return found == properties.end() ? std::move(otherwise) : found->second;
}

/// Decimal numbers and a suffix, as Kubernetes writes quantities: "250m", "1.5", "2", "4Gi".
bool is_quantity(std::string_view text) {
    const auto digits = text.find_first_not_of("0123456789.");
    const std::string_view suffix =
        digits == std::string_view::npos ? std::string_view() : text.substr(digits);
    constexpr std::array<std::string_view, 14> known{"",  "n", "u", "m",  "k",  "M",  "G",
                                                     "T", "P", "E", "Ki", "Mi", "Gi", "Ti"};
    return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) &&
           std::count(text.begin(), text.end(), '.') <= 1 &&
           std::find(known.begin(), known.end(), suffix) != known.end();
}

/// spark.driver.resource.gpu.amount and .vendor: "nvidia.com/gpu": 2.
Result<void> add_devices(const Properties& properties, boost::json::object& limits) {
    for (const auto& [key, amount] : properties) {
        if (!key.starts_with(resource_prefix) || !key.ends_with(".amount")) {
            continue;
        }
        const std::string name = key.substr(
            resource_prefix.size(), key.size() - resource_prefix.size() - sizeof(".amount") + 1);
        const std::string vendor =
            property_or(properties, std::string(resource_prefix) + name + ".vendor", "");
        if (vendor.empty()) {
            return wrong_property(std::string(resource_prefix) + name + ".vendor",
                                  "is required on Kubernetes, as in \"nvidia.com\"");
        }
        if (amount.empty() || amount.find_first_not_of("0123456789") != std::string::npos) {
            return wrong_property(key, "must be a whole number");
        }
        limits[vendor + "/" + name] = amount;
    }
    return ok();
}

}  // namespace

Result<DriverResources> driver_resources(const Properties& properties, ResourceInput input) {
    DriverResources resources;
    resources.overhead_factor = property_or(properties, "spark.kubernetes.memoryOverheadFactor",
                                            input.non_jvm ? "0.4" : "0.1");
    auto memory = driver_memory(properties,
                                {resources.overhead_factor, "spark.kubernetes.memoryOverheadFactor",
                                 input.minimum_overhead});
    if (!memory) {
        return memory.error();
    }
    const std::string total = std::to_string(memory->heap + memory->overhead) + "Mi";
    const std::string cores = property_or(properties, "spark.driver.cores", "1");
    for (const char* key :
         {"spark.kubernetes.driver.request.cores", "spark.kubernetes.driver.limit.cores"}) {
        if (properties.contains(key) && !is_quantity(properties.at(key))) {
            return wrong_property(key, "must be a quantity of Kubernetes, as in \"500m\" or \"2\"");
        }
    }
    if (!is_quantity(cores)) {
        return wrong_property("spark.driver.cores", "must be a number");
    }
    resources.requests["cpu"] =
        property_or(properties, "spark.kubernetes.driver.request.cores", cores);
    resources.requests["memory"] = total;
    resources.limits["memory"] = total;
    if (properties.contains("spark.kubernetes.driver.limit.cores")) {
        resources.limits["cpu"] = properties.at("spark.kubernetes.driver.limit.cores");
    }
    if (auto added = add_devices(properties, resources.limits); !added) {
        return added.error();
    }
    return resources;
}

bool spark_at_least(const std::string& version, int major, int minor) {
    int found[2] = {0, 0};
    const char* at = version.data();
    const char* end = at + version.size();
    for (int& part : found) {
        const auto [next, code] = std::from_chars(at, end, part);
        if (code != std::errc{}) {
            return false;
        }
        at = next < end && *next == '.' ? next + 1 : next;
    }
    return found[0] != major ? found[0] > major : found[1] >= minor;
}

}  // namespace sparkhost::detail::kubernetes
