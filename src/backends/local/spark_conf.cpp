// SPDX-License-Identifier: Apache-2.0
#include "backends/local/spark_conf.hpp"

#include <stdexcept>

namespace sparkhost::detail::local {

Result<Properties> final_properties(const ConfPolicy& policy, const BatchSpec& spec) {
    auto properties = merged_properties(policy.layers, spec);
    if (properties) {
        (*properties)["spark.master"] = policy.master;
        (*properties)["spark.submit.deployMode"] = "client";
        properties->try_emplace("spark.ui.showConsoleProgress", "false");
    }
    return properties;
}

void check_operator_settings(const Properties& conf, const std::string& master) {
    if (master.empty() || has_control_character(master)) {
        throw std::invalid_argument("LocalBackendOptions::master: must be a Spark master");
    }
    check_operator_conf(conf, "LocalBackendOptions::conf");
}

}  // namespace sparkhost::detail::local
