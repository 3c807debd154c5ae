// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_TESTS_INTEGRATION_REAL_HARNESS_HPP
#define SPARKHOST_TESTS_INTEGRATION_REAL_HARNESS_HPP

#include "integration/real_spark.hpp"
#include "unit/local/local_harness.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sparkhost::test {

inline constexpr std::chrono::seconds spark_patience{240};

/// A harness with a real Spark in it; its requests are Python programs.
class RealHarness : public LocalHarness {
public:
    explicit RealHarness(const RealSpark& real) {
        options.spark_home = real.home();
        options.java_home.clear();
        options.python = real.python();
        options.master = "local[1]";
        options.environment = {{"PATH", std::getenv("PATH")}, {"HOME", dir.path().string()}};
        options.conf = {{"spark.ui.enabled", "false"}};
        options.kill_grace = std::chrono::seconds(5);
    }
    SubmitRequest python(std::string_view program, std::vector<std::string> args = {}) {
        SubmitRequest made = request("");
        made.spec.file = dir.write("apps/" + made.subject + ".py", program).string();
        made.spec.args = std::move(args);
        return made;
    }
};

}  // namespace sparkhost::test

#endif
