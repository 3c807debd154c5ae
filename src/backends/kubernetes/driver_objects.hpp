// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_OBJECTS_HPP
#define SPARKHOST_SRC_BACKENDS_KUBERNETES_DRIVER_OBJECTS_HPP

// The objects of one application, as Spark's own submission makes them (docs/kubernetes_objects.md
// lists what differs and why). Pure: the same input gives the same objects.

#include "backends/kubernetes/driver_names.hpp"

#include <sparkhost/backends/kubernetes.hpp>
#include <sparkhost/batch.hpp>
#include <sparkhost/error.hpp>

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::kubernetes {

/// Where driver_files are found in the driver.
inline constexpr std::string_view driver_files_folder = "/opt/sparkhost";

/// A file of the host that the driver is to find below driver_files_folder, under its own name.
struct DriverFileName {
    std::string
        path{};  ///< on the host; spec.file and arguments that are equal to it mean the copy
    bool secret{false};  ///< goes into the Secret instead of the ConfigMap
    bool operator==(const DriverFileName&) const = default;
};

struct DriverFileContent {
    DriverFileName file{};
    std::string content{};
};

/// Everything the objects depend on.
struct DriverInput {
    KubernetesBackendOptions options{};
    boost::json::object pod_template{};  ///< of parse_pod_template; empty: none
    std::string api_url{};  ///< "https://host:port": the API server as the host sees it
    std::string default_namespace{};
    std::vector<std::string> namespaces{};  ///< that are allowed; the default one need not be there
    Identity identity{};
    std::string application_id{};  ///< "spark-<32 hex digits>"
    std::int64_t submit_time{};    ///< spark.app.submitTime: milliseconds since 1970
    BatchSpec spec{};
    std::vector<DriverFileName> files{};
};

/// The objects as they are sent. In the ticket's data they say what a submit after a crash or an
/// upgrade has to make; the contents of driver files are not part of it.
struct DriverObjects {
    std::string in_namespace{};
    std::string application_id{};
    boost::json::object config_map{};
    boost::json::object secret{};  ///< empty: there is nothing secret
    boost::json::object pod{};
    boost::json::object service{};  ///< empty: DriverAddress::pod_ip
    /// PersistentVolumeClaims that are made for this application ("OnDemand").
    std::vector<boost::json::object> claims{};
};

/// A pod template of YAML or JSON. Errors: invalid_argument – it is none; `detail` says why.
Result<boost::json::object> parse_pod_template(std::string_view text);

/// Whether options can make drivers at all; throws std::invalid_argument, naming the option.
void check_driver_options(const KubernetesBackendOptions& options);

/// Errors: invalid_argument – the request can never run so; `field` is its path.
Result<DriverObjects> make_driver_objects(const DriverInput& input);

/// The namespace a request asks for, or the default one. Errors: invalid_argument – not allowed.
Result<std::string> driver_namespace(const DriverInput& input);

/// Puts the files' contents into ConfigMap and Secret. Their names are known to the pod already:
/// the same as in DriverInput::files. Errors: invalid_argument – they are too large together.
Result<void> add_driver_files(DriverObjects& objects, const std::vector<DriverFileContent>& files);

/// Makes the ConfigMap the owner of `object` (Secret, Service, claims): it goes with it at the
/// latest.
void set_owner(boost::json::object& object, std::string_view config_map, std::string_view uid);

/// For the ticket's data. Errors of the reader: backend_failed – it was not written by us.
boost::json::object write_driver_objects(const DriverObjects& objects);
Result<DriverObjects> read_driver_objects(const boost::json::object& data);

}  // namespace sparkhost::detail::kubernetes

#endif
