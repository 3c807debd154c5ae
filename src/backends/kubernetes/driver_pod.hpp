// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_POD_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_POD_HPP

// The driver pod, step by step as Spark's feature steps make it.

#include "backends/kubernetes/driver_conf.hpp"
#include "backends/kubernetes/driver_objects.hpp"

#include <sparkhost/error.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::kubernetes {

inline constexpr std::string_view driver_container_name = "spark-kubernetes-driver";
inline constexpr std::string_view spark_conf_folder = "/opt/spark/conf";
inline constexpr std::string_view properties_key = "spark.properties";
/// Always in the ConfigMap, and always mounted: without it, as in a killed application's, no
/// container starts.
inline constexpr std::string_view namespace_key = "spark.kubernetes.namespace";

/// A pod under construction: Spark's container apart from the rest.
struct PodDraft {
    boost::json::object metadata{};
    boost::json::object spec{};  ///< containers: the others
    boost::json::object container{};
    std::vector<boost::json::object> claims{};
};

/// Spark's ports of a driver, with what the properties say.
struct DriverPort {
    std::string name{};
    std::int64_t in_pod{};
    std::int64_t in_service{};
    std::string protocol{};  ///< appProtocol of the Service's; may be empty
};
Result<std::vector<DriverPort>> driver_ports(const DriverInput& input,
                                             const Properties& properties);

/// Labels of the driver: Spark's, ours, the operator's, the request's. The Service selects by them.
Properties driver_labels(const DriverInput& input, const DriverConf& conf);

/// Whether the application needs a Secret: secret properties or files.
bool needs_secret(const DriverInput& input, const DriverConf& conf);

/// Keys of driver_files and secret environment variables in ConfigMap and Secret.
std::string file_key(const DriverFileName& file);
std::string variable_key(std::string_view name);

/// driver_volumes.cpp: spark.kubernetes.driver.{volumes,secrets,secretKeyRef}.*, Hadoop's files.
Result<void> add_conf_volumes(const DriverInput& input, const DriverConf& conf, PodDraft& draft);
Result<void> add_local_dirs(const DriverInput& input, const DriverConf& conf, PodDraft& draft);
void add_spark_conf(const DriverInput& input, const DriverConf& conf, PodDraft& draft);
void add_file_volume(const DriverInput& input, PodDraft& draft);

/// pod_template.cpp: the template with Spark's container taken out.
PodDraft draft_of_template(const boost::json::object& pod_template, const std::string& container);

/// The array below `key`; made if it is missing.
boost::json::array& list_in(boost::json::object& object, std::string_view key);
/// The object below `key`; made if it is missing.
boost::json::object& member_in(boost::json::object& object, std::string_view key);
/// The entry of `list` whose "name" is this; null: there is none.
boost::json::object* entry_named(boost::json::array& list, std::string_view name);
/// The text below `key`, or "".
std::string text_in(const boost::json::object& object, std::string_view key);

/// The whole pod. Errors: invalid_argument – `field` is the property that is wrong.
Result<PodDraft> make_driver_pod(const DriverInput& input, DriverConf& conf);
boost::json::object finished_pod(PodDraft draft);

}  // namespace sparkhost::detail::kubernetes

#endif
