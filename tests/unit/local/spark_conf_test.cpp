// SPDX-License-Identifier: Apache-2.0
#include "backends/local/spark_conf.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

namespace sparkhost::detail::local {

BOOST_AUTO_TEST_SUITE(local_spark_conf)

BOOST_AUTO_TEST_CASE(what_is_forced_wins_over_all) {
    ConfPolicy policy;
    policy.layers.conf = {{"spark.b", "backend"}, {"spark.submit.deployMode", "cluster"}};
    policy.master = "local[2]";
    BatchSpec spec;
    spec.file = "/app.py";
    spec.conf = {{"spark.c", "request"}, {"spark.master", "spark://evil:7077"}};
    auto properties = final_properties(policy, spec);
    BOOST_TEST_REQUIRE(properties.has_value());
    const Properties expected{{"spark.b", "backend"},
                              {"spark.c", "request"},
                              {"spark.master", "local[2]"},
                              {"spark.submit.deployMode", "client"},
                              {"spark.ui.showConsoleProgress", "false"}};
    BOOST_TEST((*properties == expected));
    spec.conf = {{"spark.ui.showConsoleProgress", "true"}};
    properties = final_properties(policy, spec);
    BOOST_TEST_REQUIRE(properties.has_value());
    BOOST_TEST(properties->at("spark.ui.showConsoleProgress") == "true");
}

BOOST_AUTO_TEST_CASE(wrong_operator_settings_throw) {
    BOOST_CHECK_NO_THROW(check_operator_settings({{"spark.a", "b"}}, "local[*]"));
    BOOST_CHECK_THROW(check_operator_settings({{"a", "b"}}, "local[*]"), std::invalid_argument);
    BOOST_CHECK_THROW(check_operator_settings({}, ""), std::invalid_argument);
    BOOST_CHECK_THROW(check_operator_settings({}, "a\nb"), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sparkhost::detail::local
