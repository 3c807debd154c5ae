// SPDX-License-Identifier: Apache-2.0
#ifndef SPARKHOST_BACKENDS_STANDALONE_HPP
#define SPARKHOST_BACKENDS_STANDALONE_HPP

#include <sparkhost/backend.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sparkhost {

struct StandaloneBackendOptions {
    // --- the cluster ---
    /// The backend's name. Default: "standalone".
    std::string name{"standalone"};
    /// spark.master of every application: "spark://host:7077"; several masters as
    /// "spark://host1:7077,host2:7077". Required.
    std::string master{};
    /// Where the masters take submissions: "http://host:6066" (spark.master.rest.enabled). Empty:
    /// port 6066 of each of `master`'s hosts.
    std::vector<std::string> rest_urls{};
    /// The masters' web pages: "http://host:8080". Empty: port 8080 of each of `master`'s hosts.
    std::vector<std::string> web_urls{};
    /// File (0600) with the key of the master's JWSFilter, base64url as in its `secretKey`: each
    /// request carries a bearer token signed with it. Empty: none.
    std::string jws_key_file{};

    // --- what drivers are made of ---
    /// URL of sparkhost-guard.jar as the workers reach it (hdfs:, http:, file: on each worker).
    /// Empty: `work_dir`, where the backend puts it; for workers that see this folder.
    std::string guard_jar{};
    /// Interpreter for Python applications on the workers (PYSPARK_PYTHON). Empty: the workers'.
    std::string python{};
    /// Environment of the drivers, beside their worker's own. Names that begin with SPARKHOST_ are
    /// the backend's. Visible to who can look into the master: no secrets.
    std::map<std::string, std::string> environment{};
    /// Spark properties for every application; a request's own properties win.
    std::map<std::string, std::string> conf{};
    /// Properties a request must not set; a trailing '*' matches any rest. What the backend decides
    /// is refused in any case (docs/standalone.md).
    std::vector<std::string> refused_conf{"spark.launcher.*", "spark.remote"};

    // --- how it goes on ---
    /// Folder for claims, tickets and logs; made if it is missing (0700). An absolute path on a
    /// local file system with hard links, for one host only. Required.
    std::string work_dir{};
    /// How long a driver tries to reach the host before it gives up. 1 s to 24 h. Default: 10 min
    std::chrono::seconds guard_patience{std::chrono::minutes{10}};
    /// A driver that runs, and that no master has known for so long, counts as lost. A master that
    /// has forgotten its drivers (no recoveryMode) ends them when their workers come back. At least
    /// 1 s. Default: 2 min
    std::chrono::milliseconds lost_after{std::chrono::minutes{2}};
    /// How long the end of a log is tried to be fetched from a worker that does not answer, before
    /// it is kept as it is. Not negative. Default: 2 min
    std::chrono::milliseconds log_patience{std::chrono::minutes{2}};

    // --- performance ---
    /// Between two looks at the master: the first while something changes, up to the second while
    /// nothing does. At least 10 ms. Default: 1 s and 10 s
    std::chrono::milliseconds shortest_interval{std::chrono::seconds{1}};
    std::chrono::milliseconds longest_interval{std::chrono::seconds{10}};
    /// Requests to a master at the same time. 1 to 1000. Default: 16
    std::size_t max_requests{16};
    /// For each request. 1 s to 10 min. Default: 30 s
    std::chrono::milliseconds request_deadline{std::chrono::seconds{30}};
};

/// Runs each application as a driver on a worker of a Spark standalone cluster (cluster mode), by
/// the master's REST submission server: no JVM starts on the host. Its drivers dial the host's
/// agent endpoint: HostOptions::agent_address must be a TCP address that the workers reach. Throws
/// std::invalid_argument when an option breaks its rule.
std::unique_ptr<Backend> make_standalone_backend(boost::asio::any_io_executor executor,
                                                 StandaloneBackendOptions options);

}  // namespace sparkhost

#endif
