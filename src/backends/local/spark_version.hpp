// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_SPARK_VERSION_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_SPARK_VERSION_HPP

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace sparkhost::detail::local {

struct SparkVersion {
    int major{0};
    int minor{0};
    std::string text{};  ///< "3.5.9", "4.0.0-preview2"

    bool at_least(int other_major, int other_minor) const noexcept {
        return major != other_major ? major > other_major : minor >= other_minor;
    }
    bool operator==(const SparkVersion&) const = default;
};

/// "3.5.9" and the like; empty when it does not begin with two numbers.
std::optional<SparkVersion> parse_spark_version(std::string_view text);

/// The version in the name of Spark's core jar, "spark-core_2.12-3.5.9.jar".
std::optional<SparkVersion> version_of_core_jar(std::string_view file_name);

/// Major version of a Java version string: "17.0.21.1" is 17, "1.8.0_392" is 8; 0: none.
int java_major_version(std::string_view text);

/// JAVA_VERSION of a Java home's `release` file, without quotes; empty: none.
std::string java_version_of_release(std::string_view release_text);

}  // namespace sparkhost::detail::local

#endif
