// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_LOCAL_SPARK_INSTALLATION_HPP
#define SPARKHOST_SRC_BACKENDS_LOCAL_SPARK_INSTALLATION_HPP

#include "backends/local/java_command.hpp"
#include "backends/local/spark_version.hpp"

#include <sparkhost/backends/local.hpp>
#include <sparkhost/error.hpp>

#include <string>
#include <vector>

namespace sparkhost::detail::local {

/// A Spark that can be started, as found on this machine.
struct SparkInstallation {
    std::string spark_home{};
    SparkVersion version{};
    std::string scala_version{};              ///< "2.13", from the core jar's name
    std::vector<std::string> logging_jars{};  ///< jars/slf4j-api-*.jar
    std::string java{};                       ///< the program
    std::string java_home{};
    std::string java_version{};
    std::string python{};                     ///< empty: there is none
    std::string conf_folder{};                ///< on the class path
    bool conf_folder_is_ours{true};           ///< empty by design, so archives are possible
    std::vector<std::string> conf_options{};  ///< lines of java-opts
    Properties defaults{};                    ///< spark-defaults.conf
    Environment environment{};  ///< the applications', after spark-env.sh and with our additions
};

/// The environment the options ask for; empty `environment` takes the documented few variables
/// of this process. Reads environ: call it when the backend is made, not later.
Environment initial_environment(const LocalBackendOptions& options);

/// Looks for Spark, Java and Python and reads Spark's configuration. Blocking; may run python,
/// java and bash once each. `empty_conf_folder`: what stands on the class path in place of a
/// configuration folder that has nothing to offer there.
/// Errors: backend_failed – something is missing; `detail` says what to do.
Result<SparkInstallation> find_spark(const LocalBackendOptions& options,
                                     const Environment& environment,
                                     const std::string& empty_conf_folder);

/// A program by its name in `environment`'s PATH; empty: there is none.
std::string find_program(const std::string& name, const Environment& environment);

}  // namespace sparkhost::detail::local

#endif
