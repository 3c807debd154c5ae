// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_SRC_BACKENDS_YARN_AM_PLAN_HPP
#define SPARKHOST_SRC_BACKENDS_YARN_AM_PLAN_HPP

// From a request to an ApplicationMaster: what is decided before there is an application id. Pure.

#include "backends/common/properties_file.hpp"

#include <sparkhost/backend.hpp>
#include <sparkhost/backends/yarn.hpp>

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sparkhost::detail::yarn {

inline constexpr std::string_view granted_folder = "{{sparkhost}}/";
/// The granted file with the guard's words: the user's main class and its arguments, a JSON array.
inline constexpr std::string_view arguments_name = "arguments.json";
inline constexpr std::string_view guard_class = "io.sparkhost.guard.DriverGuard";
inline constexpr std::string_view conf_archive_name = "__spark_conf__.zip";
inline constexpr std::string_view guard_jar_name = "__sparkhost_guard__.jar";

/// A file that an application's containers find in their folder.
struct PlannedResource {
    std::string link{};    ///< its name there
    std::string source{};  ///< URI as the cluster names it; for a copied one its path on this host
    bool copied{false};    ///< from this host into the application's staging folder first
    bool archive{false};   ///< unpacked into a folder; by its name's end, which a copy has to keep
    bool for_executors{false};
    bool operator==(const PlannedResource&) const = default;
};

struct AmPlan {
    std::string name{};
    std::string queue{};
    std::string user{};
    std::vector<std::string> tags{};
    std::optional<int> priority{};
    std::string node_label{};
    int memory_mib{0};
    int cores{0};
    std::string staging{};  ///< URI of the folder in which the application's own is made
    std::string command{};  ///< of the AM's container
    std::map<std::string, std::string> environment{};  ///< but for the guard's and the staging's
    Properties properties{};                           ///< __spark_conf__.properties
    std::vector<PlannedResource> resources{};  ///< but for __spark_conf__ and the guard's jar
    std::vector<std::string> arguments{};      ///< the guard's words
    bool operator==(const AmPlan&) const = default;
};

struct AmInput {
    BatchSpec spec{};
    std::vector<DriverFile> files{};
    std::string ticket{};
    std::string store_uuid{};
    std::string default_user{};
};

/// Errors: invalid_argument – the request can never run; `field` is the path.
Result<AmPlan> make_am_plan(const YarnBackendOptions& options, const AmInput& input);

boost::json::object encode_am_plan(const AmPlan& plan);
/// Errors: backend_failed – it is none.
Result<AmPlan> decode_am_plan(const boost::json::object& json);

/// Whether it can be the name of who an application is submitted as.
bool is_user_name(std::string_view name);

/// The tag of all applications of a store: lower-case, as ResourceManagers make them.
std::string store_tag(std::string_view store_uuid);

/// A resource whose file is where the cluster finds it.
struct PlacedResource {
    std::string link{};
    std::string uri{};
    bool archive{false};
    bool for_executors{false};
    std::int64_t size{0};
    std::int64_t modified_ms{0};
};

struct Placement {
    std::string application_id{};
    std::string staging_uri{};                ///< the application's own folder
    std::vector<PlacedResource> resources{};  ///< in the plan's order
};

/// What the conf archive has in it, by name: __spark_conf__.properties,
/// __spark_dist_cache__.properties, __hadoop_conf__/…
std::map<std::string, std::string> conf_archive_files(
    const AmPlan& plan, const Placement& placement,
    const std::map<std::string, std::string>& hadoop_conf);

struct GuardSettings {
    std::string address{};
    std::string ticket{};
    std::string secret{};
    std::chrono::seconds patience{};
};

/// The body of POST /ws/v1/cluster/apps. `own`: __spark_conf__ and the guard's jar, placed.
boost::json::object submission_context(const AmPlan& plan, const Placement& placement,
                                       const std::vector<PlacedResource>& own,
                                       const GuardSettings& guard);

/// Checks what an operator gives; throws std::invalid_argument with the option's path.
void check_am_options(const YarnBackendOptions& options);

}  // namespace sparkhost::detail::yarn

#endif
