// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_JAVA_COMMAND_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_JAVA_COMMAND_HPP

// The command bin/spark-submit ends up executing for a driver in client mode, without the JVM
// it starts to find that out (Spark's org.apache.spark.launcher, as of 3.5 and 4.x).

#include "backends/common/properties_file.hpp"
#include "backends/local/spark_version.hpp"

#include <sparkhost/error.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sparkhost::detail::local {

using Environment = std::map<std::string, std::string>;

/// Everything the virtual machine's own arguments depend on.
struct JavaCommandRequest {
    std::string java{};  ///< the program, absolute
    std::string spark_home{};
    SparkVersion version{};
    std::vector<std::string> logging_jars{};  ///< 4.x: jars/slf4j-api-*.jar, which come first
    std::string conf_folder{};                ///< the configuration folder on the class path
    std::vector<std::string> conf_options{};  ///< lines of its `java-opts` file
    std::string archive{};                    ///< class-data archive; empty: none
    Properties properties{};                  ///< the application's final properties
    Environment environment{};                ///< the application's own
    std::function<bool(const std::string&)> is_folder{};
};

/// The class path, in the launcher's order, without repetitions.
std::string java_class_path(const JavaCommandRequest& request);

/// The program and its options, up to but without the main class.
/// Errors: invalid_argument – options that cannot be split, or with -Xmx in them; `field` names
/// the property.
Result<std::vector<std::string>> java_options(const JavaCommandRequest& request);

/// What SparkSubmit is to run.
struct SubmitArguments {
    std::string properties_file{};
    std::string class_name{};
    std::string proxy_user{};
    std::string file{};
    std::vector<std::string> args{};
};

/// SparkSubmit's class name and arguments, in the launcher's order.
std::vector<std::string> submit_arguments(const SubmitArguments& arguments);

/// Options that open Java's modules to Spark, verbatim for this version.
std::vector<std::string> java_module_options(const SparkVersion& version);

}  // namespace sparkhost::detail::local

#endif
