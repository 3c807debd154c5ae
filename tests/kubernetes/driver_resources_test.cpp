// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/driver_resources.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

namespace sparkhost::detail::kubernetes {

BOOST_AUTO_TEST_SUITE(kubernetes_driver_resources)

BOOST_AUTO_TEST_CASE(memory_is_heap_and_overhead) {
    struct Row {
        Properties properties;
        bool non_jvm;
        bool minimum;
        const char* memory;
        const char* factor;
    };
    const Row rows[] = {
        {{}, false, true, "1408Mi", "0.1"},
        {{}, true, true, "1433Mi", "0.4"},
        {{{"spark.driver.memory", "8g"}}, false, true, "9011Mi", "0.1"},
        {{{"spark.driver.memory", "8g"}}, true, true, "11468Mi", "0.4"},
        {{{"spark.driver.memory", "8g"}, {"spark.kubernetes.memoryOverheadFactor", "0.3"}},
         true,
         true,
         "10649Mi",
         "0.3"},
        {{{"spark.driver.memory", "8g"}, {"spark.driver.memoryOverheadFactor", "0"}},
         true,
         true,
         "8576Mi",
         "0.4"},
        {{{"spark.driver.memoryOverhead", "10m"}}, true, true, "1034Mi", "0.4"},
        {{{"spark.driver.minMemoryOverhead", "1g"}}, false, true, "2048Mi", "0.1"},
        {{{"spark.driver.minMemoryOverhead", "1g"}}, false, false, "1408Mi", "0.1"}};
    for (const auto& row : rows) {
        auto resources = driver_resources(row.properties, {row.non_jvm, row.minimum});
        BOOST_TEST_REQUIRE(resources.has_value());
        BOOST_TEST(resources->requests.at("memory").as_string() == row.memory);
        BOOST_TEST(resources->limits.at("memory").as_string() == row.memory);
        BOOST_TEST(resources->overhead_factor == row.factor);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_size_or_quantity_names_its_property) {
    const std::pair<const char*, const char*> rows[] = {
        {"spark.driver.memory", "lots"},
        {"spark.driver.memoryOverhead", "-1"},
        {"spark.driver.memoryOverheadFactor", "a lot"},
        {"spark.driver.memoryOverheadFactor", "-0.1"},
        {"spark.driver.memoryOverheadFactor", "nan"},
        {"spark.kubernetes.memoryOverheadFactor", ""},
        {"spark.driver.minMemoryOverhead", "x"},
        {"spark.driver.cores", "many"},
        {"spark.kubernetes.driver.request.cores", "-1"},
        {"spark.kubernetes.driver.limit.cores", "1; rm"},
        {"spark.driver.resource.gpu.amount", "1.5"}};
    for (const auto& [key, value] : rows) {
        Properties properties{{key, value}, {"spark.driver.resource.gpu.vendor", "v.com"}};
        auto resources = driver_resources(properties, {});
        BOOST_TEST_REQUIRE(resources.has_error(), key);
        BOOST_TEST(resources.error().is(Errc::invalid_argument));
        BOOST_TEST(resources.error().field == std::string("conf.") + key);
    }
    auto no_vendor = driver_resources({{"spark.driver.resource.gpu.amount", "1"}}, {});
    BOOST_TEST_REQUIRE(no_vendor.has_error());
    BOOST_TEST(no_vendor.error().field == "conf.spark.driver.resource.gpu.vendor");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::kubernetes
