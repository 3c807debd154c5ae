// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_STANDALONE_DRIVER_REQUEST_HPP
#define SPARKHOST_SRC_BACKENDS_STANDALONE_DRIVER_REQUEST_HPP

// From a request to what the master is told, and what the driver is granted. Pure.

#include "backends/common/properties_file.hpp"

#include <sparkhost/backend.hpp>
#include <sparkhost/backends/standalone.hpp>

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::standalone {

/// What the guard calls its folder of granted files in arguments.
inline constexpr std::string_view granted_folder = "{{sparkhost}}/";
/// The granted file with all of the application's properties.
inline constexpr std::string_view properties_name = "spark.properties";
inline constexpr std::string_view guard_class = "io.sparkhost.guard.DriverGuard";

/// The driver's environment variables that are its guard's.
inline constexpr std::string_view guard_address = "SPARKHOST_GUARD_ADDRESS";
inline constexpr std::string_view guard_ticket = "SPARKHOST_GUARD_TICKET";
inline constexpr std::string_view guard_secret = "SPARKHOST_GUARD_SECRET";
inline constexpr std::string_view guard_patience = "SPARKHOST_GUARD_PATIENCE";

struct DriverInput {
    BatchSpec spec{};
    std::vector<DriverFile> files{};
    std::string ticket{};
    std::string guard_jar{};      ///< its URL, for the workers
    std::string agent_address{};  ///< what drivers dial
};

struct DriverRequest {
    /// CreateSubmissionRequest, without the guard's secret.
    boost::json::object body{};
    /// For the granted properties file.
    Properties properties{};
};

/// Errors: invalid_argument – the request can never run; `field` is the path.
Result<DriverRequest> make_driver_request(const StandaloneBackendOptions& options,
                                          const DriverInput& input);

/// Why a request must not set this property; empty: it may.
std::string conf_refusal(std::string_view key);

/// Checks what an operator gives; throws std::invalid_argument with the option's path.
void check_driver_options(const StandaloneBackendOptions& options);

boost::json::object encode_driver_request(const DriverRequest& request);
/// Errors: backend_failed – it is none.
Result<DriverRequest> decode_driver_request(const boost::json::object& object);

}  // namespace sparkhost::detail::standalone

#endif
