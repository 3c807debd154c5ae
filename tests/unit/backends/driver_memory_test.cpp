// SPDX-License-Identifier: Apache-2.0
#include "backends/common/driver_memory.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>

namespace sparkhost::detail {

BOOST_AUTO_TEST_SUITE(driver_memory_of_containers)

BOOST_AUTO_TEST_CASE(sizes_are_read_as_java_reads_them) {
    struct Row {
        const char* text;
        std::optional<std::int64_t> size;
    };
    const Row rows[] = {{"1g", 1024},
                        {"1G", 1024},
                        {"1gb", 1024},
                        {"777", 777},
                        {"2097153k", 2048},
                        {"1t", 1048576},
                        {"1048576b", 1},
                        {"1023k", 0},
                        {" 5m ", 5},
                        {"0", 0},
                        {"", std::nullopt},
                        {"g", std::nullopt},
                        {"1.5g", std::nullopt},
                        {"-1g", std::nullopt},
                        {"1gib", std::nullopt},
                        {"1g m", std::nullopt},
                        {"99999999999999999999g", std::nullopt},
                        {"999999999p", std::nullopt}};
    for (const auto& row : rows) {
        BOOST_TEST((mebibytes(row.text) == row.size), row.text);
    }
}

BOOST_AUTO_TEST_CASE(overhead_is_a_part_of_the_heap_but_not_too_little) {
    struct Row {
        Properties properties;
        OverheadRule rule;
        std::int64_t heap;
        std::int64_t overhead;
    };
    const OverheadRule plain;
    const OverheadRule other{"0.4", "spark.x.factor", false};
    const Row rows[] = {
        {{}, plain, 1024, 384},
        {{{"spark.driver.memory", "8g"}}, plain, 8192, 819},
        {{{"spark.driver.memory", "8g"}}, other, 8192, 3276},
        {{{"spark.driver.memory", "8g"}, {"spark.driver.memoryOverheadFactor", "0.2"}},
         other,
         8192,
         1638},
        {{{"spark.driver.memoryOverhead", "10m"}}, plain, 1024, 10},
        {{{"spark.driver.minMemoryOverhead", "1g"}}, plain, 1024, 1024},
        {{{"spark.driver.minMemoryOverhead", "1g"}}, other, 1024, 409},
    };
    for (const auto& row : rows) {
        const auto memory = driver_memory(row.properties, row.rule);
        BOOST_TEST_REQUIRE(memory.has_value());
        BOOST_TEST(memory->heap == row.heap);
        BOOST_TEST(memory->overhead == row.overhead);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_size_or_factor_is_refused_by_name) {
    for (const char* key :
         {"spark.driver.memory", "spark.driver.memoryOverhead", "spark.driver.minMemoryOverhead",
          "spark.driver.memoryOverheadFactor"}) {
        const auto memory = driver_memory({{key, "much"}}, {});
        BOOST_TEST_REQUIRE(memory.has_error(), key);
        BOOST_TEST(memory.error().field == std::string("conf.") + key);
    }
    const auto memory = driver_memory({}, {"much", "spark.x.factor", true});
    BOOST_TEST_REQUIRE(memory.has_error());
    BOOST_TEST(memory.error().field == "conf.spark.x.factor");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail
