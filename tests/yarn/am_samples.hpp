// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_YARN_AM_SAMPLES_HPP
#define SPARKHOST_TESTS_YARN_AM_SAMPLES_HPP

// Requests and options as the recorded bodies were made of.

#include "backends/yarn/am_plan.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>

namespace sparkhost::yarn_test {

using namespace detail::yarn;

inline YarnBackendOptions home_options() {
    YarnBackendOptions options;
    options.staging = "file:///srv/staging";
    options.spark_home = "/opt/spark";
    options.python = "/opt/python/bin/python3";
    options.user = "alice";
    options.webhdfs = {"http://namenode:9870"};
    return options;
}

inline YarnBackendOptions archive_options() {
    YarnBackendOptions options = home_options();
    options.spark_home.clear();
    options.spark_archive = "file:///srv/spark/spark-libs.zip";
    options.pyspark_archives = {"file:///srv/spark/pyspark.zip",
                                "file:///srv/spark/py4j-0.10.9.7-src.zip"};
    return options;
}

inline AmInput jar_input() {
    AmInput input;
    input.spec.file = "/data/pi.jar";
    input.spec.class_name = "JPi";
    input.spec.args = {"2", "a b'$c\"d"};
    input.spec.name = "pi";
    input.spec.driver_memory = "512m";
    input.ticket = "spark-01234567-batch-7-1";
    input.store_uuid = "01234567-89AB-cdef-0123-456789abcdef";
    input.default_user = "nobody";
    return input;
}

inline AmInput python_input() {
    AmInput input = jar_input();
    input.spec.file = "/data/pypi.py";
    input.spec.class_name.clear();
    return input;
}

inline AmPlan plan_of(const YarnBackendOptions& options, const AmInput& input) {
    auto plan = make_am_plan(options, input);
    BOOST_TEST_REQUIRE(plan.has_value(),
                       (plan ? std::string() : plan.error().field + ": " + plan.error().detail));
    return std::move(*plan);
}

/// Field of the refusal; "none" where there is a plan.
inline std::string refused_field(const YarnBackendOptions& options, const AmInput& input) {
    const auto plan = make_am_plan(options, input);
    if (plan) {
        return "none";
    }
    BOOST_TEST((plan.error().code == Errc::invalid_argument));
    BOOST_TEST(!plan.error().detail.empty());
    return plan.error().field;
}

}  // namespace sparkhost::yarn_test

#endif
