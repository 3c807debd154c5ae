// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_INTEGRATION_REAL_SPARK_HPP
#define SPARKHOST_TESTS_INTEGRATION_REAL_SPARK_HPP

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <ostream>
#include <string>

namespace sparkhost::test {

/// One of the Spark installations the integration tests run on.
struct RealSpark {
    std::string name{};  ///< "35", "4"
    std::string home() const { return required("SPARKHOST_TEST_SPARK" + name); }
    std::string python() const { return required("SPARKHOST_TEST_PYTHON" + name); }

private:
    static std::string required(const std::string& variable) {
        const char* value = std::getenv(variable.c_str());
        BOOST_TEST_REQUIRE(value != nullptr, variable << " is not set; run through tools/test");
        return value;
    }
};

inline std::ostream& operator<<(std::ostream& out, const RealSpark& spark) {
    return out << "Spark " << spark.name;
}

inline const RealSpark all_sparks[] = {{"35"}, {"4"}};

}  // namespace sparkhost::test

#endif
