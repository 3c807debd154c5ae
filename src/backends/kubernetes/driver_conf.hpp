// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_CONF_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_CONF_HPP

// Which Spark properties a driver gets, and which a request may set: docs/kubernetes_objects.md.

#include "backends/common/properties_file.hpp"
#include "backends/kubernetes/driver_objects.hpp"

#include <sparkhost/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::kubernetes {

enum class AppLanguage { java, python, r };

/// The application with everything decided that is no matter of pods.
struct DriverConf {
    Properties properties{};
    std::string in_namespace{};
    AppLanguage language{AppLanguage::java};
    std::string resource{};  ///< the application file as the driver sees it
    std::string main_class{};
    std::vector<std::string> args{};
};

/// Errors: invalid_argument – the request asks for what it must not, or cannot run; `field`.
Result<DriverConf> make_driver_conf(const DriverInput& input);

/// Whether a request may set this property at all; nothing: it may; else why not.
std::string conf_refusal(const KubernetesBackendOptions& options, std::string_view key);

/// Whether key or value look secret as Spark's default redaction pattern has it.
bool looks_secret(std::string_view key, std::string_view value);

/// Whether the properties must not be readable by everybody who may read ConfigMaps.
bool has_secrets(const Properties& properties);

/// The properties below `prefix`, by the rest of their names.
Properties below(const Properties& properties, std::string_view prefix);

/// "4.1.2" is at least (4, 1). False when the version is not known.
bool spark_at_least(const std::string& version, int major, int minor);

}  // namespace sparkhost::detail::kubernetes

#endif
